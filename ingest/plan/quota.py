"""Plans and what of them is left: calls are counted before they are sent and never freed.

Plans and prices: https://developer-v4.enphase.com/developer-plans (reference 3.1). The month is taken as the
calendar month in UTC; its reset instant is not documented.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from ingest.core.units import MINUTE


@dataclass(frozen=True)
class Plan:
    """What an application may spend: calls in any 60 s and in a calendar month."""

    per_minute: int
    per_month: int


@dataclass(frozen=True)
class Usage:
    """What was spent this month, and when the calls of the last minute ended.

    `recent` is sorted. A call that has not ended counts as ending now: the cloud may see it at any moment until then.
    """

    month: int
    history: int
    recent: Sequence[int]


@dataclass(frozen=True)
class Budget:
    """The month divided: what live polling and history may still spend, after the reserve. The latter may spend
    `at_once` as fast as the minute admits, the rest evenly to the end of the month.
    """

    live: int
    history: int
    at_once: int = 0


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
    """The first second at which one more call keeps every sliding minute within the plan, evenly spaced."""
    recent = usage.recent
    if not recent:
        return now
    evenly = int(recent[-1] + spacing(plan))
    full = recent[-burst(plan)] + MINUTE + 1 if len(recent) >= burst(plan) else now
    return max(now, evenly, full)


def reserved(plan: Plan, reserve: float) -> int:
    """Calls of a month that are never used: they are for the owner's other tools."""
    return plan.per_month - int(plan.per_month * (1 - reserve))


def left_of_month(plan: Plan, usage: Usage, reserve: float) -> int:
    """Calls of this month that may still be spent."""
    return max(0, plan.per_month - reserved(plan, reserve) - usage.month)


def guaranteed(left: int, spent_on_history: int, share: float) -> int:
    """Calls that history may take at once, whatever live polling needs: `share` of what is left of the month. What it
    has spent this month counts as part of both, so its guarantee can be used up.
    """
    return max(0, int(share * (left + spent_on_history)) - spent_on_history)


def divide(left: int, spent_on_history: int, live: float, history: int, share: float, leaving: float = 0.0) -> Budget:
    """Divide what is left between live polling and history.

    `live` and `history` are the calls each side could still use this month, `leaving` those of the latter for data that
    leave the cloud before its end: these have the share of what is left also where the guarantee is used up, but only
    as the days go by. What one side does not need goes to the other.
    """
    at_once = max(guaranteed(left, spent_on_history, share), int(left - live), 0)
    allowed = min(history, left, max(at_once, int(min(leaving, share * left))))
    return Budget(live=left - allowed, history=allowed, at_once=min(allowed, at_once))
