"""The derived measurements, computed from the points they come from, only where those changed. Pure."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from datetime import tzinfo

from ingest.commit.changes import Changes
from ingest.core import audit, derive
from ingest.core.audit import Total
from ingest.core.days import LocalDay, days_of, midnight, month_start, next_month_start
from ingest.core.draft import Touched
from ingest.core.point import Point
from ingest.core.span import NONE, Span, floor_to
from ingest.enphase.catalogue import DAILY
from ingest.enphase.streams import STREAMS

MEASUREMENTS = {stream.name: flow.measurement for stream in STREAMS for flow in stream.flows}
"""The measurements from which all is derived, by stream."""
ENERGY_FIELDS = ("produced_wh", "consumed_wh", "self_consumed_wh")
MADE = (*MEASUREMENTS.values(), "energy", "energy_daily", "energy_monthly")
"""The measurements that derivation reads and writes."""


def source_of(changes: Changes, system: str) -> str | None:
    """The stream that is this system's production: of the meter if there is one, else of the microinverters.

    None until that is known.
    """
    row = changes.systems.get(system)
    source = row.info.get("production_source") if row else None
    if source == "meter" or changes.has_points(system, ("production_rgm",)):
        return "rgm_stats"
    return None if source is None else "stats"


def inputs(changes: Changes, system: str, fresh: Collection[str] = ()) -> set[str]:
    """The measurements that `energy` comes from; `fresh` are those of which points are about to come."""
    source = "rgm_stats" if "production_rgm" in fresh else source_of(changes, system)
    return {MEASUREMENTS[name] for name in (source, "consumption") if name}


def energy(changes: Changes, system: str, touched: Touched | None) -> set[int]:
    """Compute `energy` again where its inputs changed, everywhere when `touched` is None. Returns what changed."""
    source = source_of(changes, system)
    produced, consumed = _produced(changes, system, source), changes.points.numbers("consumption", system, "energy_wh")
    if touched is None:
        slots: Iterable[int] = produced.keys() | consumed.keys()
    else:
        names = inputs(changes, system)
        slots = {floor_to(time, derive.QUARTER) for name in names for time in touched.get(name, ())}
    return changes.points.merge(derive.energy(system, slots, produced, consumed)).get("energy", set())


def _produced(changes: Changes, system: str, source: str | None) -> dict[int, float]:
    if source is None:
        return {}
    held = changes.points.numbers(MEASUREMENTS[source], system, "energy_wh")
    return held if source == "rgm_stats" else derive.quarters(held)


def everywhere(changes: Changes, system: str, now: int, settle: int) -> None:
    """Compute everything anew: the source of production or the zone of the system has become known, or another."""
    energy(changes, system, None)
    times = [at for name in ENERGY_FIELDS for at in changes.points.numbers("energy", system, name)]
    if times:
        days(changes, system, [Span(min(times), max(times) + derive.QUARTER)], now, settle)


def days(changes: Changes, system: str, spans: Iterable[Span], now: int, settle: int) -> None:
    """Complete `energy_daily` where `energy` changed or became settled, unless the vendor has a final total.

    Self-consumption is known to us alone; the vendor's totals win once they are final.
    """
    local = changes.zone(system)
    if local is None:
        return
    found = {day.start: day for span in spans for day in days_of(span, local) if day.end <= now}
    sums = own_sums(changes, system, sorted(found.values()), settle)
    points = [
        Point("energy_daily", (("system", system),), start, _better(changes, system, found[start], ours))
        for start, ours in sums.items()
        if ours
    ]
    write_days(changes, system, points, local)


def _better(changes: Changes, system: str, day: LocalDay, ours: Mapping[str, float]) -> dict[str, float]:
    """The vendor's totals once they are final; until then the larger ones: both grow as data come in."""
    fields = dict(ours)
    for series, name in DAILY.items():
        total: Total | None = changes.totals.get((system, series, day.date.isoformat()))
        if total is not None and name in fields:
            fields[name] = total.wh if total.final else max(fields[name], total.wh)
    return fields


def own_sums(changes: Changes, system: str, wanted: Iterable[LocalDay], settle: int) -> dict[int, dict[str, float]]:
    """Sums of `energy` by field, for each of the days of which what it comes from is settled and there."""
    source = source_of(changes, system)
    made = changes.settled(system, source, settle) if source else NONE
    used = changes.settled(system, "consumption", settle)
    known = [
        (day, is_made, is_used)
        for day in wanted
        if (is_made := audit.is_covered(day, made)) | (is_used := audit.is_covered(day, used))
    ]
    if not known:
        return {}
    produced = ByTime(changes.points.numbers(MEASUREMENTS[source], system, "energy_wh") if source else {})
    consumed = ByTime(changes.points.numbers("consumption", system, "energy_wh"))
    own = ByTime(changes.points.numbers("energy", system, "self_consumed_wh"))
    return {
        day.start: derive.day_sums(
            day, produced.of(day) if is_made else {}, consumed.of(day) if is_used else {}, own.of(day)
        )
        for day, is_made, is_used in known
    }


def is_summed(changes: Changes, system: str, day: LocalDay, settle: int) -> bool:
    """Whether anything of a day that sums are made of is settled."""
    return any(audit.is_covered(day, changes.settled(system, stream, settle)) for stream in MEASUREMENTS)


class ByTime:
    """Numbers in order of time, of which days are cut out."""

    def __init__(self, values: Mapping[int, float]) -> None:
        self._values = values
        self._times = sorted(values)

    def of(self, day: LocalDay) -> dict[int, float]:
        """Those of a day."""
        first, last = bisect_left(self._times, day.start), bisect_left(self._times, day.end)
        return {at: self._values[at] for at in self._times[first:last]}


def write_days(changes: Changes, system: str, points: Iterable[Point], local: tzinfo) -> None:
    """Write days of `energy_daily`, and the months that they change."""
    touched = changes.points.merge(derive.dated(points, local)).get("energy_daily")
    if not touched:
        return
    months = {month_start(day.date) for start in touched for day in days_of(Span(start, start + 1), local)}
    held = {name: changes.points.numbers("energy_daily", system, name) for name in ENERGY_FIELDS}
    begins = [(midnight(month, local), midnight(next_month_start(month), local)) for month in sorted(months)]
    changes.points.merge(derive.dated(derive.monthly(system, begins, held), local))
