"""Reading what a decision needs, before it is made: a few statements, whatever the outcome."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ingest.commit import daily_totals, derived
from ingest.commit.changes import Changes, Loaded
from ingest.commit.context import CommitContext
from ingest.commit.derived import MADE, is_summed
from ingest.commit.sites import is_moved, merged
from ingest.core.days import days_of, midnight, month_start, next_month_start
from ingest.core.derive import QUARTER
from ingest.core.point import parse_series
from ingest.core.span import Span, ceil_to, floor_to, union
from ingest.core.units import DAY
from ingest.enphase.replies import Kind
from ingest.enphase.streams.base import SystemInfo
from ingest.fetch.worker import Outcome
from ingest.plan.state import Snapshot, SystemRow
from ingest.store import archive, extents
from ingest.store import daily_totals as stored
from ingest.store.archive import Want

ALWAYS = Span(-(2**62), 2**62)
LONG = ("energy_daily", "energy_monthly")


def load(db: sqlite3.Connection, known: Snapshot, outcome: Outcome, at: CommitContext) -> Loaded:
    """What is known, and the part of the archive that an outcome may touch."""
    task = outcome.task
    if outcome.verdict.kind is Kind.OUTSIDE:
        found = [extents.extent(db, name, task.system) for name in task.stream.fields]
        return Loaded(known, oldest=min((extent[0] for extent in found if extent), default=None))
    if outcome.verdict.kind is not Kind.OK:
        return Loaded(known)
    systems = list(dict.fromkeys([task.system, *(info.system for info in outcome.systems)]))
    ids = archive.series_of(db, systems)
    now = [*_wants(ids, Span(at.now, at.now + 1), ("system_info",))]
    if task.stream.grain:
        return _of_intervals(db, known, ids, outcome, now)
    if outcome.lifetime is not None:
        return _of_totals(db, known, ids, outcome, at)
    moved = [info.system for info in outcome.systems if _is_moved(known, info, at)]
    totals = {key: total for system in moved for key, total in stored.of_system(db, system).items()}
    return Loaded(known, archive.read(db, ids, [*now, *_of_site(known, ids, outcome, at)]), ids, totals)


def _of_intervals(
    db: sqlite3.Connection, known: Snapshot, ids: Mapping[str, int], outcome: Outcome, now: Sequence[Want]
) -> Loaded:
    """The rows that the reply gives anew; where anything is derived of them, their local days and months."""
    task, grain = outcome.task, outcome.task.stream.grain
    times = [point.time for point in outcome.points]
    span = Span(min([task.window.start, *times]), max([outcome.answered_end, *(time + grain for time in times)]))
    draft = Changes(Loaded(known, ids=ids))
    inputs = derived.inputs(draft, task.system, {point.measurement for point in outcome.points})
    local = draft.zone(task.system)
    days = days_of(span, local) if local else []
    wants = [*now, *_wants(ids, span, task.stream.fields.keys() - inputs)]
    if task.stream.fields.keys() & inputs:
        quarters = Span(floor_to(span.start, QUARTER), ceil_to(span.end, QUARTER))
        whole = Span(days[0].start, days[-1].end) if days else quarters
        wants += _wants(ids, whole, {*inputs, "energy"})
    if not local or not days:
        return Loaded(known, archive.read(db, ids, wants), ids)
    if task.stream.fields.keys() & inputs:
        months = Span(midnight(month_start(days[0].date), local), midnight(next_month_start(days[-1].date), local))
        wants += _wants(ids, months, LONG)
    totals = stored.of_system(db, task.system, days[0].date.isoformat(), days[-1].date.isoformat())
    return Loaded(known, archive.read(db, ids, wants), ids, totals)


def _of_totals(
    db: sqlite3.Connection, known: Snapshot, ids: Mapping[str, int], outcome: Outcome, at: CommitContext
) -> Loaded:
    """Every day and month of the system's life, and the intervals of those days that are to be judged."""
    system = outcome.task.system
    totals = stored.of_system(db, system)
    draft = Changes(Loaded(known, ids=ids, totals=totals))
    final = daily_totals.final_until(draft, system, at)
    spans: list[Span] = []
    for series, said in daily_totals.said_by(draft, outcome, at):
        unsure = [day for day, wh in said if daily_totals.is_unsure(day, wh, final)]
        spans += [day.span for day in unsure if is_summed(draft, system, day, at.classes.settle)]
        oldest = daily_totals.still_served_from(outcome.task.stream, at)
        recent = [entry for entry in said if entry[0].start >= oldest]
        after = daily_totals.seen(draft, system, series, recent, final)
        spans += [day.span for day in daily_totals.to_judge(draft, system, series, after, at)]
    wants = [*_wants(ids, ALWAYS, LONG), *_wants(ids, Span(at.now, at.now + 1), ("system_info",))]
    for span in union(spans):
        wants += _wants(ids, span, {*MADE} - {*LONG})
    return Loaded(known, archive.read(db, ids, wants), ids, totals)


def _is_moved(known: Snapshot, info: SystemInfo, at: CommitContext) -> bool:
    old = known.systems.get(info.system) or SystemRow(info.system, at.account)
    return is_moved(old, merged(old, info, at))


def _of_site(known: Snapshot, ids: Mapping[str, int], outcome: Outcome, at: CommitContext) -> Iterator[Want]:
    """What is derived, all of it, of systems whose days move; and rows of this very moment."""
    now = Span(at.now, at.now + 1)
    if outcome.devices:
        yield from _wants(ids, ALWAYS, ("device",))
    for info in outcome.systems:
        mine = {key: number for key, number in ids.items() if ("system", info.system) in parse_series(key)[1]}
        yield from _wants(mine, now, ("system_info",))
        if _is_moved(known, info, at):
            yield from _wants(mine, ALWAYS, MADE)
    times = [point.time for point in outcome.points]
    if times:
        before = 3 * DAY if outcome.task.stream.daily else 0
        yield from _wants(ids, Span(min(times) - before, max(times) + 1), outcome.task.stream.fields)


def _wants(ids: Mapping[str, int], span: Span, measurements: Iterable[str]) -> Iterator[Want]:
    wanted = frozenset(measurements)
    numbers: Sequence[int] = [number for key, number in ids.items() if parse_series(key)[0] in wanted]
    if numbers and span.length:
        yield numbers, *span
