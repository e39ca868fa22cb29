"""History for Home Assistant's long-term statistics: hourly sums that only grow, as rows of the file its import takes.

The file is that of the integration "Import Statistics" (https://github.com/klausj1/homeassistant-statistics): columns
separated by tabs, one row a series and full hour, times in UTC. A series is an external statistic, told apart from the
sensor of the same energy by its colon; the energy dashboard takes both.
"""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from ingest.core.days import ONE, date_at, midnight
from ingest.core.derive import FLOWS
from ingest.core.point import decode_fields
from ingest.core.span import floor_to
from ingest.core.units import HOUR, NOON
from ingest.notify.meters import flows, flows_of_day
from ingest.store import archive, departures

COLUMNS = ("statistic_id", "unit", "start", "state", "sum")


class Hour(NamedTuple):
    """One row: the sum (kWh) of a series since its beginning, at an hour of UTC."""

    statistic_id: str
    unit: str
    start: str
    state: float
    sum: float


def rows(db: sqlite3.Connection, system: str, local: tzinfo, begin: int, end: int) -> Iterator[Hour]:
    """The rows of every energy of a system that is known, `begin <= time < end` in epoch seconds.

    Days of which only the total is known have it at noon; so have those whose intervals have left the archive, if only
    in part.
    """
    hours: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    known: dict[str, set[object]] = defaultdict(set)
    for time, text in archive.values(db, "energy", system, max(begin, _whole_from(db, system, local)), end):
        for name, wh in flows(decode_fields(text)).items():
            hours[name][floor_to(time, HOUR)] += wh
            known[name].add(date_at(time, local))
    for time, text in archive.values(db, "energy_daily", system, begin, end):
        for name, wh in flows_of_day(decode_fields(text)).items():
            if date_at(time, local) not in known[name]:
                hours[name][floor_to(time + NOON, HOUR)] += wh
    for name in FLOWS:
        yield from _running(statistic_id(system, name), hours.get(name, {}))


def _whole_from(db: sqlite3.Connection, system: str, local: tzinfo) -> int:
    """The first midnight from which on all intervals that were read are in the archive."""
    until = departures.until_of(db, [system])
    return midnight(date_at(until - 1, local) + ONE, local) if until else 0


def statistic_id(system: str, field: str) -> str:
    """The name of an external statistic: small letters and digits, and single underscores between them."""
    words = f"solar {system.lower()} {field.removesuffix('_wh')}"
    return f"enphase_ingest:{re.sub(r'[^a-z0-9]+', '_', words)}"


def _running(name: str, hours: dict[int, float]) -> Iterator[Hour]:
    total = 0.0
    for time in sorted(hours):
        total += hours[time]
        kwh = round(total / 1000, 3)
        yield Hour(name, "kWh", datetime.fromtimestamp(time, UTC).strftime("%d.%m.%Y %H:%M"), kwh, kwh)
