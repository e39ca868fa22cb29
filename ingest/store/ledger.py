"""The ledger of calls: each is entered before it is sent, so a crash may count one too many, never one too few."""

import sqlite3

from ingest.core.units import MINUTE
from ingest.plan.quota import Usage, month_bounds

KEEP = 400 * 86400
"""Calls are kept (s) a little longer than a year, so that a year can be reviewed."""
LONGEST_CALL = 20 * MINUTE
"""No call is in flight for that long (s)."""
HISTORY = "history"


def reserve(db: sqlite3.Connection, app: str, at: int, call: tuple[str, str, str]) -> int:
    """Enter a call (system, stream, purpose) that is about to be sent; returns its number."""
    inserted = db.execute(
        "INSERT INTO calls (app, at, system, stream, purpose) VALUES (?, ?, ?, ?, ?)", (app, at, *call)
    )
    _count(db, app, at, call[2], 1)
    return int(inserted.lastrowid or 0)


def end(db: sqlite3.Connection, call: int, at: int, verdict: str) -> None:
    """Note when a call ended and what came of it. One that ended in another month than it began counts in both."""
    row = db.execute(
        "UPDATE calls SET ended = max(at, ?), verdict = ? WHERE id = ? RETURNING app, at, ended, purpose",
        (at, verdict, call),
    ).fetchone()
    if row is not None:
        app, began, ended, purpose = row
        if month_bounds(began) != month_bounds(ended):
            _count(db, app, ended, purpose, 1)


def release(db: sqlite3.Connection, call: int) -> None:
    """Strike out a call that certainly never left this machine."""
    row = db.execute("DELETE FROM calls WHERE id = ? RETURNING app, at, purpose", (call,)).fetchone()
    if row is not None:
        app, at, purpose = row
        _count(db, app, at, purpose, -1)


def _count(db: sqlite3.Connection, app: str, at: int, purpose: str, by: int) -> None:
    """Keep the sums of a month in step with its calls."""
    history = by if purpose == HISTORY else 0
    db.execute(
        "INSERT INTO call_months VALUES (?, ?, ?, ?) ON CONFLICT (app, month) DO UPDATE "
        "SET calls = calls + excluded.calls, history = history + excluded.history",
        (app, month_bounds(at)[0], by, history),
    )


def usage(db: sqlite3.Connection, app: str, now: int) -> Usage:
    """What the application spent in the month of `now`, and the ends and begins of the calls of the last minute.

    A call in flight counts as ending now: also in the month that has begun meanwhile.
    """
    first = month_bounds(now)[0]
    row = db.execute("SELECT calls, history FROM call_months WHERE app = ? AND month = ?", (app, first)).fetchone()
    month, history = row or (0, 0)
    flying = db.execute(  # the plus has SQLite look among the few that have not ended, not at all of 20 minutes
        "SELECT at, purpose FROM calls WHERE app = ? AND ended IS NULL AND +at > ?", (app, now - LONGEST_CALL)
    ).fetchall()
    ended = db.execute(
        "SELECT ended, at FROM calls WHERE app = ? AND ended > ? ORDER BY ended", (app, now - MINUTE - 1)
    ).fetchall()
    over = [purpose for at, purpose in flying if at < first]
    recent = (*(end for end, _ in ended), *(now for _ in flying))
    begun = sorted((*(at for _, at in ended), *(at for at, _ in flying)))
    return Usage(month + len(over), history + over.count(HISTORY), recent, begun)


def settle(db: sqlite3.Connection, app: str, now: int) -> None:
    """At the start: calls cut off by a crash end now."""
    for call, verdict in db.execute("SELECT id, verdict FROM calls WHERE app = ? AND ended IS NULL", (app,)).fetchall():
        end(db, call, now, verdict)


def clamp_future(db: sqlite3.Connection, app: str, now: int) -> None:
    """Calls entered by a clock that ran ahead are counted as made now: none is freed."""
    db.execute("UPDATE calls SET at = ? WHERE app = ? AND at > ?", (now, app, now))
    db.execute("UPDATE calls SET ended = ? WHERE app = ? AND ended > ?", (now, app, now))
    first, following = month_bounds(now)
    db.execute("DELETE FROM call_months WHERE app = ? AND month >= ?", (app, first))
    db.execute(
        "INSERT INTO call_months SELECT ?1, ?2, count(*), coalesce(sum(purpose = 'history'), 0) FROM calls "
        "WHERE app = ?1 AND at < ?3 AND at >= ?4 AND coalesce(ended, ?5) >= ?2",
        (app, first, following, first - LONGEST_CALL, now),
    )


def forget(db: sqlite3.Connection, now: int) -> None:
    """Drop what is older than `KEEP`."""
    db.execute("DELETE FROM calls WHERE at < ?", (now - KEEP,))


def count_since(db: sqlite3.Connection, app: str, since: int, without: str = "") -> int:
    """How many calls were made after `since`, `without` those of a purpose."""
    row = db.execute("SELECT count(*) FROM calls WHERE app = ? AND at > ? AND purpose != ?", (app, since, without))
    return int(row.fetchone()[0])


def by_pair(db: sqlite3.Connection, app: str, since: int) -> dict[tuple[str, str], int]:
    """How many calls were made from `since` on, by system and stream."""
    rows = db.execute(
        "SELECT system, stream, count(*) FROM calls WHERE app = ? AND at >= ? GROUP BY system, stream", (app, since)
    )
    return {(system, stream): count for system, stream, count in rows}


def last_at(db: sqlite3.Connection, app: str) -> int | None:
    """When the newest call that is remembered was made: it is no earlier than that."""
    found: int | None = db.execute("SELECT max(at) FROM calls WHERE app = ?", (app,)).fetchone()[0]
    return found


def first_at(db: sqlite3.Connection, app: str) -> int | None:
    """When the oldest call that is remembered was made."""
    found: int | None = db.execute("SELECT min(at) FROM calls WHERE app = ?", (app,)).fetchone()[0]
    return found


def by_verdict(db: sqlite3.Connection, app: str) -> dict[str, int]:
    """How many calls that are remembered ended with each verdict; "" stands for those under way."""
    return dict(db.execute("SELECT verdict, count(*) FROM calls WHERE app = ? GROUP BY verdict", (app,)).fetchall())


def last_failed(db: sqlite3.Connection, app: str, most: int) -> list[dict[str, object]]:
    """The newest calls that did not end well, the newest first."""
    columns = ("at", "ended", "system", "stream", "purpose", "verdict")
    rows = db.execute(
        f"SELECT {', '.join(columns)} FROM calls WHERE app = ? AND verdict NOT IN ('ok', 'nothing') "  # noqa: S608
        "ORDER BY id DESC LIMIT ?",
        (app, most),
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]
