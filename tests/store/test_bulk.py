"""Rows that are inserted many at once are all there, whatever their number."""

import contextlib
import sqlite3

import pytest

from ingest.store import bulk


@pytest.mark.parametrize("number", [0, 1, 3, 4, 5, 31, 32, 33, 255, 256, 257, 300, 1000])
def test_every_row_is_inserted_once(number: int) -> None:
    rows = [(at, f"row {at}") for at in range(number)]
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE rows (at INTEGER PRIMARY KEY, text TEXT)")
        bulk.insert(db, "INSERT INTO rows", 2, iter(rows))
        assert db.execute("SELECT at, text FROM rows ORDER BY at").fetchall() == rows
        db.execute("DELETE FROM rows")
        bulk.insert_columns(db, "INSERT INTO rows", ([at for at, _ in rows], [text for _, text in rows]))
        assert db.execute("SELECT at, text FROM rows ORDER BY at").fetchall() == rows


def test_of_several_rows_with_one_key_the_last_one_stays() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE rows (at INTEGER PRIMARY KEY, text TEXT)")
        bulk.insert(db, "INSERT OR REPLACE INTO rows", 2, [(at % 10, str(at)) for at in range(150)])
        assert db.execute("SELECT text FROM rows ORDER BY at").fetchall() == [(str(at),) for at in range(140, 150)]
