"""JSON many times faster than Python's own reader and writer, for what is read and written by the hundred thousand."""

from collections.abc import Sequence
from typing import Any

import orjson


def read(text: bytes | str) -> Any:
    """What a JSON document says. Raises `ValueError` for what is not strictly one: Python's own reader takes more."""
    return orjson.loads(text)


def numbers_by_row(columns: Sequence[Sequence[object]]) -> str:
    """Columns of finite floats as `84.0,336.5,null,85.0,0.25,null,`, or of whole numbers as `84,336,null,85,0,null,`;
    empty where there are others, or `repr` may write one as a float otherwise. A number that is none is a `null` more.
    """
    width, length = len(columns), len(columns[0])
    values: list[object] = [None] * (length * (width + 1))
    for at, column in enumerate(columns):
        values[at :: width + 1] = column
    try:
        text = orjson.dumps(values, option=orjson.OPT_STRICT_INTEGER).decode()
    except TypeError:  # of a whole number that no float is equal to, or half a character
        return ""
    are_alike = text.count(".") in (0, length * width)
    # text; an exponent, `true` or `false`; what Python writes with an exponent
    is_odd = '"' in text or "e" in text or "0.0000" in text
    return f"{text[1:-1]}," if are_alike and not is_odd else ""
