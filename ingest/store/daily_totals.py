"""What the vendor last said of each local day, and what came of holding our intervals against it."""

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from ingest.core.audit import Total

_COLUMNS = "wh, final, open, changed, doubts, reads, held"


class Difference(NamedTuple):
    """A day (ISO date) whose intervals do not add up to the vendor's total although they were read again."""

    system: str
    series: str
    day: str
    vendor_wh: float
    held_wh: float


def held(db: sqlite3.Connection, system: str, series: str, since: str, until: str = "9") -> dict[str, Total]:
    """The totals of one series by ISO date, `since <= day < until`."""
    rows = db.execute(
        f"SELECT day, {_COLUMNS} FROM totals WHERE system = ? AND series = ? AND day >= ? AND day < ?",  # noqa: S608
        (system, series, since, until),
    )
    return {
        day: Total(wh, bool(final), bool(is_open), bool(changed), doubts, reads, ours)
        for day, wh, final, is_open, changed, doubts, reads, ours in rows
    }


def save(db: sqlite3.Connection, system: str, series: str, days: Mapping[str, Total]) -> None:
    """Remember totals by ISO date."""
    db.executemany(
        "INSERT OR REPLACE INTO totals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (system, series, day, row.wh, row.final, row.open, row.changed, row.doubts, row.reads, row.held)
            for day, row in days.items()
        ],
    )


def reopen(db: sqlite3.Connection, system: str, series: str, first: str, last: str) -> None:
    """The intervals of these days have changed: they are judged once more."""
    db.execute(
        "UPDATE totals SET open = 1 WHERE system = ? AND series = ? AND day BETWEEN ? AND ? AND NOT open",
        (system, series, first, last),
    )


def forget(db: sqlite3.Connection, system: str, series: str, before: str) -> None:
    """Drop the days that the cloud no longer serves: nothing can be read again."""
    db.execute("DELETE FROM totals WHERE system = ? AND series = ? AND day < ?", (system, series, before))


def clear(db: sqlite3.Connection, system: str) -> None:
    """Forget everything of a system: its days have moved."""
    db.execute("DELETE FROM totals WHERE system = ?", (system,))


def differences(db: sqlite3.Connection, system: str | None = None) -> list[Difference]:
    """Every day that was let be although it does not add up, newest first."""
    rows = db.execute(
        "SELECT system, series, day, wh, held FROM totals WHERE held IS NOT NULL AND ? IN (system, '') "
        "ORDER BY day DESC, system, series",
        (system or "",),
    )
    return [Difference(*row) for row in rows]
