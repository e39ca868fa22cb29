"""Intervals leave the archive, some at a time, where every sink is proved to hold them; see `departures` for what must
hold.
"""

import sqlite3
from collections.abc import Collection, Iterable, Sequence

from ingest.core.derive import QUARTER
from ingest.core.units import DAY
from ingest.enphase.catalogue import INTERVALS
from ingest.store import archive, departures, outbox
from ingest.store.departures import Departure

ROWS = 2_000
"""How many rows leave at once, in some milliseconds; more only where one quarter of an hour has more."""


def series(db: sqlite3.Connection, system: str) -> list[int]:
    """The numbers of the interval series of a system."""
    return [number for number, _ in archive.wanted_series(db, archive.Filter(tuple(INTERVALS), system))]


def oldest(db: sqlite3.Connection, system: str, since: int) -> int | None:
    """When the oldest interval of a system since a moment began (epoch s)."""
    found = (
        db.execute("SELECT min(time) FROM points WHERE series = ? AND time >= ?", (number, since)).fetchone()[0]
        for number in series(db, system)
    )
    return min((at for at in found if at is not None), default=None)


def is_unchanged(db: sqlite3.Connection, system: str, begin: int, end: int, seq: int) -> bool:
    """Whether no interval of a system with `begin <= time < end` has changed after the change `seq`."""
    changed = "SELECT 1 FROM points WHERE series = ? AND time >= ? AND time < ? AND seq > ? LIMIT 1"
    return not any(db.execute(changed, (number, begin, end, seq)).fetchone() for number in series(db, system))


def is_refused(db: sqlite3.Connection, sink: str, system: str, end: int) -> bool:
    """Whether a sink has refused any interval of a system from before a moment."""
    mine = set(series(db, system))
    return any(number in mine and time < end for number, time in outbox.parked_rows(db, sink))


def proved(
    db: sqlite3.Connection, sinks: Collection[str], systems: Sequence[Departure], until: int, now: int
) -> int | None:
    """Up to which change all sinks are proved to hold all intervals of some systems from before a moment; None where
    one of them is not, or there is no sink.
    """
    names = [row.system for row in systems]
    seqs: list[int] = []
    for sink in sinks:
        row, found = outbox.sink(db, sink), departures.proofs(db, sink, names, now)
        if row is None or row.error or outbox.has_replays(db, sink) or found.keys() != set(names):
            return None
        if any(proof.until != until for proof in found.values()):
            return None
        if any(is_refused(db, sink, name, until) for name in names):
            return None
        seqs += [row.cursor, *(proof.seq for proof in found.values())]
    return min(seqs, default=None)


def remove(db: sqlite3.Connection, system: str, until: int, seq: int) -> int:
    """Remove the oldest intervals of a system that have not left, of those from before a moment, and say so, inside the
    caller's transaction; returns how many rows. None are where one of them has changed after the change `seq`.
    """
    row, numbers = departures.known(db, [system])[system], series(db, system)
    begin = oldest(db, system, row.until)
    if begin is None or begin >= until:
        return 0
    end = min(begin + DAY, until)
    while (rows := _count(db, numbers, row.until, end)) > ROWS and end - begin > QUARTER:
        end = begin + max((end - begin) // 2, QUARTER)
    if not is_unchanged(db, system, row.until, end, seq):
        return 0
    gone = _delete(db, numbers, row.until, end)
    db.execute("UPDATE meta SET value = value - ? WHERE key = 'points'", (gone,))
    first = row.first or begin
    db.execute("UPDATE departures SET until = ?, first = ? WHERE system = ?", (end, first, system))
    return rows


def _count(db: sqlite3.Connection, numbers: Iterable[int], begin: int, end: int) -> int:
    rows = "SELECT count(*) FROM points WHERE series = ? AND time >= ? AND time < ?"
    return sum(int(db.execute(rows, (number, begin, end)).fetchone()[0]) for number in numbers)


def _delete(db: sqlite3.Connection, numbers: Iterable[int], begin: int, end: int) -> int:
    """Delete rows; returns how many of them said anything."""
    gone = 0
    for number in numbers:
        where, values = "series = ? AND time >= ? AND time < ?", (number, begin, end)
        gone += int(db.execute(f"SELECT count(*) FROM points WHERE {where} AND fields != ''", values).fetchone()[0])  # noqa: S608
        db.execute(f"DELETE FROM points WHERE {where}", values)  # noqa: S608 - a constant
        db.execute(f"DELETE FROM withdrawn WHERE {where}", values)  # noqa: S608
    return gone
