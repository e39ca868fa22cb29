"""The last known daily total of the vendor per local day, and the result of the comparison with our intervals."""

import json
import sqlite3
from collections.abc import Collection, Mapping
from typing import NamedTuple

from ingest.core.audit import Total, TotalKey
from ingest.enphase.catalogue import SERIES
from ingest.store import bulk


class Difference(NamedTuple):
    """A day (ISO date) whose intervals do not add up to the vendor's total although they were read again."""

    system: str
    series: str
    day: str
    vendor_wh: float
    held_wh: float


def of_system(
    db: sqlite3.Connection, system: str, first: str = "", last: str = "9", *, series: Collection[str] = SERIES
) -> dict[TotalKey, Total]:
    """The totals of some series of a system, of the days `first <= day <= last` (ISO dates)."""
    marks = ", ".join("?" * len(series))
    rows = db.execute(
        "SELECT series, day, wh, final, open, changed, doubts, reads, held FROM totals "  # noqa: S608 - marks
        f"WHERE system = ? AND series IN ({marks}) AND day >= ? AND day <= ?",
        (system, *series, first, last),
    )
    return {
        (system, name, day): Total(wh, final == 1, is_open == 1, changed == 1, doubts, reads, ours)
        for name, day, wh, final, is_open, changed, doubts, reads, ours in rows
    }


def save(db: sqlite3.Connection, totals: Mapping[TotalKey, Total]) -> None:
    """Remember totals."""
    bulk.insert(db, "INSERT OR REPLACE INTO totals", 10, [(*key, *total) for key, total in totals.items()])


def forget(db: sqlite3.Connection, system: str, series: str, before: str) -> None:
    """Drop the days that the cloud no longer serves: nothing can be read again."""
    db.execute("DELETE FROM totals WHERE system = ? AND series = ? AND day < ?", (system, series, before))


def clear(db: sqlite3.Connection, system: str) -> None:
    """Forget everything of a system: its days have moved."""
    db.execute("DELETE FROM totals WHERE system = ?", (system,))


def differences(db: sqlite3.Connection, systems: Collection[str] | None = None) -> list[Difference]:
    """Every day, of all systems or of some, that was let be although it does not add up, newest first."""
    of_some = (
        "" if systems is None else "+system IN (SELECT value FROM json_each(?)) AND "
    )  # not by the key of the table
    rows = db.execute(
        f"SELECT system, series, day, wh, held FROM totals WHERE {of_some}held IS NOT NULL "  # noqa: S608 - as above
        "ORDER BY day DESC, system, series",
        () if systems is None else (json.dumps([*systems]),),
    )
    return [Difference(*row) for row in rows]
