"""What fits into a plan: how often each stream is asked, what that costs, and when history will be there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest.core.units import DAY
from ingest.plan import budget, demand, estimate, pacing, quota
from ingest.plan.budget import Rules
from ingest.plan.demand import Demand
from ingest.plan.estimate import BackfillEstimate
from ingest.plan.pacing import EVEN, Factors
from ingest.plan.quota import Plan, Usage

MANY = 2**40


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
class Timetable:
    """What fits. `wished` and `planned` are the calls of one whole calendar month for everything but backfill, `ahead`
    those of the rest of this month. `cost` is the price of those planned beyond the free ones (US dollars a month).

    `reserve` and `share` are calls a month that are kept for other tools and guaranteed to history, `guaranteed` those
    that history may take this month whatever live polling needs, `left` those that may still be spent this month,
    `money` what the demands would cost beyond the free calls (US dollars a month, 0 where no calls can be bought).
    """

    plan: Plan
    lines: Sequence[TimetableLine]
    wished: float
    planned: float
    ahead: float
    reserve: int
    share: int
    guaranteed: int
    left: int
    backfill: BackfillEstimate
    money: float
    cost: float


def timetable(rules: Rules, wanted: Sequence[Demand], usage: Usage, now: int) -> Timetable:
    """The timetable from `now` to the end of the month, some calls of it having been spent."""
    needs, (first, following) = demand.needs(wanted), quota.month_bounds(now)
    always, days, ahead = replace(needs, history=0, leaving=0.0), (following - first) / DAY, budget.days_left(now)
    whole = Usage(0, 0, (), ())
    month, rest = budget.pace(rules, always, whole, first), budget.pace(rules, needs, usage, now)
    looks, looks_a_month = (min(needs.again * span, at.history) for at, span in ((rest, ahead), (month, days)))
    this, later = (
        max(0, budget.divide_month(rules, replace(needs, history=MANY), spent, at).history - int(needs.again * span))
        for spent, at, span in ((usage, now, ahead), (whole, first, days))
    )
    lines = tuple(_line(each, month.factors, rest.factors, days) for each in wanted if each.systems)
    wished = (pacing.calls(needs.groups, EVEN) + rules.renewals + needs.again) * days
    planned = sum(line.per_month for line in lines) + rules.renewals * days + looks_a_month
    return Timetable(
        rules.plan,
        lines,
        wished,
        planned,
        ahead=(pacing.calls(needs.groups, rest.factors) + rules.renewals) * ahead + looks,
        reserve=rules.plan.per_month - month.left,
        share=budget.guaranteed(month.left, 0, rules.share),
        guaranteed=budget.guaranteed(rest.left, budget.backfilled(needs, usage, now), rules.share),
        left=rest.left,
        backfill=estimate.backfill(needs.history, this, later, now, rules),
        money=max(0.0, wished - rules.free) * rules.price,
        cost=max(0.0, planned - rules.free) * rules.price,
    )


def _line(each: Demand, month: Factors, rest: Factors, days: float) -> TimetableLine:
    cadence, this_month = (int(each.group.cadence(factors)) for factors in (month, rest))
    per_day = each.systems * each.calls * each.group.calls(month)
    by_night = 0 if each.awake < DAY else cadence
    return TimetableLine(
        each.stream,
        each.systems,
        each.every,
        cadence,
        by_night,
        this_month,
        per_day,
        per_day * days,
        each.period,
    )
