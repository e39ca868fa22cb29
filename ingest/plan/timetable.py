"""What fits into a plan: how often each stream is asked, what that costs, and when history will be there."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ingest.core.units import DAY
from ingest.plan import pacing, planner, quota
from ingest.plan.coverage import Advance
from ingest.plan.pacing import Factors, Group
from ingest.plan.quota import Plan, Usage
from ingest.plan.windows import history_count
from ingest.plan.work import Classes, Work

RENEWALS = 1.25
"""Calls a day for the tokens of one account: they live a day and are renewed when a fifth of it is left."""
MANY = 2**40


@dataclass(frozen=True)
class Demand:
    """What is wanted of one stream: every `every` s of each of `systems` systems.

    `awake` is the seconds a day in which it is asked, `period` those between two uploads of the gateways (0: not
    known), `again` the calls a day of one system for second looks that fit into no live call, `history` the calls
    that history still needs, all systems together.
    """

    stream: str
    systems: int
    every: int
    awake: int = DAY
    period: int = 0
    again: float = 0.0
    history: int = 0

    @property
    def group(self) -> Group:
        """Its price class."""
        return Group(self.every, self.period, self.awake)


@dataclass(frozen=True)
class TimetableLine:
    """One stream of the timetable. `by_day` is the cadence that fits (s) and `by_night` that of the night, 0 where it
    rests; `this_month` is that by day for the rest of this month, as what was spent leaves it. `per_day` and
    `per_month` are the calls of all its systems in a day and in a whole calendar month; `period` is the time between
    two uploads of the gateways (s, 0: not known), below which nothing is new.
    """

    stream: str
    systems: int
    every: int
    by_day: int
    by_night: int
    this_month: int
    per_day: float
    per_month: float
    period: int = 0


@dataclass(frozen=True)
class BackfillEstimate:
    """History: the calls it needs, those it may use this month and in each later one, the moment it is done (epoch s,
    None: never as things stand), and what buying the calls beyond this month's would cost (US dollars).
    """

    calls: int
    this_month: int
    per_month: int
    done_at: int | None
    money: float


@dataclass(frozen=True)
class Timetable:
    """What fits. `wished` and `planned` are the calls of one whole calendar month for everything but backfill, `ahead`
    those of the rest of this month. `cost` is the price of those planned beyond the free ones (US dollars a month).

    `reserve` and `share` are calls a month that are kept for other tools and guaranteed to history, `left` those that
    may still be spent this month, `money` what the demands would cost beyond the plan's own calls (US dollars a month,
    0 where no calls can be bought).
    """

    plan: Plan
    lines: Sequence[TimetableLine]
    wished: float
    planned: float
    ahead: float
    reserve: int
    share: int
    left: int
    backfill: BackfillEstimate
    money: float
    cost: float


def demands(works: Iterable[Work], now: int, classes: Classes) -> list[Demand]:
    """What the pairs of an installation ask for, one entry per stream and price class, the dearest first."""
    count: Counter[tuple[str, Group, float]] = Counter()
    history: Counter[tuple[str, Group, float]] = Counter()
    alike: dict[tuple[str, int, int | None], int] = {}  # thousands of systems that nobody has heard yet
    for work in works:
        key = work.stream.name, work.group, planner.looks_again(work, classes)
        count[key] += 1
        if work.log or work.read:
            history[key] += history_count(work, now, classes)
            continue
        new = work.stream.name, work.floor, work.until
        if new not in alike:
            alike[new] = history_count(_heard(work, now), now, classes)
        history[key] += alike[new]
    found = [
        Demand(name, many, kind.every, kind.awake, kind.period, again, history[name, kind, again])
        for (name, kind, again), many in count.items()
    ]
    return sorted(found, key=lambda wish: -wish.systems * wish.group.calls(1.0))


def timetable(  # noqa: PLR0913 - what the owner set and spent, by name
    plan: Plan,
    wanted: Sequence[Demand],
    *,
    now: int,
    reserve: float = 0.1,
    share: float = 0.2,
    used: int = 0,
    price: float = 0.0,
    free: int | None = None,
    renewals: float = RENEWALS,
) -> Timetable:
    """The timetable from `now` to the end of the month, `used` calls having been spent.

    `price` is that of one call beyond the `free` ones of a month (US dollars; default: all of the plan's), `renewals`
    the calls a day for tokens.
    """
    first, following = quota.month_bounds(now)
    days, ahead = (following - first) / DAY, max((following - now) / DAY, 1 / 24)
    groups: Counter[Group] = Counter()
    for wish in wanted:
        groups[wish.group] += wish.systems
    again = sum(wish.again * wish.systems for wish in wanted)
    always = pacing.calls(groups, 1.0) + renewals
    left, whole = (quota.left_of_month(plan, Usage(spent, 0, ()), reserve) for spent in (used, 0))
    needs = sum(wish.history for wish in wanted)

    def divided(calls: int, span: float, history: int) -> tuple[Factors, float]:
        """The pace of a span of days, and the second looks that it affords."""
        budget = quota.divide(calls, 0, always * span, history + int(again * span), share)
        factors = pacing.fit(groups, max(min(budget.live / span, pacing.per_day(plan)) - renewals, 1e-6))
        return factors, min(again * span, budget.history)

    (rest, looks), (month, looks_a_month) = divided(left, ahead, needs), divided(whole, days, 0)
    lines = tuple(_line(wish, month, rest, days) for wish in wanted)
    this, later = (
        max(0, quota.divide(calls, 0, always * span, MANY, share).history - int(again * span))
        for calls, span in ((left, ahead), (whole, days))
    )
    wished = (always + again) * days
    planned = sum(line.per_month for line in lines) + renewals * days + looks_a_month
    free = plan.per_month if free is None else free
    return Timetable(
        plan,
        lines,
        wished,
        planned,
        ahead=(_per_day(wanted, rest) + renewals) * ahead + looks,
        reserve=plan.per_month - whole,
        share=int(share * whole),
        left=left,
        backfill=backfill(needs, this, later, now, plan=plan, price=price),
        money=max(0.0, wished - free) * price,
        cost=max(0.0, planned - free) * price,
    )


def price(works: Sequence[Work], now: int, classes: Classes, frame: Timetable, price: float = 0.0) -> BackfillEstimate:
    """What the history owed by some pairs would take within a timetable: for `backfill --dry-run`."""
    calls = sum(history_count(_heard(work, now), now, classes) for work in works)
    room = frame.backfill
    return backfill(calls, room.this_month, room.per_month, now, plan=frame.plan, price=price)


def _heard(work: Work, now: int) -> Work:
    """A gateway that has not been heard yet is taken to have reported until now."""
    return work if work.log else replace(work, log=(Advance(now, now),))


def backfill(
    calls: int, this_month: int, per_month: int, now: int, *, plan: Plan, price: float = 0.0
) -> BackfillEstimate:
    """What `calls` of history take where so many may be spent in this month and in each later one."""
    rest = max(0, calls - this_month)
    money = rest * price
    if rest and per_month <= 0:
        return BackfillEstimate(calls, this_month, per_month, None, money)
    at, whole = now, rest // max(per_month, 1) + (1 if rest % max(per_month, 1) else 0)
    for _ in range(min(whole, 1200)):
        at = quota.month_bounds(at)[1]
    last = rest - (whole - 1) * per_month if whole else calls
    return BackfillEstimate(calls, this_month, per_month, at + int(last * quota.spacing(plan)), money)


def _per_day(wanted: Sequence[Demand], factors: Factors) -> float:
    return sum(wish.systems * wish.group.calls(_factor(wish, factors)) for wish in wanted)


def _factor(wish: Demand, factors: Factors) -> float:
    return factors.slow if wish.group.is_slow else factors.stretch


def _line(wish: Demand, month: Factors, rest: Factors, days: float) -> TimetableLine:
    cadence, this_month = (int(max(wish.every * _factor(wish, pace), wish.period)) for pace in (month, rest))
    per_day = wish.systems * wish.group.calls(_factor(wish, month))
    by_night = 0 if wish.awake < DAY else cadence
    return TimetableLine(
        wish.stream, wish.systems, wish.every, cadence, by_night, this_month, per_day, per_day * days, wish.period
    )
