"""Rows as they are kept: the names of the fields by a number, for thousands of rows have the same.

`energy_wh,power_w:84;336.5,` is kept as `3:84;336.5,`. What is true no longer (an empty row), and a line, is kept as it
is. The lists of names stand in `meta` under `names`, one a line, and are only ever added to.
"""

import sqlite3
from collections.abc import Callable

from ingest.core.point import decode_fields, encode_fields, is_line
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
        if is_line(row):
            return f"={row}" if row[:1].isdigit() else row  # or it would look like one with a number
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
        return known + values

    return unpack


def _of_line(row: str) -> str:
    """A row that is kept as the field set of a line: it is of a former version, or could not be another."""
    text = row.removeprefix("=")
    return encode_fields(decode_fields(text)) if text else text
