"""Old intervals leave the archive, a month at a time, once every database was seen to hold them; nothing else does.

What has left is neither missing nor computed anew: `left` says up to when.
"""

import json
import sqlite3
from collections.abc import Collection
from datetime import UTC, datetime
from typing import NamedTuple

from ingest.core.units import DAY
from ingest.enphase.catalogue import INTERVALS
from ingest.store import archive, journal, meta, outbox
from ingest.store.database import Store

LEFT = "intervals_left"
ROWS = 20_000
"""So many rows are removed at once, or those of one series of a month."""


class LeavingMonth(NamedTuple):
    """Times `start <= time < end`: a calendar month (UTC), a day ahead, so that each zone's month begins after it."""

    start: int
    end: int


class _Left(NamedTuple):
    """The month that left last, as it was up to the change `seq`, and whether some of it is still to be removed."""

    start: int = 0
    end: int = 0
    seq: int = 0
    pending: int = 0


def left(db: sqlite3.Connection) -> int:
    """Up to when (epoch s) intervals have left the archive; 0: none has."""
    return _left(db).end


def _left(db: sqlite3.Connection) -> _Left:
    return _Left(*json.loads(meta.read(db, LEFT) or "[]"))


def next_month(db: sqlite3.Connection, keep: int | None, now: int) -> LeavingMonth | None:
    """The next month whose intervals may leave, kept for `keep` seconds; None where all stay."""
    if keep is None:
        return None
    marks = ", ".join("?" * len(INTERVALS))
    (oldest,) = db.execute(
        "SELECT min(first) FROM (SELECT (SELECT min(time) FROM points WHERE series = id AND time >= ?) AS first "  # noqa: S608 - marks
        f"FROM series WHERE measurement IN ({marks}))",
        (left(db), *INTERVALS),
    ).fetchone()
    if oldest is None:
        return None
    day = datetime.fromtimestamp(oldest + DAY, UTC)
    begin = datetime(day.year, day.month, 1, tzinfo=UTC)
    after = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
    month = LeavingMonth(int(begin.timestamp()) - DAY, int(after.timestamp()) - DAY)
    return month if month.end <= now - keep else None


def note_held(db: sqlite3.Connection, sink: str, month: LeavingMonth, seq: int) -> None:
    """Note that a sink holds all of a month, as it was up to the change `seq`."""
    meta.write(db, f"held.{sink}", json.dumps([*month, seq]))


def leave(store: Store, sinks: Collection[str], keep: int | None, now: int) -> None:
    """Let the next month go where every sink holds it, and remove what has left."""
    while _remove(store):
        pass
    with store.transaction() as db:
        month = next_month(db, keep, now)
        proofs = [json.loads(meta.read(db, f"held.{sink}") or "[0, 0, 0]") for sink in sinks]
        is_filled = not any(outbox.has_replays(db, sink) for sink in sinks)
        if month and proofs and is_filled and all(proof[:2] == [*month] for proof in proofs):
            seq = min(proof[2] for proof in proofs)
            if not _changed(db, month, seq):
                meta.write(db, LEFT, json.dumps(_Left(*month, seq, pending=1)))
    while _remove(store):
        pass


def _changed(db: sqlite3.Connection, month: LeavingMonth, seq: int) -> bool:
    """Whether something of a month changed after the change `seq`, or it is not known."""
    days = journal.changed_days(db, seq)
    return days is None or any(month.start // DAY <= day <= month.end // DAY for day in days)


def _remove(store: Store) -> bool:
    """Remove some of what has left; whether there was any. What came later stays: no sink was seen to hold it."""
    with store.transaction() as db:
        month, done = _left(db), 0
        for number, _ in archive.wanted_series(db, archive.Filter(tuple(INTERVALS))) if month.pending else ():
            done += archive.remove(db, number, (month.start, month.end), month.seq)
            if done >= ROWS:
                break
        if month.pending and not done:
            meta.write(db, LEFT, json.dumps(month._replace(pending=0)))
        return done > 0
