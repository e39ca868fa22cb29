"""The derived measurements, computed from the points they come from, only where those changed. Pure."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import tzinfo

from ingest.commit.changes import Changes
from ingest.core import audit, derive
from ingest.core.audit import Total
from ingest.core.days import LocalDay, days_of, midnight, month_start, next_month_start
from ingest.core.draft import Touched
from ingest.core.point import Point
from ingest.core.span import Span, Spans, floor_to, intersect
from ingest.enphase.catalogue import DAILY, PRODUCERS, SERIES
from ingest.enphase.streams import BY_NAME, STREAMS
from ingest.enphase.streams.base import EnergyFlow, Stream

MEASURED = {stream.name: stream.flows for stream in STREAMS if stream.flows}
"""The energies from which all is derived, by stream."""
MADE = (
    *{flow.measurement for flows in MEASURED.values() for flow in flows},
    "energy",
    "energy_daily",
    "energy_monthly",
)
"""The measurements that derivation reads and writes."""
BATTERY = tuple({flow.measurement for flows in MEASURED.values() for flow in flows if flow.quantity == "charged_wh"})
"""The measurements of batteries."""


def source_of(changes: Changes, system: str) -> Stream | None:
    """The stream that is this system's production: of the meter if there is one, else of the microinverters.

    None until that is known.
    """
    row = changes.systems.get(system)
    source = row.info.get("production_source") if row else None
    meter, others = PRODUCERS[0], PRODUCERS[1:]
    if source == "meter" or changes.has_points(system, tuple(meter.fields)):
        return meter
    return None if source is None else others[0]


def has_battery(changes: Changes, system: str) -> bool:
    """Whether what goes into a battery and comes out is known of a system, and is part of what its consumption meter
    counts: one of type Total measures the home alone (reference 7.9).
    """
    row = changes.systems.get(system)
    return changes.has_points(system, BATTERY) and not (row and row.info.get("config_type") == "Total")


def sources(changes: Changes, system: str) -> Iterator[tuple[Stream, EnergyFlow]]:
    """The energies that count, each with the stream that measures it: production has one source."""
    source = source_of(changes, system)
    for name, flows in MEASURED.items():
        stream = BY_NAME[name]
        if stream not in PRODUCERS or stream is source:
            yield from ((stream, flow) for flow in flows)


def inputs(changes: Changes, system: str, fresh: Collection[str] = ()) -> set[str]:
    """The measurements that `energy` comes from; `fresh` are those of which points are about to come."""
    metered = next((stream for stream in PRODUCERS if stream.meter and stream.fields.keys() & set(fresh)), None)
    found = {flow.measurement for stream, flow in sources(changes, system) if not metered or stream not in PRODUCERS}
    return found | ({flow.measurement for flow in metered.flows} if metered else set())


def energy(changes: Changes, system: str, touched: Touched | None) -> set[int]:
    """Compute `energy` again where its inputs changed, everywhere when `touched` is None. Returns what changed."""
    metered = {flow.quantity: _metered(changes, system, stream, flow) for stream, flow in sources(changes, system)}
    if touched is None:
        slots = {time for values in metered.values() for time in values}
    else:
        names = inputs(changes, system)
        slots = {floor_to(time, derive.QUARTER) for name in names for time in touched.get(name, ())}
    found = derive.energy(system, slots, metered, has_battery=has_battery(changes, system))
    return changes.points.merge(found).get("energy", set())


def _metered(changes: Changes, system: str, stream: Stream, flow: EnergyFlow) -> dict[int, float]:
    """An energy (Wh) by the quarter of an hour."""
    held = changes.points.numbers(flow.measurement, system, flow.field)
    return held if stream.grain == derive.QUARTER else derive.quarters(held)


def everywhere(changes: Changes, system: str, now: int, settle: int) -> None:
    """Compute everything anew: the source of production or the zone of the system has become known, or another."""
    energy(changes, system, None)
    times = [at for name in derive.QUANTITIES for at in changes.points.numbers("energy", system, name)]
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
        if total is not None and name in fields and not is_battery_in(changes, system, series):
            fields[name] = total.wh if total.final else max(fields[name], total.wh)
    return fields


def is_battery_in(changes: Changes, system: str, series: str) -> bool:
    """Whether a vendor's total includes the battery, which is no use of the home: that of the consumption meter."""
    return SERIES[series].quantity == "consumed_wh" and has_battery(changes, system)


def own_sums(changes: Changes, system: str, wanted: Iterable[LocalDay], settle: int) -> dict[int, dict[str, float]]:
    """Sums of `energy` by field, for each of the days of which what it comes from is settled and there."""
    settled = {flow.quantity: changes.settled(system, stream.name, settle) for stream, flow in sources(changes, system)}
    if has_battery(changes, system):
        settled["consumed_wh"] = _both(settled["consumed_wh"], settled["charged_wh"])
    known = {day: {name for name, read in settled.items() if audit.is_covered(day, read)} for day in wanted}
    if not any(known.values()):
        return {}
    source = source_of(changes, system)
    produced = ByTime(_raw(changes, system, source) if source else {})
    needed = {"self_consumed_wh"}.union(*known.values())
    held = {name: ByTime(changes.points.numbers("energy", system, name)) for name in needed}
    return {
        day.start: derive.day_sums(
            day,
            produced.of(day) if "produced_wh" in names else {},
            {name: held[name].of(day) for name in (*names, "self_consumed_wh")},
        )
        for day, names in known.items()
        if names
    }


def _both(one: Spans, other: Spans) -> Spans:
    return tuple(part for span in other for part in intersect(one, span))


def _raw(changes: Changes, system: str, source: Stream) -> dict[int, float]:
    """The intervals of production as they are measured."""
    (flow,) = source.flows
    return changes.points.numbers(flow.measurement, system, flow.field)


def is_summed(changes: Changes, system: str, day: LocalDay, settle: int) -> bool:
    """Whether anything of a day that sums are made of is settled."""
    return any(audit.is_covered(day, changes.settled(system, stream, settle)) for stream in MEASURED)


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
    held = {name: changes.points.numbers("energy_daily", system, name) for name in derive.QUANTITIES}
    begins = [(midnight(month, local), midnight(next_month_start(month), local)) for month in sorted(months)]
    changes.points.merge(derive.dated(derive.monthly(system, begins, held), local))
