"""The limits of a plan and what of them is used: calls are counted before they are sent and never freed.

The plans that can be chosen, and their prices: `config/models.py`. The month is taken as the calendar month in UTC; its
reset instant is not documented.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from math import ceil

from ingest.core.units import MINUTE

PARALLEL_FROM = 100
"""Plans from this many calls a minute on fetch in parallel; smaller ones one at a time (reference 4.4)."""


@dataclass(frozen=True)
class Plan:
    """What an application may spend: calls in any 60 s and in a calendar month."""

    per_minute: int
    per_month: int


@dataclass(frozen=True)
class Usage:
    """What was spent this month, and when the calls of the last minute ended, and `begun`; both are sorted.

    A call that has not ended counts as ending now: the cloud may see it at any moment until then.
    """

    month: int
    history: int
    recent: Sequence[int]
    begun: Sequence[int]


def workers(plan: Plan) -> int:
    """How many calls may be in flight at once."""
    return 4 if plan.per_minute >= PARALLEL_FROM else 1


def month_bounds(at: int) -> tuple[int, int]:
    """The calendar month in UTC that holds `at`, as (first second, first second of the next)."""
    return _month_of_day(at // 86_400)


@lru_cache(maxsize=64)
def _month_of_day(number: int) -> tuple[int, int]:
    # Asked at every tick; there are few days.
    day = datetime.fromtimestamp(number * 86_400, UTC).replace(day=1, hour=0)
    following = day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)
    return int(day.timestamp()), int(following.timestamp())


def burst(plan: Plan) -> int:
    """Calls that fit in 60 s with one to spare: a call in flight when the program was killed may not be known."""
    return max(1, plan.per_minute - 1)


def spacing(plan: Plan) -> float:
    """Seconds between two calls when they are spread evenly over a minute."""
    return MINUTE / burst(plan)


def open_at(plan: Plan, usage: Usage, now: int) -> int:
    """The first second at which one more call keeps every sliding minute within the plan, evenly spaced: of a large
    plan no more calls begin in a second than in any other.
    """
    together = ceil(1 / spacing(plan))
    evenly = int(usage.begun[-together] + together * spacing(plan)) if len(usage.begun) >= together else now
    full = usage.recent[-burst(plan)] + MINUTE + 1 if len(usage.recent) >= burst(plan) else now
    return max(now, evenly, full)


def reserved(plan: Plan, reserve: float) -> int:
    """Calls of a month that are never used: they are for the owner's other tools."""
    return plan.per_month - int(plan.per_month * (1 - reserve))


def left_of_month(plan: Plan, usage: Usage, reserve: float) -> int:
    """Calls of this month that may still be spent."""
    return max(0, plan.per_month - reserved(plan, reserve) - usage.month)
