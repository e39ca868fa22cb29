"""Energies that only grow: whoever takes them takes a smaller number for a meter that was replaced.

A meter counts what became known of the days since it was first shown; history that is read later does not make it jump,
and a correction downwards makes it stand still until the sum has passed it again.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta, tzinfo

from ingest.core.days import date_at, midnight
from ingest.core.derive import FLOWS, GRID, grid_exchange, grid_exchange_of_day
from ingest.core.point import decode_fields
from ingest.enphase.catalogue import totals_of
from ingest.store import archive, progress

OPEN_DAYS = 30
"""Days that may still change; older ones go into the base."""
LIFETIMES = {
    "produced_wh": "energy_lifetime",
    "consumed_wh": "consumption_lifetime",
    "imported_wh": "import_lifetime",
    "exported_wh": "export_lifetime",
    "charged_wh": "battery_lifetime",
    "discharged_wh": "battery_lifetime",
}
"""The streams that know the whole life of the system: before they were asked, a meter would begin too low."""

Days = Mapping[date, float]


@dataclass(frozen=True)
class Meter:
    """An energy of a system in Wh: `base` is that of the days before `since` (ISO), `total` the most that was ever
    shown, `today` that of the local day `day`.
    """

    since: str
    base: float
    total: float
    day: str
    today: float


def advance(old: Meter | None, days: Days, today: date) -> Meter:
    """The meter after a look at the local days."""
    day = today.isoformat()
    if old is None:
        since = today - timedelta(days=1)
        base = sum(wh for at, wh in days.items() if at < since)
        return _shown(Meter(since.isoformat(), base, 0.0, day, 0.0), days, today)
    return _shown(_folded(old, days, today - timedelta(days=OPEN_DAYS)), days, today)


def _folded(old: Meter, days: Days, until: date) -> Meter:
    since = date.fromisoformat(old.since)
    if since >= until:
        return old
    closed = sum(wh for at, wh in days.items() if since <= at < until)
    return replace(old, since=until.isoformat(), base=old.base + closed)


def _shown(meter: Meter, days: Days, today: date) -> Meter:
    since, day = date.fromisoformat(meter.since), today.isoformat()
    total = meter.base + sum(wh for at, wh in days.items() if at >= since)
    so_far = days.get(today, 0.0)
    begun = meter.today if meter.day == day else 0.0
    return replace(meter, total=max(meter.total, total), day=day, today=max(begun, so_far))


def read(
    db: sqlite3.Connection, system: str, wanted: Iterable[str], old: Mapping[str, Meter], local: tzinfo, now: int
) -> dict[str, Meter]:
    """The meters of a system now, of which these streams are wanted; a field of which nothing is known has none."""
    today = date_at(now, local)
    first = min((date.fromisoformat(meter.since) for meter in old.values()), default=None)
    whole = first is None or len(old) < len(FLOWS)
    days = _days(db, system, first, now, local, whole=whole)
    due = {stream.name for stream in totals_of(wanted)}
    waiting = {name for name, stream in LIFETIMES.items() if stream in due and not _is_asked(db, system, stream)}
    return {
        name: advance(old.get(name), days[name], today)
        for name in FLOWS
        if name in old or (days.get(name) and name not in waiting)
    }


def _is_asked(db: sqlite3.Connection, system: str, stream: str) -> bool:
    pair = progress.pair(db, system, stream)
    return pair.asked_at is not None or bool(pair.state)


def _days(
    db: sqlite3.Connection, system: str, since: date | None, now: int, local: tzinfo, *, whole: bool
) -> dict[str, dict[date, float]]:
    """Wh by field and local day: the daily totals, and sums of intervals for the days that have none and are still
    open. Of the whole life, or of the days since the last fold.
    """
    days: dict[str, dict[date, float]] = defaultdict(dict)
    begin = 0 if whole or since is None else midnight(since, local)
    for time, text in archive.values(db, "energy_daily", system, begin, now + 1):
        for name, wh in flows_of_day(decode_fields(text)).items():
            days[name][date_at(time, local)] = wh
    sums: dict[tuple[str, date], float] = defaultdict(float)
    if newest := max((at for held in days.values() for at in held), default=None):
        open_since = min(newest - timedelta(days=OPEN_DAYS), since or newest)
        begin = midnight(_first_lacking(days, max(date_at(begin, local), open_since), date_at(now, local)), local)
    for time, text in archive.values(db, "energy", system, begin, now + 1):
        for name, wh in flows(decode_fields(text)).items():
            sums[name, date_at(time, local)] += wh
    for (name, day), wh in sums.items():
        days[name].setdefault(day, wh)
    return days


def _first_lacking(days: Mapping[str, Days], first: date, today: date) -> date:
    """The first day of which a field that is known has no total. What came from the grid and went to it is known where
    production and consumption are, if not by the day.
    """
    names = days.keys() | (GRID if {"produced_wh", "consumed_wh"} <= days.keys() else ())
    while first < today and all(first in days.get(name, ()) for name in names):
        first += timedelta(days=1)
    return first


def flows(fields: Mapping[str, object]) -> dict[str, float]:
    """The energies of an interval, with those of the grid where they follow from the rest."""
    known = _numbers(fields)
    return {name: known[name] for name in FLOWS if name in known} | grid_exchange(known)


def flows_of_day(fields: Mapping[str, object]) -> dict[str, float]:
    """The energies of a row of `energy_daily`, likewise."""
    known = _numbers(fields)
    return {name: known[name] for name in FLOWS if name in known} | grid_exchange_of_day(known)


def _numbers(fields: Mapping[str, object]) -> dict[str, float]:
    return {name: value for name, value in fields.items() if isinstance(value, float)}


def from_document(rows: Mapping[str, Mapping[str, Mapping[str, object]]]) -> dict[str, dict[str, Meter]]:
    """Meters by system and field, as they were saved."""
    return {
        system: {name: Meter(**row) for name, row in held.items()}  # type: ignore[arg-type] # as it was written
        for system, held in rows.items()
    }


def known_fields(meters: Iterable[str]) -> list[str]:
    """The fields in the order of the table."""
    held = set(meters)
    return [name for name in FLOWS if name in held]
