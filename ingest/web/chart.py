"""Numbers for the curve, the table and the file of a day, from the archive."""

import csv
import io
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ingest.core.days import ONE, midnight, zone
from ingest.core.derive import QUANTITIES, QUARTER
from ingest.core.money import MONEY
from ingest.core.span import floor_to
from ingest.report.quarters import Flows, by_quarter
from ingest.store import archive

PER_HOUR = 4
LONGEST_CHART = 92
"""Days of the longest curve."""


def curve(db: sqlite3.Connection, system: str, timezone: str, now: int, days: int, last: date) -> dict[str, Any]:
    """Mean power (W) of every quarter of the local days that end with `last`; None where nothing is known.

    `end` is that of the last day; of the running one the values end with now.
    """
    local = zone(timezone)
    start = midnight(last - timedelta(days=min(max(days, 1), LONGEST_CHART) - 1), local)
    end = midnight(last + ONE, local)
    produced = archive.numbers(db, "energy", system, "produced_wh", start, min(now, end))
    used = archive.numbers(db, "energy", system, "consumed_wh", start, min(now, end))
    times = range(floor_to(start, QUARTER), min(floor_to(now, QUARTER) + 1, end), QUARTER)
    return {
        "start": times.start,
        "step": QUARTER,
        "end": end,
        "produced_w": [_watts(produced.get(time)) for time in times],
        "consumed_w": [_watts(used.get(time)) for time in times] if used else [],
    }


def _watts(energy: float | None) -> int | None:
    return None if energy is None else round(energy * PER_HOUR)


def hours(db: sqlite3.Connection, system: str, timezone: str, day: date) -> list[tuple[str, Flows]]:
    """The energies of the hours of a local day, of which something is known; the repeated hour comes twice."""
    local = zone(timezone)
    rows = by_quarter(db, system, midnight(day, local), midnight(day + ONE, local))
    sums: dict[tuple[int, int], dict[str, float]] = {}
    for at in sorted(rows):
        moment = datetime.fromtimestamp(at, UTC).astimezone(local)
        hour = sums.setdefault((moment.hour, moment.fold), {})
        for name, value in rows[at].items():
            hour[name] = hour.get(name, 0.0) + value
    return [(f"{hour:02}:00", flows) for (hour, _), flows in sums.items()]


def day_file(db: sqlite3.Connection, system: str, timezone: str, day: date) -> str:
    """A local day as CSV, a row for every quarter of an hour of which something is known."""
    local = zone(timezone)
    begin, end = midnight(day, local), midnight(day + ONE, local)
    rows: dict[int, dict[str, float]] = by_quarter(db, system, begin, end)
    for name in MONEY:
        for at, value in archive.numbers(db, "money", system, name, begin, end).items():
            rows.setdefault(at, {})[name] = value
    names = [name for name in (*QUANTITIES, *MONEY) if any(name in row for row in rows.values())]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["time", "time_local", *names])
    writer.writerows(_lines(rows, names, timezone))
    return out.getvalue()


def _lines(rows: Mapping[int, Mapping[str, float]], names: list[str], timezone: str) -> Iterator[list[str | float]]:
    for at in sorted(rows):
        moment = datetime.fromtimestamp(at, UTC)
        local = moment.astimezone(zone(timezone)).isoformat()
        yield [moment.strftime("%Y-%m-%dT%H:%M:%SZ"), local, *(rows[at].get(name, "") for name in names)]
