"""What an outcome changes: each verdict has one act. Pure: what it needs was loaded before, and is saved after."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import compress

from ingest.commit import (
    daily_difference,
    daily_totals,
    deferring,
    derived,
    device_rows,
    odd,
    plausible,
    profiles,
    system_rows,
    unfinished,
    withdrawal,
)
from ingest.commit.changes import Changes, Loaded, Sample
from ingest.commit.context import CommitContext
from ingest.core.backoff import LONGEST_PAUSE, backoff
from ingest.core.derive import QUARTER
from ingest.core.draft import Touched
from ingest.core.span import Span, Spans, ceil_to, floor_to, intersect, of_times, subtract
from ingest.core.units import DAY, HOUR, MINUTE
from ingest.enphase.call import Purpose
from ingest.enphase.replies import Kind
from ingest.fetch.worker import TOO_MANY, Outcome
from ingest.plan import coverage, deferrals
from ingest.plan.state import Pair
from ingest.plan.windows import ONE_WINDOW

PAUSES: dict[Kind, tuple[int, int]] = {
    Kind.BUSY: (MINUTE, LONGEST_PAUSE),
    Kind.AHEAD: (MINUTE, LONGEST_PAUSE),
    Kind.EXPIRED: (MINUTE, HOUR),
    Kind.DENIED: (DAY, 7 * DAY),
    Kind.WRONG_KEY: (HOUR, HOUR),
    Kind.GARBLED: (HOUR, DAY),
}
"""First pause of a pair and the longest it doubles to, in seconds."""


def decide(loaded: Loaded, outcome: Outcome, context: CommitContext) -> Changes:
    """All that an outcome changes of the state."""
    changes = Changes(loaded)
    task, kind = outcome.task, outcome.verdict.kind
    pair = changes.pair(*task.pair)
    if pair.floor is None and task.stream.grain and outcome.date_at is not None:
        pair = replace(
            pair, floor=context.floor
        )  # "the last week" is that before we first asked, also if it was in vain
    changes.pairs[task.pair] = unfinished.dropped(pair, _act(changes, pair, outcome, context), outcome)
    if task.is_trial and kind in (Kind.OK, Kind.OUTSIDE, Kind.NOTHING, Kind.GARBLED, Kind.DENIED):
        profiles.reach(changes, outcome, answered=kind is Kind.OK)
    if outcome.body:
        why = outcome.verdict.reason or next((odd.reason for odd in outcome.odd), "")  # of one device of several
        changes.sample = Sample(*task.pair, context.now, why, outcome.body)
    return changes


def _act(changes: Changes, pair: Pair, outcome: Outcome, context: CommitContext) -> Pair:
    kind = outcome.verdict.kind
    if kind is Kind.OK:
        return _ok(changes, pair, outcome, context)
    if kind is Kind.OUTSIDE:
        return _outside(changes, pair, outcome, context)
    if kind is Kind.NOTHING:
        return _nothing(changes, pair, outcome, context.now)
    if _is_of_window(pair, outcome) and not unfinished.may_wait(pair, outcome):
        return deferring.refused(changes, pair, outcome, context.now)
    if kind in PAUSES:
        return _rest(pair, outcome, context.now, *PAUSES[kind])
    return pair


def _is_of_window(pair: Pair, outcome: Outcome) -> bool:
    """Whether the window of an answer in vain may be the trouble: then what is new is asked as ever. A stream that was
    read is only refused as such where a live call is, too.
    """
    kind = outcome.verdict.kind
    may_be = kind in ONE_WINDOW or (kind is Kind.DENIED and pair.asked_at is not None and pair.state != kind.value)
    return may_be and outcome.task.purpose is Purpose.HISTORY


def _rest(pair: Pair, outcome: Outcome, now: int, first: int, longest: int) -> Pair:
    verdict = outcome.verdict
    fails = pair.fails + 1 if pair.state == verdict.kind.value else 1
    return replace(
        pair,
        fails=fails,
        rest_until=now + backoff(first, longest, fails),
        state=verdict.kind.value,
        reason=verdict.reason,
    )


def _ok(changes: Changes, pair: Pair, outcome: Outcome, context: CommitContext) -> Pair:
    task = outcome.task
    touched = changes.take_in(outcome.rows)
    corrected, gained_wh = changes.points.corrections()  # before anything is derived
    odd.remember(changes, plausible.mark_implausible(changes, outcome), context.now)
    is_crowded = system_rows.record_systems(changes, outcome, context)
    failing = deferrals.failing(changes.deferred.get(task.pair, ()))
    cursor = "" if is_crowded else unfinished.cursor(outcome, context.now)
    if task.stream.grain:
        settled = _covered(changes, outcome, touched, context)
        if task.purpose is Purpose.LIVE and not cursor and not task.missed:
            deferring.left_out(changes, pair, outcome, context)
        _derive(changes, outcome, touched, settled, context)
    elif outcome.lifetime is not None:
        system_rows.advance(changes, task.system, outcome.reported_at, context)
        daily_totals.record(changes, outcome, context)
    daily_difference.record(changes, outcome, context.now)
    profiles.learn_daylight(changes, outcome, context.offset)
    system_rows.record_status(changes, outcome, context)
    profiles.serials(changes, task.system, outcome.serials, context.now)
    if outcome.meters is not None:
        profiles.devices(changes, task.system, outcome.meters)
        device_rows.record(changes, outcome, context.now)
    answered = replace(
        pair,
        floor=context.floor if pair.floor is None else min(pair.floor, context.floor),
        rest_until=0,
        cursor=cursor,
        revised=pair.revised + corrected,
        revised_wh=pair.revised_wh + gained_wh,
    )
    if unfinished.is_part(outcome, cursor):
        return answered
    answered.fails, answered.state = 0, ""
    answered.reason = TOO_MANY if is_crowded else outcome.verdict.reason
    answered = _all_answered(changes, answered, outcome, context.now, is_again=bool(intersect(failing, task.window)))
    return answered if outcome.points or outcome.odd else profiles.explain_no_points(changes, answered, task.stream)


def _all_answered(changes: Changes, pair: Pair, outcome: Outcome, now: int, *, is_again: bool) -> Pair:
    """A pair after all calls for a window were made; `is_again` says that some of it had been refused."""
    if outcome.task.purpose is not Purpose.HISTORY:
        return pair if pair.cursor else replace(pair, asked_at=now)
    if outcome.task.missed:
        return deferring.refused(changes, pair, outcome, now)
    # where half of what was refused is answered, the other half is no better for it
    return replace(pair, history_from=0, history_fails=max(0, pair.history_fails - 1) if is_again else 0)


def _outside(changes: Changes, pair: Pair, outcome: Outcome, context: CommitContext) -> Pair:
    """Learn where the cloud's data begin; never above what was already read, which proves it wrong."""
    task, first = outcome.task, outcome.verdict.first_at or 0
    step = task.stream.route("v4").step
    begin = floor_to(first - task.stream.grain, step)
    if task.window.start >= begin:
        begin = ceil_to(first, step)
    oldest = changes.loaded.oldest
    if (oldest is not None and oldest < begin) or begin > context.now:
        return _nothing(changes, pair, outcome, context.now)
    return replace(pair, first_at=begin, fails=0, state="", reason="")


def _nothing(changes: Changes, pair: Pair, outcome: Outcome, now: int) -> Pair:
    if outcome.task.purpose is not Purpose.HISTORY:
        return replace(pair, asked_at=now, fails=0, state="", reason="", cursor="")
    return deferring.refused(changes, pair, outcome, now)


def _derive(changes: Changes, outcome: Outcome, touched: Touched, settled: Spans, context: CommitContext) -> None:
    """Compute what follows from the points that changed, and from the days that are now settled."""
    system = outcome.task.system
    daily_totals.reopen(changes, system, touched)
    if not (touched or settled) or not outcome.task.stream.fields.keys() & derived.inputs(changes, system):
        return
    energy = derived.energy(changes, system, touched)
    changed = of_times(energy, QUARTER)
    derived.days(changes, system, [*changed, *settled], context.now, context.classes.settle)
    withdrawal.withdraw(changes, system, context)


def _covered(changes: Changes, outcome: Outcome, touched: Touched, context: CommitContext) -> Spans:
    """Add what was answered to the coverage, as far as each age class may trust it. Returns what became settled.

    What changed although it had been settled is still changing: it is looked at once more a day later, until a look
    finds nothing new.
    """
    task = outcome.task
    known_to = max(newest(outcome), outcome.reported_at or 0) or None
    is_new = system_rows.advance(changes, task.system, known_to, context)
    log = changes.log(task.system)
    window, seen_at = unfinished.answered(outcome), min(task.begun_at or context.now, context.now)
    known = changes.settled(*task.pair, context.classes.settle)
    read = changes.coverage.get(task.pair, {})
    for age in context.classes.ages:
        span = coverage.trusted(log, seen_at, age, window)
        read = coverage.cover(read, age, Span(span.start, floor_to(span.end, task.stream.grain)))
    changing = _changing(outcome, touched, known)
    changes.coverage[task.pair] = coverage.uncover_class(read, context.classes.look_again, changing)
    later = changes.deferred.get(task.pair, ())
    if later or changing:
        left = deferrals.answered(later, window, context.now)
        changes.deferred[task.pair] = deferrals.defer(left, changing, context.now + DAY)
    if task.purpose is Purpose.LIVE and not task.begun_at:
        profiles.count_probes(changes, task.system, context.now, is_new=is_new)
    return subtract(changes.settled(*task.pair, context.classes.settle), known)


def _changing(outcome: Outcome, touched: Touched, settled: Spans) -> Spans:
    """The changed intervals in what had been settled before."""
    grain, extent = outcome.task.stream.grain, outcome.extent
    if not touched or extent is None or not intersect(settled, Span(extent[0], extent[1] + grain)):
        return ()
    changed = of_times(set[int]().union(*touched.values()), grain)
    return tuple(part for span in changed for part in intersect(settled, span))


def newest(outcome: Outcome) -> int:
    """The end of the newest interval in a reply that any device reported, or in which there is energy; 0 without one.

    It shows how far the cloud knows a system just as the gateway's report does, which may be null, stand still or lie.
    """
    grain, found = outcome.task.stream.grain, 0
    for table in outcome.tables:
        times: Iterable[int] = table.times
        if not all(table.columns.get("devices_reporting", ())):
            names = ["devices_reporting", *(flow.field for flow in outcome.task.stream.flows)]
            told = zip(*(table.columns[name] for name in names if name in table.columns), strict=True)
            times = compress(times, map(any, told))
        found = max(found, max(times, default=-grain) + grain)
    return found
