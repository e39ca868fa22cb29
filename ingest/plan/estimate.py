"""The cost of history: the calls it takes, when it will be done, and what leaves the cloud before."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from ingest.core.span import Spans, floor_to
from ingest.core.units import DAY, YEAR
from ingest.plan import quota
from ingest.plan.budget import Rules
from ingest.plan.demand import heard
from ingest.plan.windows import debts, history_count
from ingest.plan.work import Classes, Work

MONTH = YEAR / 12


@dataclass(frozen=True)
class BackfillEstimate:
    """History: the calls it needs, those it may use this month and in each later one, the moment it is done (epoch s,
    None: never as things stand), and what buying the calls beyond this month's would cost (US dollars). `too_late` of
    the calls are for data that will have left the cloud by then; from `fits_since` on (epoch s) none are.
    """

    calls: int
    this_month: int
    per_month: int
    done_at: int | None
    money: float
    too_late: int = 0
    fits_since: int | None = None


def estimate(
    works: Sequence[Work], now: int, classes: Classes, room: BackfillEstimate, rules: Rules
) -> BackfillEstimate:
    """What the history owed by some pairs takes where the history of a timetable has `room`."""
    found = backfill(count(works, now, classes), room.this_month, room.per_month, now, rules)
    leaving = _leaving(works, now, classes)
    late = _too_late(_windows(leaving, 0), room, now)
    if not late:
        return found
    days = range(floor_to(min(span.start for spans, _, _ in leaving for span in spans), DAY), now, DAY)
    fits = bisect_left(days, 1, key=lambda first: int(not _too_late(_windows(leaving, first), room, now)))
    return replace(found, too_late=late, fits_since=days[fits] + DAY if fits < len(days) else now)


Windows = Sequence[tuple[int, int]]
"""How many calls are for data that leave the cloud at a moment, as (that moment, calls)."""


def _leaving(works: Sequence[Work], now: int, classes: Classes) -> Counter[tuple[Spans, int, int]]:
    """The pairs, by the spans that history owes, the reach of a call, and how long the cloud has the data (s); none of
    streams of which no document says so.
    """
    found: Counter[tuple[Spans, int, int]] = Counter()
    for work in works:
        if work.route.is_documented and work.route.history:
            found[debts(heard(work, now), now, classes)[1], work.route.reach, work.route.history] += work.calls
    return found


def _windows(leaving: Counter[tuple[Spans, int, int]], since: int) -> Windows:
    """The calls for what is owed from `since` on (epoch s): a later start moves every window of a span."""
    found: Counter[int] = Counter()
    for (spans, reach, history), calls in leaving.items():
        for span in spans:
            for start in range(max(span.start, since), span.end, reach):
                found[floor_to(start, DAY) + history] += calls
    return sorted(found.items())


def _too_late(windows: Windows, room: BackfillEstimate, now: int) -> int:
    """How many calls cannot be made in time, even if what leaves first is always read first."""
    ends_at, asked, late = quota.month_bounds(now)[1], 0, 0.0
    for leaves_at, calls in windows:
        asked += calls
        months = max(0, leaves_at - ends_at) / MONTH
        late = max(late, asked - room.this_month - room.per_month * months)
    return ceil(late)


def count(works: Sequence[Work], now: int, classes: Classes) -> int:
    """The calls that the history owed by some pairs takes."""
    return sum(history_count(heard(work, now), now, classes) for work in works)


def backfill(calls: int, this_month: int, per_month: int, now: int, rules: Rules) -> BackfillEstimate:
    """What `calls` of history take by what may be spent of them in this month and in each later one."""
    rest = max(0, calls - this_month)
    money = rest * rules.price
    if rest and per_month <= 0:
        return BackfillEstimate(calls, this_month, per_month, None, money)
    at, whole = now, rest // max(per_month, 1) + (1 if rest % max(per_month, 1) else 0)
    for _ in range(min(whole, 1200)):
        at = quota.month_bounds(at)[1]
    last = rest - (whole - 1) * per_month if whole else calls
    return BackfillEstimate(calls, this_month, per_month, at + int(last * quota.spacing(rules.plan)), money)
