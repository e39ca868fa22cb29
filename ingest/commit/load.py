"""Reading what a decision needs, before it is made: a few statements, whatever the outcome."""

import sqlite3
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain

from ingest.commit import daily_totals, derived
from ingest.commit.changes import Changes, Loaded
from ingest.commit.context import CommitContext
from ingest.commit.daily_difference import NIGHTLY
from ingest.commit.derived import MADE, METERED_PRODUCTION, OTHER_PRODUCTION, summed_days
from ingest.commit.system_rows import is_moved, is_size_doubted, merged
from ingest.core import audit
from ingest.core.days import LocalDay, days_of, midnight, month_start, next_month_start
from ingest.core.derive import QUARTER
from ingest.core.point import parse_series, series_key
from ingest.core.series_rows import Rows, differing
from ingest.core.span import Span, Spans, ceil_to, floor_to, union
from ingest.core.units import DAY, NEVER
from ingest.enphase.replies import Kind
from ingest.enphase.streams.base import SystemInfo
from ingest.fetch.worker import Outcome
from ingest.plan.state import Snapshot, SystemRow
from ingest.store import archive, departures, extents
from ingest.store import daily_totals as stored
from ingest.store.archive import Want
from ingest.store.packing import Unpacker

ALWAYS = Span(-NEVER, NEVER)
LONG = ("energy_daily", "energy_monthly")


def load(db: sqlite3.Connection, known: Snapshot, outcome: Outcome, context: CommitContext) -> Loaded:
    """What is known, and the part of the archive that an outcome may touch."""
    task = outcome.task
    if outcome.verdict.kind is Kind.OUTSIDE:
        found = [extents.extent(db, name, task.system) for name in task.stream.fields]
        left = [row.first for row in departures.known(db, [task.system]).values() if row.until]
        return Loaded(known, oldest=min([*left, *(extent[0] for extent in found if extent)], default=None))
    if outcome.verdict.kind is not Kind.OK:
        return Loaded(known)
    systems = list(dict.fromkeys([task.system, *(info.system for info in outcome.systems)]))
    ids = archive.series_of(db, systems)
    now = [*_wants(ids, Span(context.now, context.now + 1), ("system_info",))]
    if task.stream.grain:
        return _of_intervals(db, known, ids, outcome, context, now)
    if outcome.lifetime is not None:
        return _of_totals(db, known, ids, outcome, context)
    moved = {info.system for info in outcome.systems if _is_moved(known, info, context)}
    totals = {key: total for system in moved for key, total in stored.of_system(db, system).items()}
    return Loaded(known, archive.read(db, ids, [*now, *_of_site(ids, outcome, moved, context)]), ids, totals)


def life_of(db: sqlite3.Connection, outcome: Outcome) -> Span | None:
    """From the oldest point to the newest of the device that was asked, where the cloud says that it has none."""
    task = outcome.task
    if outcome.verdict.kind is not Kind.NOTHING or len(task.devices) < 2:
        return None
    series = [(parse_series(key), number) for key, number in archive.series_of(db, [task.system]).items()]
    mine = [
        number
        for (name, tags), number in series
        if name in task.stream.fields and task.device in (value for key, value in tags if key != "system")
    ]
    found = extents.of_series(db, mine) if mine else None
    return Span(*found) if found else None


def _of_intervals(
    db: sqlite3.Connection,
    known: Snapshot,
    ids: Mapping[str, int],
    outcome: Outcome,
    context: CommitContext,
    now: Sequence[Want],
) -> Loaded:
    """The rows that the reply gives anew, and what is needed to derive something of those that it changes."""
    task, grain = outcome.task, outcome.task.stream.grain
    first, last = outcome.extent or (task.window.start, outcome.answered_end - grain)
    span = Span(min(task.window.start, first), max(outcome.answered_end, last + grain))
    draft = Changes(Loaded(known, ids=ids))
    local = draft.zone(task.system)
    days = days_of(span, local) if local else []
    wants = [*now, *_wants(ids, span, task.stream.fields)]
    if days:
        wants += _wants(ids, Span(days[0].start, days[-1].end), ("energy_daily",))
    unpack = Unpacker(db)
    rows = archive.read(db, ids, wants, unpack)
    inputs = derived.inputs(draft, task.system, {table.measurement for table in outcome.tables})
    if task.stream.fields.keys() & inputs:
        spans, months = _to_derive(draft, rows, outcome, inputs, days, context)
        spare = OTHER_PRODUCTION if METERED_PRODUCTION in inputs else frozenset()
        wants = [*months, *_wants_of(ids, spans, {*inputs, "energy"} - spare)]
        _add(rows, archive.read(db, ids, wants, unpack))
        draft = _with_meter(Loaded(known, rows, ids), outcome)
        if spare and not derived.is_metered(draft, task.system, spans):
            _add(rows, archive.read(db, ids, [*_wants_of(ids, spans, spare)], unpack))
    columns = draft.points.columns
    if not days:
        return Loaded(known, rows, ids, columns=columns)
    totals = stored.of_system(db, task.system, days[0].date.isoformat(), days[-1].date.isoformat())
    return Loaded(known, rows, ids, totals, columns=columns)


def _to_derive(
    draft: Changes,
    rows: Mapping[str, Rows],
    outcome: Outcome,
    inputs: Collection[str],
    days: Sequence[LocalDay],
    context: CommitContext,
) -> tuple[Spans, Sequence[Want]]:
    """Of what something is derived of a reply: the quarters of an hour that change; whole days where their sum may
    change, and what is wanted of their months.
    """
    ids, task = draft.loaded.ids, outcome.task
    changing = (
        differing(fresh, rows.get(series_key(name, tags), {}))[0]
        for (name, tags), fresh in outcome.rows.items()
        if name in inputs
    )
    times = sorted(chain.from_iterable(changing))
    changed = Span(floor_to(times[0], QUARTER), ceil_to(times[-1] + 1, QUARTER)) if times else Span(0, 0)
    read = draft.settled(*task.pair, context.classes.settle)
    sums = rows.get(series_key("energy_daily", (("system", task.system),)), {})
    summed = []
    for day in days:
        is_changed = bisect_left(times, day.start) < bisect_left(times, day.end)
        may_settle = day.end <= context.now and not audit.is_covered(day, read)
        if may_settle or (is_changed and (day.end <= context.now or sums.get(day.start))):
            summed.append(day)
    months = Span(0, 0)
    if summed and (local := draft.zone(task.system)):
        months = Span(midnight(month_start(summed[0].date), local), midnight(next_month_start(summed[-1].date), local))
    return union((changed,), (day.span for day in summed)), [*_wants(ids, months, LONG)]


def _with_meter(loaded: Loaded, outcome: Outcome) -> Changes:
    """What is known once the production meter's part of an outcome is taken in."""
    draft = Changes(loaded)
    draft.points.merge_rows({of: rows for of, rows in outcome.rows.items() if of[0] == METERED_PRODUCTION})
    return draft


def _add(rows: dict[str, Rows], more: Mapping[str, Rows]) -> None:
    rows |= {key: {**rows.get(key, {}), **found} for key, found in more.items()}


def _of_totals(
    db: sqlite3.Connection, known: Snapshot, ids: Mapping[str, int], outcome: Outcome, context: CommitContext
) -> Loaded:
    """Every day and month of the system's life, and the intervals of those days that are to be judged."""
    system = outcome.task.system
    series = outcome.lifetime.series if outcome.lifetime else ()
    totals, fixed = stored.of_system(db, system, series=series), departures.days(db, [system])
    draft = Changes(Loaded(known, ids=ids, totals=totals, fixed=fixed))
    final = daily_totals.final_until(draft, system, context)
    spans: list[Span] = []
    oldest = daily_totals.still_served_from(outcome.task.stream, context)
    for name, said in daily_totals.said_by(draft, outcome, context):
        unsure = [day for day, wh in said if daily_totals.is_unsure(day, wh, final)]
        spans += [day.span for day in summed_days(draft, system, unsure, context.classes.settle)]
        recent = [entry for entry in said if entry[0].start >= oldest]
        read = daily_totals.read_days(draft, system, name, recent, context)
        after, _ = daily_totals.remember(draft, system, name, read, final)
        spans += [day.span for day, total in after.items() if total.open]
    wants = [*_wants(ids, ALWAYS, LONG), *_wants(ids, Span(context.now, context.now + 1), ("system_info",))]
    for span in union(spans):
        wants += _wants(ids, span, {*MADE} - {*LONG})
    return Loaded(known, archive.read(db, ids, wants), ids, totals, fixed=fixed)


def _is_moved(known: Snapshot, info: SystemInfo, context: CommitContext) -> bool:
    old = known.systems.get(info.system) or SystemRow(info.system, context.account)
    return is_moved(old, merged(old, info, context)) or is_size_doubted(known.odd, info)


def _of_site(
    ids: Mapping[str, int], outcome: Outcome, moved: Collection[str], context: CommitContext
) -> Iterator[Want]:
    """What is derived, all of it, of systems whose days have moved; and rows of this very moment."""
    now = Span(context.now, context.now + 1)
    if outcome.devices:
        yield from _wants(ids, ALWAYS, ("device",))
    by_system: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for key, number in ids.items():
        by_system[dict(parse_series(key)[1]).get("system", "")][key] = number
    for info in outcome.systems:
        mine = by_system[info.system]
        yield from _wants(mine, now, ("system_info",))
        if info.system in moved:
            yield from _wants(mine, ALWAYS, {*MADE, *NIGHTLY})
    if outcome.extent:
        first, last = outcome.extent
        before = 3 * DAY if outcome.task.stream.daily else 0
        yield from _wants(ids, Span(first - before, last + 1), outcome.task.stream.fields)


def _wants_of(ids: Mapping[str, int], spans: Spans, measurements: Set[str]) -> Iterator[Want]:
    return chain.from_iterable(_wants(ids, span, measurements) for span in spans)


def _wants(ids: Mapping[str, int], span: Span, measurements: Iterable[str]) -> Iterator[Want]:
    wanted = frozenset(measurements)
    numbers: Sequence[int] = [number for key, number in ids.items() if parse_series(key)[0] in wanted]
    if numbers and span.length:
        yield numbers, *span
