"""Many rows at once: SQLite takes half the time for rows that one statement holds than for one statement a row."""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain, islice

SIZES = (128, 16)
"""Rows of a statement; few sizes, so that each is prepared once."""


def insert(db: sqlite3.Connection, into: str, width: int, rows: Iterable[Sequence[object]]) -> None:
    """Insert rows of so many values; `into` is the statement up to these, as `INSERT INTO points`."""
    left = iter(rows)
    marks = f"({', '.join('?' * width)})"
    for size in SIZES:
        many = f"{into} VALUES {', '.join([marks] * size)}"
        while len(some := list(islice(left, size))) == size:
            db.execute(many, [*chain.from_iterable(some)])
        left = iter(some)
    db.executemany(f"{into} VALUES {marks}", left)
