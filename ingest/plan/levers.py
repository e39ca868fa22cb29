"""What would make live polling faster where a plan is too small: free changes, and larger plans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.core.units import DAY, MINUTE, WEEK
from ingest.enphase.streams import BY_NAME
from ingest.plan import budget, demand, quota
from ingest.plan.budget import Rules
from ingest.plan.demand import Demand
from ingest.plan.quota import Plan, Usage

GAIN = 0.97
"""A change is named only if it brings the cadence below this part of the present one."""


@dataclass(frozen=True)
class Lever:
    """A change, what makes it in the configuration, and the cadence by day (s) of live polling with it.

    `price` is what it costs (US dollars a month).
    """

    change: str
    setting: str
    by_day: int
    price: float = 0.0


def free(rules: Rules, wanted: Sequence[Demand], now: int) -> list[Lever]:
    """Changes of the configuration that cost nothing, what gains most first."""
    found = [*_of_streams(rules, wanted, now), *_of_daily(rules, wanted, now)]
    if rules.reserve:
        by_day = cadence(replace(rules, reserve=0.0), wanted, now)
        found.append(Lever("with nothing kept for other tools", "`api: {reserve: 0%}`", by_day))
    least = GAIN * cadence(rules, wanted, now)
    return sorted((lever for lever in found if 0 < lever.by_day <= least), key=lambda lever: lever.by_day)


def paid(
    rules: Rules, wanted: Sequence[Demand], now: int, plans: Mapping[str, Plan], prices: Mapping[str, float]
) -> list[Lever]:
    """The plans that are larger, the cheapest first."""
    found = []
    for name, plan in plans.items():
        if plan.per_month > rules.plan.per_month:
            by_day = cadence(replace(rules, plan=plan), wanted, now)
            found.append(Lever(name.capitalize(), f"`api: {{plan: {name}}}`", by_day, prices[name]))
    return sorted(found, key=lambda lever: lever.price)


def cadence(rules: Rules, wanted: Sequence[Demand], now: int) -> int:
    """The shortest cadence by day (s) of frequent streams over a whole month; 0 where there are none."""
    always = replace(demand.needs(wanted), history=0, leaving=0.0)
    factors = budget.pace(rules, always, Usage(0, 0, (), ()), quota.month_bounds(now)[0]).factors
    return min((int(each.group.cadence(factors)) for each in wanted if not each.group.is_slow), default=0)


def _of_streams(rules: Rules, wanted: Sequence[Demand], now: int) -> list[Lever]:
    """Each frequent stream left out, or asked half as often."""
    found = []
    for name in dict.fromkeys(each.stream for each in wanted if not each.group.is_slow):
        others = [each for each in wanted if each.stream != name]
        by_day = cadence(rules, others, now)
        found.append(Lever(f"without {name}", "leave it out of `streams:` of each system", by_day))
        own = [each for each in wanted if each.stream == name]
        every = 2 * min(each.every for each in own)
        halved = [*others, *(replace(each, every=every) for each in own)]
        if by_day and every < DAY:
            setting = f"`streams: {{{name}: {{every: {every // MINUTE}m}}}}`"
            found.append(Lever(f"with {name} half as often", setting, cadence(rules, halved, now)))
    return found


def _of_daily(rules: Rules, wanted: Sequence[Demand], now: int) -> list[Lever]:
    """What is asked daily asked weekly, where that has not come by itself."""
    daily = [each.stream for each in wanted if DAY <= each.every < WEEK and each.stream in BY_NAME]
    if not daily:
        return []
    weekly = [replace(each, every=WEEK) if each.stream in daily else each for each in wanted]
    names = ", ".join(f"{name}: {{every: 7d}}" for name in dict.fromkeys(daily))
    return [
        Lever("with daily totals and odometers once a week", f"`streams: {{{names}}}`", cadence(rules, weekly, now))
    ]
