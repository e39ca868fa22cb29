"""Rows as they are kept: the names of the fields by a number, for thousands of rows have the same.

`energy_wh,power_w:84;336.5,` is kept as `3:84;336.5,`. What is true no longer (an empty row), and a line, is kept as it
is. The lists of names stand in `meta` under `names`, one a line, and are only ever added to.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator

from ingest.core import quick_json
from ingest.core.point import decode_fields, encode_fields, is_line
from ingest.core.series_rows import AlikeRows, Rows, exchanged, first_names
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

    def pack_all(self, rows: Rows) -> Iterable[str]:
        """Rows as they are kept, in order of time; quick where all have the same names."""
        if isinstance(rows, AlikeRows):
            number = self._number(rows.names[:-1])
            return [number + text for text in rows.texts]
        return self.pack_texts([*map(rows.__getitem__, sorted(rows))])

    def pack_texts(self, rows: Collection[str]) -> Iterable[str]:
        """The same of rows of any times."""
        names = first_names(rows)
        packed = exchanged(rows, names, self._number(names[:-1])) if names else None
        return map(self.pack, rows) if packed is None else packed

    def pack(self, row: str) -> str:
        """A row as it is kept."""
        if is_line(row):
            return f"={row}" if row[:1].isdigit() else row  # or it would look like one with a number
        names, _, values = row.partition(":")
        return self._number(names) + values

    def _number(self, names: str) -> str:
        number = self._numbers.get(names)
        if number is None:
            number = self._numbers[names] = f"{len(self._numbers)}:"
        return number


class Unpacker:
    """Makes rows of what is kept. A row of a former version, which had the names in each, is read too."""

    def __init__(self, db: sqlite3.Connection, key: str = NAMES) -> None:
        self._db, self._key = db, key
        self._names: dict[str, str] = {}

    def __call__(self, kept: str) -> str:
        """A row."""
        number, _, values = kept.partition(":")
        names = self._names.get(number) or self._names_of(number)
        if not names:
            return _of_line(kept)
        return names + values

    def all(self, kept: Collection[str]) -> Iterable[str]:
        """Rows; quick where all have the same names."""
        number, found, _ = next(iter(kept), "").partition(":")
        names = self._names_of(number) if found else ""
        rows = exchanged(kept, f"{number}:", names) if names else None
        return map(self, kept) if rows is None else rows

    def rows(self, times: str, kept: str) -> Iterator[tuple[int, str]]:
        """(time, row) of two JSON arrays: as such SQLite hands many rows out in half the time."""
        return zip(quick_json.read(times), self.all(quick_json.read(kept)), strict=True)

    def _names_of(self, number: str) -> str:
        if number not in self._names and number.isdigit():
            lists = (meta.read(self._db, self._key) or "").split("\n")  # also what others added since
            self._names.update({str(at): f"{some}:" for at, some in enumerate(lists)})
        return self._names[number] if number.isdigit() else ""


def _of_line(row: str) -> str:
    """A row that is kept as the field set of a line: it is of a former version, or could not be another."""
    text = row.removeprefix("=")
    return encode_fields(decode_fields(text)) if text else text
