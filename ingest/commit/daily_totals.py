"""What a reply of daily totals does: charts of the whole life, and days read again that do not agree with it. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from ingest.commit.changes import Changes
from ingest.commit.context import CommitContext
from ingest.commit.derived import ByTime, is_battery_in, own_sums, write_days
from ingest.commit.plausible import most_wh
from ingest.core import audit
from ingest.core.audit import Total
from ingest.core.days import LocalDay, date_at, days_of_life
from ingest.core.draft import Touched
from ingest.core.point import Point
from ingest.core.units import DAY
from ingest.enphase.catalogue import DAILY, SERIES, measured_by
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Lifetime, Stream
from ingest.fetch.worker import Outcome
from ingest.plan import coverage

DayTotals = Sequence[tuple[LocalDay, float]]


def final_until(changes: Changes, system: str, context: CommitContext) -> int:
    """Up to when the cloud has known the system for the settle time: totals of days that ended by then are final."""
    return coverage.edge(changes.log(system), context.now, context.classes.settle) or 0


def said_by(changes: Changes, outcome: Outcome, context: CommitContext) -> Iterator[tuple[str, DayTotals]]:
    """The series of a reply, and their days with what the vendor says of them."""
    life, system = outcome.lifetime, outcome.task.system
    local = changes.zone(system)
    if life is None or life.start is None or local is None:
        return
    log = changes.log(system)
    reported_at = outcome.reported_at or (log[-1].reported_at if log else 0)
    until = context.now if context.until is None else min(context.now, context.until)
    days = days_of_life(life.start, max(map(len, life.series.values())), local)
    for name, values in life.series.items():
        yield name, audit.without_unknown(list(audit.dated(values, days, until)), reported_at)


def record(changes: Changes, outcome: Outcome, context: CommitContext) -> None:
    """Write the daily totals of a reply, and take the days that it gives reason to doubt out of the coverage."""
    life, system = outcome.lifetime, outcome.task.system
    local = changes.zone(system)
    if life is None or local is None:
        return
    final, oldest = final_until(changes, system, context), still_served_from(outcome.task.stream, context)
    for name, totals in said_by(changes, outcome, context):
        recent = [entry for entry in totals if entry[0].start >= oldest]
        after, fresh = remember(changes, system, name, recent, final)
        changes.dropped[system, name] = date_at(oldest, local).isoformat()
        if name in DAILY and is_battery_in(changes, system, name):
            changed = _other_than_held(changes, system, DAILY[name], _own_use(changes, system, totals), final)
            write_days(changes, system, _daily(changes, system, DAILY[name], changed, final, context), local)
        elif name in DAILY:
            changed = _other_than_held(changes, system, DAILY[name], totals, oldest)
            changed += [day for day in recent if day[0] in fresh]
            write_days(changes, system, _daily(changes, system, DAILY[name], changed, final, context), local)
        read = read_days(changes, system, name, recent, context)
        _audit(changes, system, name, {day: after[day] for day, _ in read if is_measured(life, name, day)})


def is_measured(life: Lifetime, series: str, day: LocalDay) -> bool:
    """Whether a total is of what the stream measured: production of before the meter is not the meter's."""
    return series not in life.since or day.date >= life.since[series]


def still_served_from(totals: Stream, context: CommitContext) -> int:
    """From when on the cloud surely still serves the intervals of daily totals: with a day to spare."""
    return context.now - BY_NAME[totals.audited[0]].route(context.version).history + DAY


def _key(system: str, series: str, day: LocalDay) -> tuple[str, str, str]:
    return system, series, day.date.isoformat()


def remember(
    changes: Changes, system: str, series: str, totals: DayTotals, final: int
) -> tuple[Mapping[LocalDay, Total], set[LocalDay]]:
    """Keep what the vendor says; those days are final that ended by `final`. Returns the totals as they are then, and
    the days of which that is new.
    """
    after: dict[LocalDay, Total] = {}
    fresh: set[LocalDay] = set()
    held = changes.totals
    for day, wh in totals:
        key = _key(system, series, day)
        old = held.get(key)
        after[day] = total = audit.seen(old, wh, final=day.end <= final)
        if total is not old:
            held[key] = total
            fresh.add(day)
    return after, fresh


def _other_than_held(
    changes: Changes, system: str, field: str, totals: DayTotals, before: int
) -> list[tuple[LocalDay, float]]:
    """The days that begin before a moment whose total is not what we have of them."""
    held = changes.points.numbers("energy_daily", system, field)
    return [(day, wh) for day, wh in totals if day.start < before and held.get(day.start) != wh]


def _own_use(changes: Changes, system: str, totals: DayTotals) -> DayTotals:
    """Totals of consumption with the battery taken out, of the days of which that is known."""
    charged, discharged = (
        changes.points.numbers("energy_daily", system, name) for name in ("charged_wh", "discharged_wh")
    )
    return [
        (day, wh - charged[day.start] + discharged[day.start])
        for day, wh in totals
        if wh > 0
        and day.start in charged
        and day.start in discharged
        and wh - charged[day.start] + discharged[day.start] >= 0
    ]


def is_unsure(day: LocalDay, wh: float, final: int) -> bool:
    """Whether our own sum of a day may be better than a total: one that is not final yet, or 0, or less."""
    return day.end > final or wh <= 0


def _daily(
    changes: Changes, system: str, field: str, totals: DayTotals, final: int, context: CommitContext
) -> list[Point]:
    """The vendor's totals as points; while one is not final, or is 0, our own sum of the whole day may be better. What
    the system cannot have counts for nothing.
    """
    unsure = [day for day, wh in totals if is_unsure(day, wh, final)]
    ours = own_sums(changes, system, unsure, context.classes.settle)
    tags = (("system", system),)
    most = {length: most_wh(changes, system, length, field) for length in {day.end - day.start for day, _ in totals}}
    return [
        Point("energy_daily", tags, day.start, {field: max(wh, ours.get(day.start, {}).get(field, wh))})
        for day, wh in totals
        if abs(wh) <= most[day.end - day.start]
    ]


def read_days(changes: Changes, system: str, series: str, totals: DayTotals, context: CommitContext) -> DayTotals:
    """The days whose sums can be held against their totals: wholly read, and still here."""
    stream = SERIES[series].stream
    if not stream:
        return []
    read = changes.settled(system, stream, context.classes.settle)
    begin, first = changes.pair(system, stream).first_at or 0, changes.loaded.fixed.get(system, "")
    return [
        (day, wh)
        for day, wh in totals
        if day.start >= begin and audit.is_covered(day, read) and day.date.isoformat() >= first
    ]


def _audit(changes: Changes, system: str, series: str, totals: Mapping[LocalDay, Total]) -> None:
    """Hold days that were read against their totals, where these are open."""
    measured = measured_by(SERIES[series])
    if measured is None:
        return
    stream, (measurement, field) = SERIES[series].stream, measured
    judged = [day for day, total in totals.items() if total.open]
    held = ByTime(changes.points.numbers(measurement, system, field)) if judged else ByTime({})
    for day in judged:
        values = held.of(day).values()
        total, doubted = audit.judge(totals[day], sum(values), len(values))
        if total is not totals[day]:
            changes.totals[_key(system, series, day)] = total
        if doubted:
            changes.coverage[system, stream] = coverage.uncover(changes.coverage[system, stream], day.span)


def reopen(changes: Changes, system: str, touched: Touched) -> None:
    """Days whose intervals have changed are judged again by the next reply."""
    local = changes.zone(system)
    if local is None:
        return
    for series, known in SERIES.items():
        measured = measured_by(known)
        if measured and (times := touched.get(measured[0])):
            first, last = date_at(min(times), local).isoformat(), date_at(max(times), local).isoformat()
            for day, total in changes.totals_of(system, series).items():
                if first <= day <= last and not total.open:
                    changes.totals[system, series, day] = audit.reopened(total)
