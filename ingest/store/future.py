"""What a clock that ran ahead has written: brought back to the present once, when the clock is corrected."""

import sqlite3

from ingest.core.units import DAY
from ingest.store import ledger, meta

FURTHEST_PAUSE = 8 * DAY
"""No pause of a pair is longer (s); what ends later was written by a clock that ran ahead."""
LONGEST_STOP = 32 * DAY
"""The same, of a pause of the whole application."""


def clamp_future(db: sqlite3.Connection, app: str, now: int) -> int:
    """Nothing was asked, seen or counted later than now, and no pause ends later than the longest one from now.

    Returns when the pause of the whole application ends (epoch s; 0: there is none).
    """
    ledger.clamp_future(db, app, now)
    db.execute("UPDATE pairs SET asked_at = ?1 WHERE asked_at > ?1", (now,))
    for pause in ("rest_until", "history_from"):
        statement = f"UPDATE pairs SET {pause} = ?1 WHERE {pause} > ?2"  # noqa: S608 - one of the two above
        db.execute(statement, (now, now + FURTHEST_PAUSE))
    db.execute("UPDATE deferred SET until = ?1 WHERE until > ?2", (now, now + FURTHEST_PAUSE))
    db.execute("UPDATE systems SET probed_at = ?1 WHERE probed_at > ?1", (now,))
    db.execute("UPDATE known SET seen_at = ?1 WHERE seen_at > ?1", (now,))
    paused_until = int(meta.read(db, "paused_until") or 0)
    if paused_until > now + LONGEST_STOP:
        paused_until = now
        meta.write(db, "paused_until", str(now))
    return paused_until
