"""Rows as they are kept: the names of the fields by a number, for thousands of rows have the same.

`energy_wh,power_w:84;336.5,` is kept as `3:84;336.5,`, and `date="2026-11-05",wh=84.0` as `4:"2026-11-05",84;`. What is
true no longer (an empty row), and text in which a comma, semicolon or backslash stands, is kept as it is. The lists of
names stand in `meta` under `names`, one a line, and are only ever added to.
"""

import sqlite3
from collections.abc import Callable

from ingest.core.point import decode_fields, encode_fields, fields_without_escapes
from ingest.store import meta

NAMES = "names"


class Packer:
    """Packs rows; `names` is what is kept under `NAMES`, and what is to be kept once rows were packed."""

    def __init__(self, names: str) -> None:
        self._numbers = {some: f"{number}:" for number, some in enumerate(names.split("\n"))} if names else {}

    @property
    def names(self) -> str:
        """The lists of names, one a line."""
        return "\n".join(self._numbers)

    def pack(self, row: str) -> str:
        """A row as it is kept."""
        if "=" in row or not row:
            names, values = _of_words(row)
            if not names:
                return f"={row}" if row[:1].isdigit() else row  # or it would look like one with a number
        else:
            names, _, values = row.partition(":")
        number = self._numbers.get(names)
        if number is None:
            number = self._numbers[names] = f"{len(self._numbers)}:"
        return number + values


def unpacker(db: sqlite3.Connection) -> Callable[[str], str]:
    """What makes a row of what is kept. A row of a former version, which had the names in each, is read too."""
    names: dict[str, str] = {}

    def unpack(row: str) -> str:
        number, _, values = row.partition(":")
        known = names.get(number)
        if known is None:
            if not number.isdigit():
                return _of_line(row)
            lists = (meta.read(db, NAMES) or "").split("\n")  # also such as came since: others write meanwhile
            names.update({str(at): f"{some}:" for at, some in enumerate(lists)})
            known = names[number]
        return _line(known, values) if '"' in values else known + values

    return unpack


def _of_words(row: str) -> tuple[str, str]:
    """Names and values of a line with words; none where they cannot be told apart without it."""
    fields = [] if "\\" in row or '"' not in row else fields_without_escapes(row)
    names = [name for name, _, _ in fields]
    if not all(map(str.isidentifier, names)) or any("," in text or ";" in text for _, text, _ in fields):
        return "", ""
    return ",".join(names), "".join([_value(text, number) for _, text, number in fields])


def _value(text: str, number: str) -> str:
    if not number:
        return f'"{text}",'
    return f"{number[:-2]};" if number.endswith(".0") else f"{number},"


def _line(names: str, values: str) -> str:
    """The reverse of `_of_words`."""
    pairs = zip(names[:-1].split(","), values.replace(";", ".0,").split(",")[:-1], strict=True)
    return ",".join([f"{name}={value}" for name, value in pairs])


def _of_line(row: str) -> str:
    """A row that is kept as the field set of a line; one of numbers is of a former version."""
    text = row.removeprefix("=")
    return text if not text or '"' in text or "\\" in text else encode_fields(decode_fields(text))
