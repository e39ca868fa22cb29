"""The summary of a day or a month in five lines: produced, used, grid, money, what is missing."""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta, tzinfo
from typing import NamedTuple

from ingest.core.days import LocalDay, date_at, days_between, midnight, month_start, zone
from ingest.core.derive import GRID, grid_exchange_of_day
from ingest.core.money import MONEY
from ingest.core.point import decode_fields
from ingest.core.units import DAY, HOUR
from ingest.core.words import many
from ingest.report import SystemReport
from ingest.report.gaps import QUIET
from ingest.report.quarters import of_span
from ingest.store import archive

FROM = 10 * HOUR
"""After local midnight: by then the last hours of the day before are settled and read, on a small plan too."""
LATEST = {"daily": DAY, "monthly": 10 * DAY}
"""Seconds after which a summary that could not be sent is dropped."""


class Period(NamedTuple):
    """Local days from the first on; `name` is an ISO day or month."""

    name: str
    first: date
    days: int


def due(kind: str, told: str, now: int, local: tzinfo) -> Period | None:
    """The period whose summary is to be sent now: yesterday or last month, unless that was told."""
    today = date_at(now, local)
    if kind == "daily":
        period = Period((today - timedelta(days=1)).isoformat(), today - timedelta(days=1), 1)
    elif kind == "monthly":
        last = month_start(today) - timedelta(days=1)
        period = Period(f"{last:%Y-%m}", month_start(last), last.day)
    else:
        return None
    ended = midnight(period.first + timedelta(days=period.days), local)
    return period if period.name > told and FROM <= now - ended < LATEST[kind] else None


def title(period: Period, households: Sequence[SystemReport]) -> str:
    """What a summary is of."""
    whose = households[0].name if len(households) == 1 else many(len(households), "system")
    when = f"{period.first.day} {period.first:%B %Y}" if period.days == 1 else f"{period.first:%B %Y}"
    return f"{whose}: {when}"


def lines(
    db: sqlite3.Connection,
    period: Period,
    systems: Sequence[SystemReport],
    households: Sequence[SystemReport],
    currencies: Collection[str] = (),
) -> list[str]:
    """The summary of a period over all systems, each in its own zone; money, that of households, is added up where it
    is of one currency.
    """
    sums: dict[str, float] = defaultdict(float)
    known: set[str] = set()
    missing: list[str] = []
    for system in systems:
        days = list(days_between(period.first, period.days, zone(system.timezone)))
        missing += _missing(db, system, days)
        for energies in _energies(db, system.system, days):
            known |= energies.keys()
            for name, wh in energies.items():
                sums[name] += wh
    for household in households:
        days = list(days_between(period.first, period.days, zone(household.timezone)))
        for name in MONEY:
            held = archive.numbers(db, "money_daily", household.system, name, days[0].start, days[-1].end)
            sums[name] += sum(held.values())
            known |= {name} if held else set()
    return [*_flows(sums, known), *_money(sums, known, currencies), f"Missing: {'; '.join(missing) or 'nothing'}"]


def _energies(db: sqlite3.Connection, system: str, days: Sequence[LocalDay]) -> Iterator[dict[str, float]]:
    """The energies of each day that is known; with a battery and no meter of the grid, the grid from the intervals."""
    for day in days:
        for _, text in archive.values(db, "energy_daily", system, day.start, day.end):
            row = {name: value for name, value in decode_fields(text).items() if isinstance(value, float)}
            if not (exchange := grid_exchange_of_day(row)):
                sums = of_span(db, system, day.start, day.end)
                exchange = {name: sums[name] for name in GRID if name in sums}
            yield row | exchange


def _flows(sums: Mapping[str, float], known: set[str]) -> Iterator[str]:
    yield f"Produced: {_kwh(sums['produced_wh'])}" if "produced_wh" in known else "Produced: not known"
    if "consumed_wh" in known:
        own = f", {_kwh(sums['self_consumed_wh'])} of it one's own" if "self_consumed_wh" in known else ""
        yield f"Used: {_kwh(sums['consumed_wh'])}{own}"
    if {"imported_wh", "exported_wh"} <= known:
        yield f"Grid: {_kwh(sums['imported_wh'])} bought, {_kwh(sums['exported_wh'])} sold"


def _money(sums: Mapping[str, float], known: set[str], currencies: Collection[str]) -> Iterator[str]:
    if known & set(MONEY) and len(currencies) < 2:
        unit = "".join(f" {name}" for name in currencies)
        yield f"Money: {sums['cost']:,.2f}{unit} paid, {sums['earned']:,.2f} earned, {sums['saved']:,.2f} saved"


def _missing(db: sqlite3.Connection, system: SystemReport, days: Sequence[LocalDay]) -> Iterator[str]:
    begin, end = days[0].start, days[-1].end
    held = archive.numbers(db, "energy_daily", system.system, "produced_wh", begin, end)
    if len(held) < len(days):
        yield f"{system.name}: {many(len(days) - len(held), 'day')} of production"
    gaps = {
        (gap.start, gap.end): gap.reason
        for stream in system.streams
        for gap in stream.gaps
        if gap.start < end and gap.end > begin and gap.reason not in QUIET
    }
    if gaps:
        yield f"{system.name}: {many(len(gaps), 'gap')} ({next(iter(gaps.values()))})"


def _kwh(wh: float) -> str:
    return f"{wh / 1000:,.1f} kWh"
