"""The derived measurements, computed from the points they come from, only where those changed. Pure."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from datetime import tzinfo
from itertools import chain
from typing import Generic, TypeVar

from ingest.commit.changes import Changes
from ingest.commit.plausible import PRODUCED, most_wh
from ingest.core import audit, derive
from ingest.core.audit import Total
from ingest.core.days import LocalDay, date_at, days_of, midnight, month_start, next_month_start
from ingest.core.draft import Touched
from ingest.core.point import Point, series_key
from ingest.core.series_rows import of_columns
from ingest.core.span import Span, Spans, floor_to, intersect
from ingest.enphase.catalogue import DAILY, PRODUCERS, SERIES
from ingest.enphase.streams import STREAMS
from ingest.enphase.streams.base import EnergyFlow, Stream

T = TypeVar("T")

MEASURED = {stream.name: stream.flows for stream in STREAMS if stream.flows}
"""The energies from which all is derived, by stream."""
NO_PRODUCERS = tuple(stream for stream in STREAMS if stream.flows and stream not in PRODUCERS)
"""The streams of energies other than production."""
MADE = (
    *{flow.measurement for flows in MEASURED.values() for flow in flows},
    "energy",
    "energy_daily",
    "energy_monthly",
)
"""The measurements that derivation reads and writes."""
MICROINVERTERS = "microinverters"
"""The vendor's word for these as the source of production; with any other word a meter counts."""
METERED_PRODUCTION, *_others = [flow.measurement for stream in PRODUCERS for flow in stream.flows]
OTHER_PRODUCTION = frozenset(_others)
"""The measurements of production: that of the meter, and those that count where it does not."""
BATTERY = tuple({flow.measurement for flows in MEASURED.values() for flow in flows if flow.quantity == "charged_wh"})
"""The measurements of batteries."""


def producers(changes: Changes, system: str, fresh: Set[str] = frozenset()) -> tuple[Stream, ...]:
    """The streams whose intervals are this system's production, the best first: the meter, and the microinverters
    where it did not report. Where the cloud names the microinverters as the source, a meter does not count.

    Empty until the source is known. `fresh` are the measurements of which points are about to come.
    """
    row = changes.systems.get(system)
    source = row.info.get("production_source") if row else None
    meter, others = PRODUCERS[0], PRODUCERS[1:]

    def is_there(stream: Stream) -> bool:
        return bool(stream.fields.keys() & fresh) or changes.has_points(system, tuple(stream.fields))

    if source is None and not is_there(meter):
        return ()
    if source != MICROINVERTERS or (is_there(meter) and not any(map(is_there, others))):
        return PRODUCERS
    return others


def has_battery(changes: Changes, system: str) -> bool:
    """Whether what goes into a battery and comes out is known of a system, and is part of what its consumption meter
    counts: one of type Total measures the home alone (reference 7.9).
    """
    row = changes.systems.get(system)
    return changes.has_points(system, BATTERY) and not (row and row.info.get("config_type") == "Total")


def sources(changes: Changes, system: str, fresh: Set[str] = frozenset()) -> Iterator[tuple[Stream, EnergyFlow]]:
    """The energies that count, each with a stream that measures it."""
    for stream in (*NO_PRODUCERS, *producers(changes, system, fresh)):
        for flow in stream.flows:
            yield stream, flow


def inputs(changes: Changes, system: str, fresh: Set[str] = frozenset()) -> set[str]:
    """The measurements that `energy` comes from; `fresh` are those of which points are about to come."""
    return {flow.measurement for _, flow in sources(changes, system, fresh)}


def energy(changes: Changes, system: str, touched: Touched | None) -> Collection[int]:
    """Compute `energy` again where its inputs changed, everywhere when `touched` is None. Returns what changed.

    Of an interval that nothing is left of, or not all, the rest is withdrawn.
    """
    metered = {
        flow.quantity: _by_quarter(stream.grain, _counted(changes, system, stream, flow))
        for stream, flow in sources(changes, system)
        if flow.quantity != PRODUCED
    }
    metered[PRODUCED] = {}
    for grain, counted in _production(changes, system):
        metered[PRODUCED] = {**_by_quarter(grain, counted), **metered[PRODUCED]}
    tags = (("system", system),)
    if touched is None:
        slots = {time for values in metered.values() for time in values}
        slots |= changes.points.rows(series_key("energy", tags)).keys()
    else:
        names = inputs(changes, system)
        slots = {time - time % derive.QUARTER for name in names for time in touched.get(name, ())}
    parts = derive.energy(slots, metered, has_battery=has_battery(changes, system))
    known = [of_columns(quarters.times, quarters.fields) for quarters in parts]
    if len(known) == 1 and len(known[0]) == len(slots):
        return changes.points.replace_rows("energy", tags, known[0])
    rows = dict.fromkeys(sorted(slots), "")
    for some in known:
        rows |= some
    return changes.points.replace_rows("energy", tags, rows)


def produced(changes: Changes, system: str) -> dict[int, tuple[int, float]]:
    """The intervals of production as they count: length (s) and energy (Wh) by their start."""
    parts = _production(changes, system)
    return {time: (grain, energy) for grain, counted in parts for time, energy in counted.items()}


def _production(changes: Changes, system: str) -> Iterator[tuple[int, Mapping[int, float]]]:
    """The same by the length of the intervals, those of the meter first; of others what it does not count."""
    metered: set[int] = set()
    for stream in producers(changes, system):
        counted = _counted(changes, system, stream, *stream.flows)
        if metered:
            counted = {time: wh for time, wh in counted.items() if time - time % derive.QUARTER not in metered}
        yield stream.grain, counted
        metered |= counted.keys() if stream.grain == derive.QUARTER else set()


def is_metered(changes: Changes, system: str, spans: Iterable[Span]) -> bool:
    """Whether the production meter counts in all of some spans: nothing else is then asked for the production."""
    counted = _counted(changes, system, PRODUCERS[0], *PRODUCERS[0].flows)
    quarters = (range(floor_to(span.start, derive.QUARTER), span.end, derive.QUARTER) for span in spans)
    return all(map(counted.__contains__, chain.from_iterable(quarters)))


def _counted(changes: Changes, system: str, stream: Stream, flow: EnergyFlow) -> Mapping[int, float]:
    """An energy (Wh) by the start of its intervals, as it counts: where its meter reported, and no more than likely."""
    found = changes.points.numbers(flow.measurement, system, flow.field)
    most = most_wh(changes, system, stream.grain, flow.quantity)
    silent = _silent(changes, system, stream, flow) if stream.meter else frozenset()
    if not silent and -most <= min(found.values(), default=0.0) and max(found.values(), default=0.0) <= most:
        return found
    return {time: wh for time, wh in found.items() if -most <= wh <= most and time not in silent}


def _silent(changes: Changes, system: str, stream: Stream, flow: EnergyFlow) -> Collection[int]:
    """When no meter reported, or there was none: the 0 that is said of such an interval is no reading. An energy is
    one, whatever is said of the meters.
    """
    measurement = flow.measurement
    rows = changes.points.rows(series_key(measurement, (("system", system),)))
    reporting = changes.points.numbers(measurement, system, "devices_reporting")
    is_any = min(reporting.values(), default=1.0) < 1
    silent = {time for time, number in reporting.items() if number < 1} if is_any else set()
    if len(reporting) < len(rows):
        total = changes.points.numbers(measurement, system, "devices_total")
        silent |= {time for time, number in total.items() if not number and time not in reporting}
    energies = [changes.points.numbers(measurement, system, other.field) for other in stream.flows] if silent else ()
    return {time for time in silent if not any(energy.get(time) for energy in energies)}


def _by_quarter(grain: int, counted: Mapping[int, float]) -> Mapping[int, float]:
    return counted if grain == derive.QUARTER else derive.quarters(counted)


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
    tags = (("system", system),)
    points = [
        Point("energy_daily", tags, start, fields)
        for start, ours in sums.items()
        if (fields := better(changes, system, found[start], ours))
    ]
    write_days(changes, system, points, local)


def better(changes: Changes, system: str, day: LocalDay, ours: Mapping[str, float]) -> dict[str, float]:
    """The vendor's totals once they are final; until then the larger ones: both grow as data come in. A total of 0
    says nothing against a day that was wholly read, nor does one that the system cannot make.
    """
    fields = dict(ours)
    for series, name in DAILY.items():
        total: Total | None = changes.totals.get((system, series, day.date.isoformat()))
        if total is None or name not in fields or is_battery_in(changes, system, series):
            continue
        if abs(total.wh) > most_wh(changes, system, day.end - day.start, name):
            continue
        if total.final and total.wh > 0:
            fields[name] = total.wh
        elif not total.final:
            fields[name] = max(fields[name], total.wh)
    return fields


def is_battery_in(changes: Changes, system: str, series: str) -> bool:
    """Whether a vendor's total includes the battery, which is no use of the home: that of the consumption meter."""
    return SERIES[series].quantity == "consumed_wh" and has_battery(changes, system)


def own_sums(changes: Changes, system: str, wanted: Iterable[LocalDay], settle: int) -> dict[int, dict[str, float]]:
    """Sums of `energy` by field, for each of the days of which what it comes from is settled and there."""
    read_days = summed_days(changes, system, wanted, settle)
    if not read_days:
        return {}
    settled = {
        flow.quantity: changes.settled(system, stream.name, settle)
        for stream, flow in sources(changes, system)
        if flow.quantity != PRODUCED
    }
    if has_battery(changes, system):
        settled["consumed_wh"] = _both(settled["consumed_wh"], settled["charged_wh"])
    made = ByTime(produced(changes, system))
    read = {stream.grain: changes.settled(system, stream.name, settle) for stream in producers(changes, system)}
    known: dict[LocalDay, set[str]] = {}
    for day in read_days:
        grains = {grain for grain, _ in made.of(day).values()}
        whole = bool(grains) and all(audit.is_covered(day, read[grain]) for grain in grains)
        names = {name for name, spans in settled.items() if audit.is_covered(day, spans)}
        known[day] = names | ({PRODUCED} if whole else set())
    if not any(known.values()):
        return {}
    needed = {"self_consumed_wh"}.union(*known.values())
    held = {name: ByTime(changes.points.numbers("energy", system, name)) for name in needed}
    return {
        day.start: derive.day_sums(
            day,
            {time: energy for time, (_, energy) in made.of(day).items()} if PRODUCED in names else {},
            {name: held[name].of(day) for name in (*names, "self_consumed_wh")},
        )
        for day, names in known.items()
        if names
    }


def _both(one: Spans, other: Spans) -> Spans:
    return tuple(part for span in other for part in intersect(one, span))


def summed_days(changes: Changes, system: str, wanted: Iterable[LocalDay], settle: int) -> list[LocalDay]:
    """Those of some days of which anything that sums are made of is settled."""
    read = [spans for stream in MEASURED if (spans := changes.settled(system, stream, settle))]
    return [day for day in wanted if any(audit.is_covered(day, spans) for spans in read)]


class ByTime(Generic[T]):
    """Values in order of time, of which days are cut out."""

    def __init__(self, values: Mapping[int, T]) -> None:
        self._values = values
        self._times = sorted(values)

    def of(self, day: LocalDay) -> dict[int, T]:
        """Those of a day."""
        first, last = bisect_left(self._times, day.start), bisect_left(self._times, day.end)
        return {at: self._values[at] for at in self._times[first:last]}


def write_days(changes: Changes, system: str, points: Iterable[Point], local: tzinfo) -> None:
    """Write days of `energy_daily`, and the months that they change."""
    touched = changes.points.merge(derive.dated(map(derive.counted, points), local)).get("energy_daily")
    if touched:
        write_months(changes, system, touched, local)


def write_months(changes: Changes, system: str, days: Iterable[int], local: tzinfo) -> None:
    """Sum up the months of some days of `energy_daily` that have changed."""
    months = {month_start(date_at(start, local)) for start in days}
    held = {name: changes.points.numbers("energy_daily", system, name) for name in derive.QUANTITIES}
    begins = [(midnight(month, local), midnight(next_month_start(month), local)) for month in sorted(months)]
    changes.points.replace(derive.dated(derive.monthly(system, begins, held), local))


def retire_days(changes: Changes, system: str) -> None:
    """Withdraw the days and months of a system whose zone is another: they began at other midnights."""
    if not changes.has_points(system, ("energy_daily", "energy_monthly")):
        return
    tags = (("system", system),)
    for measurement in ("energy_daily", "energy_monthly"):
        times = list(changes.points.rows(series_key(measurement, tags)))
        changes.points.replace(Point(measurement, tags, time, {}) for time in times)
