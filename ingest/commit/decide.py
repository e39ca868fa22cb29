"""What an outcome changes: each verdict has one act. Pure: what it needs was loaded before, and is saved after."""

from dataclasses import replace

from ingest.commit import (
    daily_difference,
    daily_totals,
    deferring,
    derived,
    device_rows,
    odd,
    plausible,
    profiles,
    withdrawal,
)
from ingest.commit.changes import Changes, Loaded, Sample
from ingest.commit.context import CommitContext
from ingest.core.backoff import backoff
from ingest.core.days import zone
from ingest.core.derive import QUARTER
from ingest.core.draft import Touched
from ingest.core.point import Point, Value
from ingest.core.span import Span, Spans, ceil_to, floor_to, intersect, subtract, union
from ingest.core.units import DAY, HOUR, MINUTE
from ingest.enphase import catalogue
from ingest.enphase.call import Purpose
from ingest.enphase.replies import Kind
from ingest.enphase.streams.base import Scope, SystemInfo
from ingest.fetch.worker import MOST_SYSTEMS, TOO_MANY, Outcome
from ingest.plan import coverage, deferrals
from ingest.plan.coverage import Advance
from ingest.plan.planner import LONGEST_PAUSE
from ingest.plan.state import Pair, SystemRow

PAUSES: dict[Kind, tuple[int, int]] = {
    Kind.BUSY: (MINUTE, LONGEST_PAUSE),
    Kind.AHEAD: (MINUTE, LONGEST_PAUSE),
    Kind.EXPIRED: (MINUTE, HOUR),
    Kind.DENIED: (DAY, 7 * DAY),
    Kind.WRONG_KEY: (HOUR, HOUR),
    Kind.GARBLED: (HOUR, DAY),
}
"""First pause of a pair and the longest it doubles to, in seconds."""


def decide(loaded: Loaded, outcome: Outcome, at: CommitContext) -> Changes:
    """All that an outcome changes of the state."""
    changes = Changes(loaded)
    task, kind = outcome.task, outcome.verdict.kind
    pair = changes.pair(*task.pair)
    if pair.floor is None and task.stream.grain and outcome.date_at is not None:
        pair = replace(pair, floor=at.floor)  # "the last week" is that before we first asked, also if it was in vain
    changes.pairs[task.pair] = _act(changes, pair, outcome, at)
    if task.hopes and kind in (Kind.OK, Kind.OUTSIDE, Kind.NOTHING, Kind.GARBLED, Kind.DENIED):
        profiles.reach(changes, outcome, answered=kind is Kind.OK)
    if outcome.body:
        changes.sample = Sample(*task.pair, at.now, outcome.verdict.reason, outcome.body)
    return changes


def _act(changes: Changes, pair: Pair, outcome: Outcome, at: CommitContext) -> Pair:
    kind = outcome.verdict.kind
    if kind is Kind.OK:
        return _ok(changes, pair, outcome, at)
    if kind is Kind.OUTSIDE:
        return _outside(changes, pair, outcome, at)
    if kind is Kind.NOTHING:
        return _nothing(changes, pair, outcome, at.now)
    if outcome.task.purpose is Purpose.HISTORY and kind in (Kind.GARBLED, Kind.BUSY):
        # that window may be the trouble: what is new is asked as ever
        return deferring.refused(changes, pair, outcome, at.now)
    if kind in PAUSES:
        return _rest(pair, outcome, at.now, *PAUSES[kind])
    return pair


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


def _ok(changes: Changes, pair: Pair, outcome: Outcome, at: CommitContext) -> Pair:
    task = outcome.task
    touched = changes.points.merge(outcome.points)
    revised = changes.points.revised - changes.points.completed
    odd.remember(changes, plausible.judged(changes, outcome), at.now)
    is_crowded = _systems(changes, outcome, at)
    is_again = bool(intersect(deferrals.failing(changes.deferred.get(task.pair, ())), task.window))
    if task.stream.grain:
        settled = _covered(changes, outcome, touched, at)
        if task.purpose is Purpose.LIVE:
            deferring.left_out(changes, pair, outcome, at)
        _derive(changes, outcome, touched, settled, at)
    elif outcome.lifetime is not None:
        _advance(changes, task.system, outcome.reported_at, at)
        daily_totals.record(changes, outcome, at)
    daily_difference.record(changes, outcome, at.now)
    profiles.light(changes, outcome, at.offset)
    _meta(changes, outcome, at)
    if outcome.meters is not None:
        profiles.devices(changes, task.system, outcome.meters)
        device_rows.record(changes, outcome, at.now)
    asked_at = pair.asked_at if task.purpose is Purpose.HISTORY else at.now
    answered = replace(
        pair,
        floor=at.floor if pair.floor is None else min(pair.floor, at.floor),
        asked_at=pair.asked_at if outcome.cursor else asked_at,
        fails=0,
        rest_until=0,
        state="",
        reason=TOO_MANY if is_crowded else outcome.verdict.reason,
        cursor=task.following(outcome.cursor) if outcome.cursor and not is_crowded else "",
        revised=pair.revised + revised,
    )
    if task.purpose is Purpose.HISTORY:
        # where half of what was refused is answered, the other half is no better for it
        fails = max(0, pair.history_fails - 1) if is_again else 0
        answered = replace(answered, history_from=0, history_fails=fails)
    return answered if outcome.points or outcome.odd else profiles.judged(changes, answered, task.stream)


def _outside(changes: Changes, pair: Pair, outcome: Outcome, at: CommitContext) -> Pair:
    """Learn where the cloud's data begin; never above what was already read, which proves it wrong."""
    task, first = outcome.task, outcome.verdict.first_at or 0
    step = task.stream.route("v4").step
    begin = floor_to(first - task.stream.grain, step)
    if task.window.start >= begin:
        begin = ceil_to(first, step)
    oldest = changes.loaded.oldest
    if (oldest is not None and oldest < begin) or begin > at.now:
        return _nothing(changes, pair, outcome, at.now)
    return replace(pair, first_at=begin, fails=0, state="", reason="")


def _nothing(changes: Changes, pair: Pair, outcome: Outcome, now: int) -> Pair:
    if outcome.task.purpose is not Purpose.HISTORY:
        return replace(pair, asked_at=now, fails=0, state="", reason="", cursor="")
    return deferring.refused(changes, pair, outcome, now)


def _derive(changes: Changes, outcome: Outcome, touched: Touched, settled: Spans, at: CommitContext) -> None:
    """Compute what follows from the points that changed, and from the days that are now settled."""
    system = outcome.task.system
    daily_totals.reopen(changes, system, touched)
    if not outcome.task.stream.fields.keys() & derived.inputs(changes, system):
        return
    energy = derived.energy(changes, system, touched)
    changed = [Span(min(energy), max(energy) + QUARTER)] if energy else []
    derived.days(changes, system, [*changed, *settled], at.now, at.classes.settle)
    withdrawal.withdraw(changes, system, at)


def _advance(changes: Changes, system: str, known_to: int | None, at: CommitContext) -> bool:
    """Note how far the cloud knows a system; True when that is news."""
    if known_to is None:
        return False
    old = changes.log(system)
    log = coverage.advanced(old, Advance(at.now, min(known_to, at.now)), at.classes.look_again + DAY)
    if news := log is not old:
        changes.logs[system] = log
    profiles.looked(changes, system, at.now, news=news)
    return news


def _covered(changes: Changes, outcome: Outcome, touched: Touched, at: CommitContext) -> Spans:
    """Add what was answered to the coverage, as far as each age class may trust it. Returns what became settled.

    What changed although it had been settled is still changing: it is looked at once more a day later, until a look
    finds nothing new.
    """
    task = outcome.task
    known_to = max(newest(outcome), outcome.reported_at or 0) or None
    news = _advance(changes, task.system, known_to, at)
    log = changes.log(task.system)
    window = Span(task.window.start, outcome.answered_end)
    known = changes.settled(*task.pair, at.classes.settle)
    read = changes.coverage.get(task.pair, {})
    for age in at.classes.ages:
        span = coverage.trusted(log, at.now, age, window)
        read = coverage.cover(read, age, Span(span.start, floor_to(span.end, task.stream.grain)))
    changing = _changing(task.stream.grain, touched, known)
    changes.coverage[task.pair] = coverage.uncover_class(read, at.classes.look_again, changing)
    later = changes.deferred.get(task.pair, ())
    if later or changing:
        changes.deferred[task.pair] = deferrals.defer(deferrals.answered(later, window, at.now), changing, at.now + DAY)
    if task.purpose is Purpose.LIVE:
        profiles.silence(changes, task.system, at.now, news=news)
    return subtract(changes.settled(*task.pair, at.classes.settle), known)


def _changing(grain: int, touched: Touched, settled: Spans) -> Spans:
    """The changed intervals in what had been settled before."""
    changed = union(Span(time, time + grain) for times in touched.values() for time in times)
    return tuple(part for span in changed for part in intersect(settled, span))


def newest(outcome: Outcome) -> int:
    """The end of the newest interval in a reply that any device reported; 0 without one.

    It shows how far the cloud knows a system just as the gateway's report does, which may be null, stand still or lie.
    """
    ends = (
        point.time + outcome.task.stream.grain
        for point in outcome.points
        if point.fields.get("devices_reporting", 1.0) != 0.0
    )
    return max(ends, default=0)


def _systems(changes: Changes, outcome: Outcome, at: CommitContext) -> bool:
    """Remember what was said of systems, and write `system_info` for each; True when an account has too many."""
    room = _room(changes, outcome, at)
    for info in outcome.systems:
        if info.system not in changes.systems:
            room -= 1
            if room < 0:
                continue
        old = changes.systems.get(info.system) or SystemRow(info.system, at.account)
        row = merged(old, info, at)
        changes.systems[info.system] = row
        _advance(changes, info.system, info.reported_at, at)
        changes.points.merge([Point("system_info", (("system", info.system),), at.now, row.info)])
        if _zone_of(row) != _zone_of(old):
            _forget_days(changes, info.system)
        if is_moved(old, row):
            withdrawal.recompute(changes, info.system, at)
    if outcome.operational_at is not None:
        system = outcome.task.system
        row = changes.systems.get(system) or SystemRow(system, at.account)
        if row.operational_at != outcome.operational_at:
            changes.systems[system] = replace(row, operational_at=outcome.operational_at)
    return room < 0


def _room(changes: Changes, outcome: Outcome, at: CommitContext) -> int:
    """How many more systems an account may have; counted only where some are new."""
    if all(info.system in changes.systems for info in outcome.systems):
        return 0
    return max(0, MOST_SYSTEMS - sum(row.account == at.account for row in changes.systems.values()))


def _meta(changes: Changes, outcome: Outcome, at: CommitContext) -> None:
    """Take in what any reply says of its system in passing: another status at once, the rest where the system is
    written anyway.
    """
    row, now = changes.systems.get(outcome.task.system), at.now
    said = {"status": outcome.status, "last_energy_at": outcome.energy_at}
    fresh = {name: float(value) if name != "status" else str(value) for name, value in said.items() if value}
    if row is None or outcome.systems or {**row.info, **fresh} == row.info:
        return
    info = {**row.info, **fresh}
    is_news = info.get("status") != row.info.get("status") and outcome.task.purpose is not Purpose.HISTORY
    if is_news or row.system in changes.systems.maps[0]:
        changes.systems[row.system] = replace(row, info=info)
    if is_news:
        changes.points.merge([Point("system_info", (("system", row.system),), now, info)])


def is_moved(old: SystemRow, row: SystemRow) -> bool:
    """Whether all that is derived of a system must be computed anew: its zone, its size or its meters are others."""
    names = ("production_source", "config_type", "size_w")
    return _zone_of(row) != _zone_of(old) or any(row.info.get(name) != old.info.get(name) for name in names)


def _zone_of(row: SystemRow) -> str:
    """The zone in which the days of a system are cut: its own, as far as this machine knows it."""
    known = zone(row.timezone).key if row.timezone else ""
    return known if row.profile.zone is None else row.profile.zone


def _forget_days(changes: Changes, system: str) -> None:
    """The days of a system have moved: what was said of the old ones is void, and is asked for again."""
    changes.forget_totals(system)
    derived.retire_days(changes, system)
    for stream in catalogue.of_scope(Scope.TOTALS):
        if (system, stream.name) in changes.pairs:
            changes.pairs[system, stream.name] = replace(changes.pair(system, stream.name), asked_at=None)


def merged(row: SystemRow, info: SystemInfo, at: CommitContext) -> SystemRow:
    """A system after the cloud said something of it."""
    fields: dict[str, Value] = {"label": f"System {info.system} ({info.system})"} | row.info | dict(info.fields)
    lost = at.accounts and row.account not in at.accounts  # its account was renamed, or left the configuration
    timezone = info.timezone or row.timezone
    return replace(
        row,
        profile=replace(row.profile, zone=zone(timezone).key if timezone else ""),
        account=at.account if lost else row.account,
        name=info.name or row.name,
        timezone=timezone,
        operational_at=info.operational_at or row.operational_at,
        info=fields,
    )
