"""History priced before it is read: the calls it takes, when it will be done, and what leaves the cloud before."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.plan import quota
from ingest.plan.budget import Rules
from ingest.plan.demand import heard
from ingest.plan.windows import history_count
from ingest.plan.work import Classes, Work


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


def count(works: Sequence[Work], now: int, classes: Classes) -> int:
    """The calls that the history owed by some pairs takes."""
    return sum(history_count(heard(work, now), now, classes) for work in works)


def backfill(calls: int, this_month: int, per_month: int, now: int, rules: Rules) -> BackfillEstimate:
    """What `calls` of history take where so many may be spent in this month and in each later one."""
    rest = max(0, calls - this_month)
    money = rest * rules.price
    if rest and per_month <= 0:
        return BackfillEstimate(calls, this_month, per_month, None, money)
    at, whole = now, rest // max(per_month, 1) + (1 if rest % max(per_month, 1) else 0)
    for _ in range(min(whole, 1200)):
        at = quota.month_bounds(at)[1]
    last = rest - (whole - 1) * per_month if whole else calls
    return BackfillEstimate(calls, this_month, per_month, at + int(last * quota.spacing(rules.plan)), money)
