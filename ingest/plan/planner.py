"""Which calls to make next, and when: pure subtraction over coverage, within an allowance.

Live calls keep the charts fresh: one window from the oldest unsettled instant to now, just after an upload. History
calls fill what live windows cannot reach: new history wanted, gaps, and the second look at data four days old. Both
look the same to the cloud, and a re-read rides in a live call wherever it fits.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from ingest.core.span import Span, Spans, intersect, total, union
from ingest.core.units import DAY, NEVER
from ingest.enphase.call import Purpose, Task, unfinished
from ingest.enphase.streams.base import Scope
from ingest.plan.night import night_at
from ingest.plan.pacing import EVEN, Factors, rest_at
from ingest.plan.rhythm import look_from, next_look
from ingest.plan.windows import (
    RIDE,
    count_refused,
    count_windows,
    debts,
    history_windows,
    leaving_window,
    live_window,
    refused_debts,
    refused_windows,
    served_from,
)
from ingest.plan.work import Classes, Work

LEAVING = 3 * DAY
"""Debts this close to the end of the cloud's history go first."""


# ── live ──────────────────────────────────────────────────────────────────────────────────────────────


def due_at(work: Work, factors: Factors = EVEN) -> int:
    """When the next live call or snapshot is due; 0 when none was ever answered."""
    if work.lacks_devices:
        return NEVER
    if work.pair.cursor and not _history_is_begun(work):
        return 0
    asked = work.asked_at
    if asked is None:
        return work.live_from
    if work.group.is_slow:
        at = asked + int(work.group.cadence(factors))
        if work.stream.at_night:
            at = night_at(at - DAY // 2, work.wanted.timezone, work.system)
        return max(at, work.live_from)
    if work.rhythm.was_silent and asked < work.log[-1].seen_at:
        return max(work.log[-1].seen_at, work.live_from)
    at = next_look(work.rhythm, work.reported_at, asked, work.every * factors.stretch, work.stream.name + work.system)
    return max(_awake(work, asked, at), work.live_from)


def _awake(work: Work, asked: int, at: int) -> int:
    """A call that would fall into the night closes the day instead, or waits for the morning if that is done."""
    rest = rest_at(work.daylight, at)
    if rest is None:
        return at
    return look_from(work.rhythm, work.reported_at, rest.start if asked < rest.start else rest.end)


def live_tasks(works: Iterable[Work], now: int, classes: Classes, factors: Factors = EVEN) -> list[Task]:
    """Live calls and snapshots that are due, the most overdue first relative to its cadence."""
    due: list[tuple[int, float, Task]] = []
    probed: set[str] = set()
    for at, work in sorted(((due_at(work, factors), work) for work in works), key=lambda entry: entry[0]):
        is_begun = bool(work.pair.cursor) and not _history_is_begun(work)  # the silence is held against whole looks
        opens_at = work.pair.rest_until if is_begun else work.live_from
        if at > now or opens_at > now or (work.is_silent and not is_begun and work.system in probed):
            continue
        task = _task(work, now, classes)
        if task is None:
            continue
        if work.is_silent and task.purpose is Purpose.LIVE:
            probed.add(work.system)
        due.append((*urgency(work, at, now), task))
    return [task for *_, task in sorted(due, key=lambda entry: entry[:2])]


def urgency(work: Work, at: int, now: int) -> tuple[int, float]:
    """What sorts due pairs, `at` being when they were: the lists of systems first; then what was never asked, system
    by system what charts need, then the rest; then the most overdue relative to its cadence.
    """
    if work.stream.scope is Scope.ACCOUNT:
        return 0, 0.0
    if work.asked_at is not None:
        return 3, -(now - at) / work.every
    return (1 if work.stream.grain or work.stream.series else 2), 0.0


def _is_over(work: Work, now: int, classes: Classes) -> bool:
    """Whether a finished system needs no more snapshots; its daily totals are asked until the last day is final."""
    if work.until is None or work.until > now:
        return False
    return not work.stream.series or (work.asked_at or 0) >= work.until + classes.look_again


def _task(work: Work, now: int, classes: Classes) -> Task | None:
    if work.lacks_devices:
        return None
    if not work.stream.grain:
        whom, cursor = (work.account, work.system, work.stream), work.pair.cursor
        begun = unfinished(cursor)
        missed = begun.missed if begun else 0
        task = Task(*whom, Span(0, 0), Purpose.SNAPSHOT, cursor, devices=work.devices, missed=missed)
        return None if _is_over(work, now, classes) else _of_same_list(task)
    if going_on := _going_on(work):
        return going_on
    live = live_window(work, now, classes)
    if live is None:
        return None
    if work.trial_reach and work.group.is_slow and served_from(work, now) <= live.end - work.trial_reach:
        # Asked once a day, a day's window would leave what is not settled yet to calls of its own.
        longer = Span(live.end - work.trial_reach, live.end)
        return Task(work.account, work.system, work.stream, longer, Purpose.LIVE, reach=work.trial_reach, is_trial=True)
    return Task(
        work.account, work.system, work.stream, live, Purpose.LIVE, reach=work.route.reach, devices=work.devices
    )


def _going_on(work: Work) -> Task | None:
    """The next call for a window of which a part was read, whatever that was asked for."""
    if (begun := unfinished(work.pair.cursor)) is None:
        return None
    task = Task(
        work.account,
        work.system,
        work.stream,
        begun.window,
        begun.purpose,
        work.pair.cursor,
        reach=work.route.reach,
        devices=work.devices,
        begun_at=begun.begun_at,
        missed=begun.missed,
    )
    return _of_same_list(task)


def _of_same_list(task: Task) -> Task:
    """The same; from the beginning, where the list of devices is not that with which it was begun: one of them would
    not be asked.
    """
    begun = unfinished(task.cursor)
    is_another = task.device not in task.devices or (begun is not None and begun.among not in (0, task.among))
    return replace(task, cursor="", begun_at=0, missed=0) if task.devices and is_another else task


def _history_is_begun(work: Work) -> bool:
    """Whether a window of history was begun: it goes on in the turn of history, at the latest when new data are due."""
    begun = unfinished(work.pair.cursor)
    return begun is not None and begun.purpose is Purpose.HISTORY


# ── history ───────────────────────────────────────────────────────────────────────────────────────────


class Debt(NamedTuple):
    """What one pair's history needs: calls, the part of them (a fraction counts) whose data will have left the cloud
    at some later moment, a key by which the most urgent debt sorts first, and the moment before which nothing of it is
    asked for.
    """

    calls: int
    leaving: float
    key: tuple[int, int]
    at: int = 0


def debt(work: Work, now: int, classes: Classes, later: int) -> Debt | None:
    """The history owed of a pair, and how much of it would be gone by `later` (epoch s); None when there is none, or
    when it rests for over a day.
    """
    if not work.route.reach or work.history_from > now + DAY or work.lacks_devices:
        return None
    owing, ripe = debts(work, now, classes)
    refused = refused_debts(work, now, classes)
    if not ripe and not refused:
        return None
    spans = union(ripe, *(spans for _, spans in refused))
    key = (0, spans[0].start) if is_leaving(work, spans[0].start, now) else (1, -spans[-1].end)
    gone = Span(0, later + LEAVING - work.route.history) if work.route.history else Span(0, 0)
    windows = count_windows(work, owing, ripe) + count_refused(work, now, classes)
    leaving = total(intersect(ripe, gone)) / work.route.reach
    at = 0 if ripe else min(entry.until for entry, _ in refused)
    return Debt(work.calls * windows, work.calls * leaving, key, at)


def is_leaving(work: Work, start: int, now: int) -> bool:
    """Whether a debt that begins at `start` will soon be out of the cloud's history."""
    return work.route.history > 0 and start < now - work.route.history + LEAVING


def history_tasks(works: Iterable[Work], now: int, classes: Classes, *, only_leaving: bool = False) -> list[Task]:
    """One history call for each pair that needs any: first what is about to leave, then the newest."""
    found = [
        min(calls, key=lambda entry: entry[0])
        for work in works
        if not work.lacks_devices
        and (work.pair.rest_until if _history_is_begun(work) else work.history_from) <= now
        and (calls := list(_calls(work, now, classes, only_leaving=only_leaving)))
    ]
    return [task for _, task in sorted(found, key=lambda entry: entry[0])]


Urgent = tuple[tuple[int, int], Task]
"""A call and the key by which the most urgent one sorts first."""


def _calls(work: Work, now: int, classes: Classes, *, only_leaving: bool) -> Iterator[Urgent]:
    """The history calls of a pair that may be made now: the next one for what is new, those for what was refused."""
    if work.pair.cursor:
        begun = _going_on(work) if _history_is_begun(work) else None
        leaving = begun is not None and is_leaving(work, begun.window.start, now)
        if begun is not None and (leaving or not only_leaving):
            yield (0, begun.window.start) if leaving else (1, -begun.window.end), begun
        return
    for window in islice(refused_windows(work, now, classes), 1):
        leaving = is_leaving(work, window.start, now)
        if leaving or not only_leaving:
            key = (0, window.start) if leaving else (1, -window.end)
            yield key, _history_task(work, window, work.route.reach)
    owing, ripe = debts(work, now, classes)
    if not ripe:
        return
    newest = next(history_windows(work, now, classes))
    oldest = max(served_from(work, now), ripe[0].start - ripe[0].start % work.route.step)
    leaving = is_leaving(work, oldest, now)
    if only_leaving and not leaving:
        return
    window = leaving_window(work, oldest, newest, now) if leaving else newest
    key = (0, window.start) if leaving else (1, -window.end)
    longer = _longer(work, window, owing, leaving=leaving)
    asked, reach = longer or window, max(work.route.reach, longer.length if longer else 0)
    yield key, _history_task(work, asked, reach, is_trial=bool(longer))


def _history_task(work: Work, window: Span, reach: int, *, is_trial: bool = False) -> Task:
    return Task(
        work.account,
        work.system,
        work.stream,
        window,
        Purpose.HISTORY,
        reach=reach,
        is_trial=is_trial,
        devices=work.devices,
    )


def _longer(work: Work, window: Span, owing: Spans, *, leaving: bool) -> Span | None:
    """A longer window for the same call, where the cloud may honour it and all of it is owed."""
    if not work.trial_reach or window.length < work.route.reach:
        return None
    longer = (
        Span(window.start, window.start + work.trial_reach)
        if leaving
        else Span(window.end - work.trial_reach, window.end)
    )
    return longer if intersect(owing, longer) == (longer,) else None


def looks_again(work: Work, classes: Classes) -> float:
    """Calls a day for second looks that do not fit into a live call."""
    reach = work.route.reach
    return work.calls * DAY / reach if 0 < reach < classes.look_again + DAY + RIDE else 0.0
