"""The derived measurements, computed in the transaction of the points they come from, only where those changed."""

import sqlite3
from collections.abc import Iterable, Mapping, Set
from datetime import tzinfo

from ingest.core import audit, derive
from ingest.core.audit import Total
from ingest.core.days import LocalDay, days_of, midnight, month_start, next_month_start, zone
from ingest.core.point import Point
from ingest.core.span import NONE, Span, Spans, floor_to
from ingest.enphase.catalogue import DAILY
from ingest.enphase.streams import STREAMS
from ingest.plan import coverage
from ingest.store import archive, daily_totals, progress
from ingest.store.archive import Written

MEASUREMENTS = {stream.name: flow.measurement for stream in STREAMS for flow in stream.flows}
"""The measurements from which all is derived, by stream."""
ENERGY_FIELDS = ("produced_wh", "consumed_wh", "self_consumed_wh")


def zone_of(db: sqlite3.Connection, system: str) -> tzinfo | None:
    """The zone of a system; None until the cloud has told it: without it there are no local days."""
    row = progress.system(db, system)
    return zone(row.timezone) if row and row.timezone else None


def source_of(db: sqlite3.Connection, system: str) -> str | None:
    """The stream that is this system's production: of the meter if there is one, else of the microinverters.

    None until that is known.
    """
    row = progress.system(db, system)
    source = row.info.get("production_source") if row else None
    if source == "meter" or archive.extent(db, "production_rgm", system) is not None:
        return "rgm_stats"
    return None if source is None else "stats"


def energy(db: sqlite3.Connection, system: str, written: Written | None) -> Set[int]:
    """Compute `energy` again where its inputs changed, everywhere when `written` is None. Returns what changed."""
    source = source_of(db, system)
    inputs = [MEASUREMENTS[name] for name in (source, "consumption") if name]
    if written is None:
        spans = [extent for name in inputs if (extent := archive.extent(db, name, system))]
        if not spans:
            return set()
        start, end = min(first for first, _ in spans), max(last for _, last in spans)
        wanted: Iterable[int] | None = None
    else:
        times = {floor_to(time, derive.QUARTER) for name in inputs for time in written.touched.get(name, ())}
        if not times:
            return set()
        start, end, wanted = min(times), max(times), times
    start, end = floor_to(start, derive.QUARTER), end + derive.QUARTER
    produced = _produced(db, system, source, start, end)
    consumed = archive.numbers(db, "consumption", system, "energy_wh", start, end)
    slots = produced.keys() | consumed.keys() if wanted is None else wanted
    return archive.upsert(db, derive.energy(system, slots, produced, consumed)).touched.get("energy", set())


def _produced(db: sqlite3.Connection, system: str, source: str | None, start: int, end: int) -> dict[int, float]:
    if source is None:
        return {}
    if source == "rgm_stats":
        return archive.numbers(db, "production_rgm", system, "energy_wh", start, end)
    return derive.quarters(archive.numbers(db, "production_micro", system, "energy_wh", start, end))


def everywhere(db: sqlite3.Connection, system: str, now: int, settle: int) -> None:
    """Compute everything anew: the source of production or the zone of the system has become known, or another."""
    energy(db, system, None)
    extent = archive.extent(db, "energy", system)
    if extent is not None:
        days(db, system, [Span(extent[0], extent[1] + derive.QUARTER)], now, settle)


def days(db: sqlite3.Connection, system: str, spans: Iterable[Span], now: int, settle: int) -> None:
    """Complete `energy_daily` where `energy` changed or became settled, unless the vendor has a final total.

    Self-consumption is known to us alone; the vendor's totals win once they are final.
    """
    local = zone_of(db, system)
    if local is None:
        return
    found = {day.start: day for span in spans for day in days_of(span, local) if day.end <= now}
    if not found:
        return
    touched = sorted(found.values())
    sums = own_sums(db, system, touched, settle)
    said = {field: _said(db, system, series, touched) for series, field in DAILY.items()}
    points = []
    for day in touched:
        ours = sums.get(day.start, {})
        fields = {field: _better(wh, said.get(field, {}).get(day.date.isoformat())) for field, wh in ours.items()}
        if fields:
            points.append(Point("energy_daily", (("system", system),), day.start, fields))
    write_days(db, system, points, local)


def _said(db: sqlite3.Connection, system: str, series: str, touched: list[LocalDay]) -> dict[str, Total]:
    first, last = touched[0].date.isoformat(), touched[-1].date.isoformat()
    return daily_totals.held(db, system, series, first, last + "~")


def _better(ours: float, said: Total | None) -> float:
    """The vendor's total once it is final; until then the larger one: both grow as data come in."""
    if said is None:
        return ours
    return said.wh if said.final else max(ours, said.wh)


def own_sums(
    db: sqlite3.Connection, system: str, wanted: Iterable[LocalDay], settle: int
) -> dict[int, dict[str, float]]:
    """Sums of `energy` by field, for each of the days of which what it comes from is settled and there."""
    source = source_of(db, system)
    made = settled(db, system, source, settle) if source else NONE
    used = settled(db, system, "consumption", settle)
    found = {}
    for day in wanted:
        is_used, is_made = audit.is_covered(day, used), audit.is_covered(day, made)
        if is_used or is_made:
            found[day.start] = derive.day_sums(
                day,
                _wh(db, MEASUREMENTS[source], system, day) if source and is_made else {},
                _wh(db, "consumption", system, day) if is_used else {},
                archive.numbers(db, "energy", system, "self_consumed_wh", day.start, day.end),
            )
    return found


def _wh(db: sqlite3.Connection, measurement: str, system: str, day: LocalDay) -> dict[int, float]:
    return archive.numbers(db, measurement, system, "energy_wh", day.start, day.end)


def settled(db: sqlite3.Connection, system: str, stream: str, settle: int) -> Spans:
    """What was read of a stream when it was settled."""
    return coverage.covered(progress.coverage_of(db, system, stream), settle)


def write_days(db: sqlite3.Connection, system: str, points: Iterable[Point], local: tzinfo) -> None:
    """Write days of `energy_daily`, and the months that they change."""
    touched = archive.upsert(db, derive.dated(points, local)).touched.get("energy_daily")
    if not touched:
        return
    months = {month_start(day.date) for start in touched for day in days_of(Span(start, start + 1), local)}
    start, end = midnight(min(months), local), midnight(next_month_start(max(months)), local)
    held: Mapping[str, Mapping[int, float]] = {
        name: archive.numbers(db, "energy_daily", system, name, start, end) for name in ENERGY_FIELDS
    }
    begins = [(midnight(month, local), midnight(next_month_start(month), local)) for month in sorted(months)]
    archive.upsert(db, derive.dated(derive.monthly(system, begins, held), local))
