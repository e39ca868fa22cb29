"""What an outcome does to the state: each verdict has one act, and all of it is one transaction."""

import sqlite3
from dataclasses import replace

from ingest.commit import derived, profiles
from ingest.commit.context import CommitContext
from ingest.commit.daily_totals import record as record_totals
from ingest.commit.daily_totals import reopen as reopen_totals
from ingest.core.backoff import backoff
from ingest.core.derive import QUARTER
from ingest.core.point import Point, Value
from ingest.core.span import Span, Spans, ceil_to, floor_to, subtract
from ingest.core.units import DAY, HOUR, MINUTE
from ingest.enphase.call import Purpose
from ingest.enphase.replies import Kind
from ingest.enphase.streams.base import SystemInfo
from ingest.fetch.worker import Outcome
from ingest.plan import coverage
from ingest.plan.coverage import Advance
from ingest.plan.planner import LONGEST_PAUSE
from ingest.plan.state import Pair, SystemRow
from ingest.store import archive, daily_totals, ledger, progress
from ingest.store.archive import Written

PAUSES: dict[Kind, tuple[int, int]] = {
    Kind.BUSY: (MINUTE, LONGEST_PAUSE),
    Kind.AHEAD: (MINUTE, LONGEST_PAUSE),
    Kind.EXPIRED: (MINUTE, HOUR),
    Kind.DENIED: (DAY, 7 * DAY),
    Kind.WRONG_KEY: (HOUR, HOUR),
    Kind.GARBLED: (HOUR, DAY),
}
"""First pause of a pair and the longest it doubles to, in seconds."""
HISTORY_PAUSES = {Kind.BUSY: (MINUTE, DAY)}
"""The same, of the history of a pair alone; an hour to a week for what is not listed."""


def record(db: sqlite3.Connection, outcome: Outcome, at: CommitContext) -> Pair:
    """Write an outcome inside the caller's transaction; returns the pair as it stands after."""
    task, kind = outcome.task, outcome.verdict.kind
    if outcome.sent:
        ledger.end(db, outcome.call, at.now, kind.value)
    else:
        ledger.release(db, outcome.call)
    pair = progress.pair(db, task.system, task.stream.name)
    if pair.floor is None and task.stream.grain and outcome.date_at is not None:
        pair = replace(pair, floor=at.floor)  # "the last week" is that before we first asked, also if it was in vain
    if kind is Kind.OK:
        pair = _ok(db, pair, outcome, at)
    elif kind is Kind.OUTSIDE:
        pair = _outside(db, pair, outcome, at)
    elif kind is Kind.NOTHING:
        pair = _nothing(pair, outcome, at.now)
    elif task.purpose is Purpose.HISTORY and kind in (Kind.GARBLED, Kind.BUSY):
        pair = _nothing(pair, outcome, at.now)  # that window may be the trouble, so what is new is asked as ever
    elif kind in PAUSES:
        first, longest = PAUSES[kind]
        pair = _rest(pair, outcome, at.now, first, longest)
    if task.hopes and kind in (Kind.OK, Kind.OUTSIDE, Kind.NOTHING, Kind.GARBLED, Kind.DENIED):
        profiles.reach(db, outcome, answered=kind is Kind.OK)
    if outcome.body:
        reason = outcome.verdict.reason
        progress.keep_sample(db, task.system, task.stream.name, at.now, reason, outcome.body)
    progress.save_pair(db, pair)
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


def _ok(db: sqlite3.Connection, pair: Pair, outcome: Outcome, at: CommitContext) -> Pair:
    task = outcome.task
    written = archive.upsert(db, outcome.points)
    _systems(db, outcome, at)
    if task.stream.grain:
        settled = _covered(db, outcome, at)
        _derive(db, task.system, written, settled, at)
    elif outcome.lifetime is not None:
        _advance(db, task.system, outcome.reported_at, at)
        record_totals(db, outcome, at)
    profiles.light(db, outcome, at.offset)
    if outcome.meters is not None:
        profiles.devices(db, task.system, outcome.meters)
    asked_at = pair.asked_at if task.purpose is Purpose.HISTORY else at.now
    answered = replace(
        pair,
        floor=at.floor if pair.floor is None else min(pair.floor, at.floor),
        asked_at=pair.asked_at if outcome.cursor else asked_at,
        fails=0,
        rest_until=0,
        state="",
        reason="",
        cursor=outcome.cursor,
        revised=pair.revised + written.revised,
    )
    if task.purpose is Purpose.HISTORY:
        answered = replace(answered, history_from=0, history_fails=0)
    return answered if outcome.points else profiles.judged(db, answered, task.stream)


def _outside(db: sqlite3.Connection, pair: Pair, outcome: Outcome, at: CommitContext) -> Pair:
    """Learn where the cloud's data begin; never above what was already read, which proves it wrong."""
    task, first = outcome.task, outcome.verdict.first_at or 0
    step = task.stream.route("v4").step
    begin = floor_to(first - task.stream.grain, step)
    if task.window.start >= begin:
        begin = ceil_to(first, step)
    held = [archive.extent(db, name, task.system) for name in task.stream.fields]
    oldest = min((extent[0] for extent in held if extent), default=begin)
    if oldest < begin or begin > at.now:
        return _nothing(pair, outcome, at.now)
    return replace(pair, first_at=begin, fails=0, state="", reason="")


def _nothing(pair: Pair, outcome: Outcome, now: int) -> Pair:
    if outcome.task.purpose is not Purpose.HISTORY:
        return replace(pair, asked_at=now, fails=0, state="", reason="", cursor="")
    fails = pair.history_fails + 1
    first, longest = HISTORY_PAUSES.get(outcome.verdict.kind, (HOUR, 7 * DAY))
    return replace(pair, history_fails=fails, history_from=now + backoff(first, longest, fails))


def _derive(db: sqlite3.Connection, system: str, written: Written, settled: Spans, at: CommitContext) -> None:
    """Compute what follows from the points that changed, and from the days that are now settled."""
    touched = derived.energy(db, system, written)
    changed = [Span(min(touched), max(touched) + QUARTER)] if touched else []
    derived.days(db, system, [*changed, *settled], at.now, at.classes.settle)
    reopen_totals(db, system, written, at.now)


def _advance(db: sqlite3.Connection, system: str, known_to: int | None, at: CommitContext) -> bool:
    """Note how far the cloud knows a system; True when that is news."""
    if known_to is None:
        return False
    news = progress.advance(db, system, Advance(at.now, min(known_to, at.now)), at.classes.look_again + DAY)
    profiles.looked(db, system, at.now, news=news)
    return news


def _covered(db: sqlite3.Connection, outcome: Outcome, at: CommitContext) -> Spans:
    """Add what was answered to the coverage, as far as each age class may trust it. Returns what became settled."""
    task = outcome.task
    known_to = outcome.reported_at
    if known_to is None and not progress.log_of(db, task.system):
        known_to = max((point.time + task.stream.grain for point in outcome.points), default=None)
    news = _advance(db, task.system, known_to, at)
    log = progress.log_of(db, task.system)
    window = Span(task.window.start, outcome.answered_end)
    known = derived.settled(db, task.system, task.stream.name, at.classes.settle)
    for age in at.classes.ages:
        span = coverage.trusted(log, at.now, age, window)
        progress.cover(db, task.system, task.stream.name, age, Span(span.start, floor_to(span.end, task.stream.grain)))
    settled = derived.settled(db, task.system, task.stream.name, at.classes.settle)
    if task.purpose is Purpose.LIVE:
        profiles.silence(db, task.system, at.now, news=news)
    return subtract(settled, known)


def _systems(db: sqlite3.Connection, outcome: Outcome, at: CommitContext) -> None:
    """Remember what was said of systems, and write `system_info` for each."""
    for info in outcome.systems:
        row = progress.system(db, info.system) or SystemRow(info.system, at.account)
        old = row
        if at.accounts and row.account not in at.accounts:
            row = replace(row, account=at.account)  # its account was renamed, or left the configuration
        row = _merged(row, info)
        progress.save_system(db, row)
        _advance(db, info.system, info.reported_at, at)
        archive.upsert(db, [Point("system_info", (("system", info.system),), at.now, row.info)])
        if row.timezone != old.timezone:
            daily_totals.clear(db, info.system)
        if (row.timezone, row.info.get("production_source")) != (old.timezone, old.info.get("production_source")):
            derived.everywhere(db, info.system, at.now, at.classes.settle)
    if outcome.operational_at is not None:
        row = progress.system(db, outcome.task.system) or SystemRow(outcome.task.system, at.account)
        if row.operational_at != outcome.operational_at:
            progress.save_system(db, replace(row, operational_at=outcome.operational_at))


def _merged(row: SystemRow, info: SystemInfo) -> SystemRow:
    fields: dict[str, Value] = {"label": f"System {info.system} ({info.system})"} | row.info | dict(info.fields)
    return replace(
        row,
        name=info.name or row.name,
        timezone=info.timezone or row.timezone,
        operational_at=info.operational_at or row.operational_at,
        info=fields,
    )
