"""The ledger of calls: each is entered before it is sent, so a crash may count one too many, never one too few."""

import sqlite3

from ingest.core.units import MINUTE
from ingest.plan.quota import Usage, month_bounds

KEEP = 400 * 86400
"""A ledger longer than a year lets a year be looked back on."""


def reserve(db: sqlite3.Connection, app: str, at: int, call: tuple[str, str, str]) -> int:
    """Enter a call (system, stream, purpose) that is about to be sent; returns its number."""
    made = db.execute("INSERT INTO calls (app, at, system, stream, purpose) VALUES (?, ?, ?, ?, ?)", (app, at, *call))
    return int(made.lastrowid or 0)


def end(db: sqlite3.Connection, call: int, at: int, verdict: str) -> None:
    """Note when a call ended and what came of it."""
    db.execute("UPDATE calls SET ended = max(at, ?), verdict = ? WHERE id = ?", (at, verdict, call))


def release(db: sqlite3.Connection, call: int) -> None:
    """Strike out a call that certainly never left this machine."""
    db.execute("DELETE FROM calls WHERE id = ?", (call,))


def usage(db: sqlite3.Connection, app: str, now: int) -> Usage:
    """What the application spent in the month of `now`, and the ends of the calls of the last minute."""
    first, following = month_bounds(now)
    month, history = db.execute(
        "SELECT count(*), coalesce(sum(purpose = 'history'), 0) FROM calls "
        "WHERE app = ? AND at < ? AND at >= ? AND coalesce(ended, ?) >= ?",
        (app, following, first - 10 * MINUTE, now, first),
    ).fetchone()
    recent = db.execute(
        "SELECT coalesce(ended, ?) AS moment FROM calls WHERE app = ? AND at > ? AND moment > ? ORDER BY moment",
        (now, app, now - 20 * MINUTE, now - MINUTE - 1),
    ).fetchall()
    return Usage(month, history, tuple(min(now, moment) for (moment,) in recent))


def settle(db: sqlite3.Connection, app: str, now: int) -> None:
    """At the start: calls cut off by a crash end now."""
    db.execute("UPDATE calls SET ended = ? WHERE app = ? AND ended IS NULL", (now, app))
    clamp_future(db, app, now)


def forget(db: sqlite3.Connection, now: int) -> None:
    """Drop what is older than a year."""
    db.execute("DELETE FROM calls WHERE at < ?", (now - KEEP,))


def clamp_future(db: sqlite3.Connection, app: str, now: int) -> None:
    """Calls entered by a clock that ran ahead are counted as made now: none is freed."""
    db.execute("UPDATE calls SET at = ? WHERE app = ? AND at > ?", (now, app, now))
    db.execute("UPDATE calls SET ended = ? WHERE app = ? AND ended > ?", (now, app, now))


def per_day(db: sqlite3.Connection, app: str, since: int, without: str = "") -> int:
    """How many calls were made after `since`, `without` those of a purpose."""
    row = db.execute("SELECT count(*) FROM calls WHERE app = ? AND at > ? AND purpose != ?", (app, since, without))
    return int(row.fetchone()[0])


def by_pair(db: sqlite3.Connection, app: str, since: int) -> dict[tuple[str, str], int]:
    """How many calls were made from `since` on, by system and stream."""
    rows = db.execute(
        "SELECT system, stream, count(*) FROM calls WHERE app = ? AND at >= ? GROUP BY system, stream", (app, since)
    )
    return {(system, stream): count for system, stream, count in rows}


def first_at(db: sqlite3.Connection, app: str) -> int | None:
    """When the oldest call that is remembered was made."""
    found: int | None = db.execute("SELECT min(at) FROM calls WHERE app = ?", (app,)).fetchone()[0]
    return found
