"""Many rows at once: SQLite takes half the time for rows that one statement holds than for one statement a row."""

import sqlite3
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain

SIZES = (256, 32, 4, 1)
"""Rows of a statement; few sizes, so that each is prepared once."""


def insert(db: sqlite3.Connection, into: str, width: int, rows: Iterable[Sequence[object]]) -> None:
    """Insert rows of so many values; `into` is the statement up to these, as `INSERT INTO points`."""
    _insert(db, into, width, [*chain.from_iterable(rows)])


def insert_columns(db: sqlite3.Connection, into: str, columns: Sequence[Sequence[object]]) -> None:
    """The same of rows by column, all of the same length: quicker than making a tuple of each row."""
    width = len(columns)
    values: list[object] = [None] * (width * len(columns[0]))
    for at, column in enumerate(columns):
        values[at::width] = column
    _insert(db, into, width, values)


def _insert(db: sqlite3.Connection, into: str, width: int, values: Sequence[object]) -> None:
    done = 0
    for size in SIZES:
        many, step = _statement(into, width, size), size * width
        while len(values) - done >= step:
            db.execute(many, values[done : done + step])
            done += step


@cache
def _statement(into: str, width: int, rows: int) -> str:
    marks = f"({', '.join('?' * width)})"
    return f"{into} VALUES {', '.join([marks] * rows)}"
