"""Numbers for the charts, from the archive: power by the quarter of an hour, energy by the local day."""

import sqlite3
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ingest.core.days import zone
from ingest.core.span import floor_to
from ingest.core.units import DAY
from ingest.report.systems import local_midnight
from ingest.store import archive

QUARTER = 900
PER_HOUR = 4
LONGEST_CHART = 92
"""Days of the longest curve."""


class Today(NamedTuple):
    """Energy of the local day so far, Wh; None where nothing is known."""

    produced: float | None
    consumed: float | None
    own: float | None


def today(db: sqlite3.Connection, system: str, timezone: str, now: int) -> Today:
    """The day so far."""
    start = local_midnight(now, timezone)
    sums = []
    for field in ("produced_wh", "consumed_wh", "self_consumed_wh"):
        held = archive.numbers(db, "energy", system, field, start, now)
        sums.append(sum(held.values()) if held else None)
    return Today(*sums)


def curve(db: sqlite3.Connection, system: str, timezone: str, now: int, days: int) -> dict[str, Any]:
    """Mean power (W) of every quarter of the last local days, today included; None where nothing is known."""
    start = local_midnight(
        local_midnight(now, timezone) - (min(max(days, 1), LONGEST_CHART) - 1) * DAY + DAY // 2, timezone
    )
    made = archive.numbers(db, "energy", system, "produced_wh", start, now)
    used = archive.numbers(db, "energy", system, "consumed_wh", start, now)
    times = range(floor_to(start, QUARTER), floor_to(now, QUARTER) + 1, QUARTER)
    return {
        "start": times.start,
        "step": QUARTER,
        "produced_w": [_watts(made.get(time)) for time in times],
        "consumed_w": [_watts(used.get(time)) for time in times] if used else [],
    }


def _watts(energy: float | None) -> int | None:
    return None if energy is None else round(energy * PER_HOUR)


def daily(db: sqlite3.Connection, system: str, timezone: str, now: int) -> list[tuple[str, int | None, int | None]]:
    """(local day, Wh produced, Wh consumed) of the whole life; today is left out: it has not ended."""
    made = archive.numbers(db, "energy_daily", system, "produced_wh", 0, now)
    used = archive.numbers(db, "energy_daily", system, "consumed_wh", 0, now)
    place = zone(timezone)
    return [
        (
            datetime.fromtimestamp(at, UTC).astimezone(place).date().isoformat(),
            _whole(made.get(at)),
            _whole(used.get(at)),
        )
        for at in sorted(made.keys() | used.keys())
    ]


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
