"""Whether a runner is at work: a service that reports every few minutes, or `once` at the times of its crontab."""

import sqlite3

from ingest.core.units import DAY, HOUR, MINUTE
from ingest.store import meta

SERVICE, ONCE = "run", "once"
LATE_AFTER = 15 * MINUTE
"""A service reports every 5 min."""
FIRST_ONCE = DAY + 2 * HOUR
"""After its first `once`, nothing says how often it will be called: a day is the least frequent that makes sense."""


def note(db: sqlite3.Connection, now: int, kind: str) -> None:
    """Write down, inside the caller's transaction, that a runner of a kind (`SERVICE`, `ONCE`) was at work at `now`."""
    before = meta.read(db, "seen_at")
    if kind == ONCE and before and meta.read(db, "seen_by") == ONCE:
        meta.write(db, "seen_every", str(max(0, now - int(before))))
    elif kind == SERVICE:
        meta.write(db, "seen_every", "")
    meta.write(db, "seen_by", kind)
    meta.write(db, "seen_at", str(now))


def seen_at(db: sqlite3.Connection) -> int | None:
    """When a runner last said that it was at work (epoch s); None before the first."""
    text = meta.read(db, "seen_at")
    return int(text) if text else None


def due_at(db: sqlite3.Connection) -> int | None:
    """When the next word of a runner is due at the latest (epoch s); None before the first."""
    seen = seen_at(db)
    if seen is None:
        return None
    if meta.read(db, "seen_by") != ONCE:
        return seen + LATE_AFTER
    every = int(meta.read(db, "seen_every") or 0)
    return seen + (2 * every + LATE_AFTER if every else FIRST_ONCE)
