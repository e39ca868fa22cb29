"""Whether a runner is at work: a service that reports every few minutes, or `once` at the times of its crontab.

The time of the last word is that of the lock file, so that saying it writes nothing to the database.
"""

import sqlite3
from pathlib import Path

from ingest.core.units import DAY, HOUR, MINUTE
from ingest.store import meta
from ingest.store.database import Store
from ingest.store.ownership import last_touch

SERVICE, ONCE = "run", "once"
LATE_AFTER = 15 * MINUTE
"""A service reports every 5 min."""
FIRST_ONCE = DAY + 2 * HOUR
"""After its first `once`, nothing says how often it will be called: a day is the least frequent that makes sense."""


def begin(store: Store, now: int, kind: str) -> None:
    """Write down that a runner of a kind (`SERVICE`, `ONCE`) begins at `now` to work on the state that it owns."""
    before = last_touch(store.folder)
    again = kind == ONCE and meta.read(store.db, "seen_by") == ONCE and before is not None
    every = max(0, now - before) if again and before is not None else 0
    with store.transaction() as db:
        meta.write(db, "seen_by", kind)
        meta.write(db, "seen_every", str(every))
    store.touch(now)


def kind_of(db: sqlite3.Connection) -> str:
    """The kind of the last runner, `SERVICE` or `ONCE`; empty before the first."""
    return meta.read(db, "seen_by") or ""


def due_at(db: sqlite3.Connection, folder: Path) -> int | None:
    """When the next word of a runner is due at the latest (epoch s); None before the first."""
    seen, kind = last_touch(folder), meta.read(db, "seen_by")
    if seen is None or kind is None:
        return None
    if kind != ONCE:
        return seen + LATE_AFTER
    every = int(meta.read(db, "seen_every") or 0)
    return seen + (2 * every + LATE_AFTER if every else FIRST_ONCE)
