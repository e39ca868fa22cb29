"""What changed in the archive, in order: what a sink has not taken yet, and what was not proved to have arrived."""

import sqlite3
from collections.abc import Iterable
from itertools import chain

from ingest.core.tally import MeasuredSystem
from ingest.store import bulk, meta
from ingest.store.packing import Unpacker

Row = tuple[int, int, str, int]
"""series, time, row, and the number of its last change"""
FORGOTTEN = "changes_forgotten"
MAX_FORGOTTEN = 50_000
"""How many changes are forgotten at once, which takes some hundredths of a second."""

# A change that the row has seen a later one of is none any more.
_LATEST = "FROM changes CROSS JOIN points USING (series, time) WHERE changes.seq > ? AND points.seq = changes.seq"


def note(db: sqlite3.Connection, changed: Iterable[Iterable[tuple[int, int, int]]]) -> None:
    """Enter changes: (number, series, time)."""
    bulk.insert(db, "INSERT INTO changes", 3, chain.from_iterable(changed))


def next_seq(db: sqlite3.Connection) -> int:
    """The number that the next changed row gets; it never goes back, also not when rows go."""
    return int(meta.read(db, "seq") or 1)


def changes(db: sqlite3.Connection, cursor: int, limit: int) -> list[Row]:
    """The next rows in the order in which they last changed, after the number `cursor`."""
    found = db.execute(
        f"SELECT series, time, fields, points.seq {_LATEST} ORDER BY changes.seq LIMIT ?",
        (cursor, limit),
    )
    unpack = Unpacker(db)
    return [(series, time, unpack(kept), seq) for series, time, kept, seq in found.fetchall()]


def backlog(db: sqlite3.Connection, cursor: int) -> int:
    """How many rows changed after the number `cursor`."""
    return int(db.execute(f"SELECT count(*) {_LATEST}", (cursor,)).fetchone()[0])


def changed_since(db: sqlite3.Connection, cursor: int) -> set[MeasuredSystem]:
    """The measurements of systems of which something changed after the number `cursor`."""
    rows = db.execute(
        "SELECT DISTINCT measurement, system FROM series WHERE id IN (SELECT series FROM changes WHERE seq > ?)",
        (cursor,),
    )
    return {MeasuredSystem(*row) for row in rows}


def changed_days(db: sqlite3.Connection, seq: int) -> set[int] | None:
    """The days since 1970 (UTC) of what changed after the number `seq`; None where that is forgotten."""
    if seq < forgotten(db):
        return None
    return {day for (day,) in db.execute("SELECT DISTINCT time / 86400 FROM changes WHERE seq > ?", (seq,))}


def forgotten(db: sqlite3.Connection) -> int:
    """Up to which number changes are forgotten: what changed until then is read by series and time only."""
    return int(meta.read(db, FORGOTTEN) or 0)


def forget(db: sqlite3.Connection, until: int) -> bool:
    """Forget the oldest changes up to a number, `MAX_FORGOTTEN` at once; returns whether there were any."""
    before = forgotten(db)
    until = min(until, before + MAX_FORGOTTEN)
    if until <= before:
        return False
    db.execute("DELETE FROM changes WHERE seq <= ?", (until,))
    meta.write(db, FORGOTTEN, str(until))
    return True
