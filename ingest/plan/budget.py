"""How the month is spent: calls counted as they are made, and the pace that makes the rest last to its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from ingest.core.units import DAY
from ingest.enphase.oauth import EARLY
from ingest.plan import pacing, quota
from ingest.plan.pacing import EVEN, Factors, Group
from ingest.plan.quota import Plan, Usage

HURRY = 1.05
"""How much faster than evenly calls may go where they come in lumps."""
MIN_LUMP = 12
"""How many calls may always come together: each stream of a system once, and the daily ones."""


@dataclass(frozen=True)
class Pace:
    """How this month is spent: `factors` thin live polling out, history may use `history` calls of the `left` ones,
    `at_once` of them without waiting. `only_leaving` says that all of these are needed for data which are about to
    leave the cloud; `per_day` and `history_per_day` are the calls a day that each side may use.
    """

    factors: Factors = EVEN
    history: int = 0
    at_once: int = 0
    left: int = 0
    needs_history: int = 0
    only_leaving: bool = False
    per_day: float = 0.0
    history_per_day: float = 0.0


@dataclass(frozen=True)
class Rules:
    """What the owner set: the plan, and the shares of the month for others and for history. `renewals` are calls a
    day for tokens, which may count; `price` is that of a call beyond the `free` ones of a month (US dollars).
    """

    plan: Plan
    reserve: float = 0.1
    share: float = 0.2
    renewals: float = 0.0
    price: float = 0.0
    free: int = 0


@dataclass(frozen=True)
class Needs:
    """What is wanted: live calls by price class, calls for history now, those of them for data that leave the cloud
    this month, and the calls a day that second looks will need.
    """

    groups: Mapping[Group, int]
    history: int = 0
    leaving: float = 0.0
    again: float = 0.0


@dataclass(frozen=True)
class Budget:
    """The month divided: what live polling and history may still spend, after the reserve. The latter may spend
    `at_once` as fast as the minute admits, the rest evenly to the end of the month.
    """

    live: int
    history: int
    at_once: int = 0


def renewals(accounts: int) -> float:
    """Calls a day for the tokens of a number of accounts: they live a day and are renewed ahead of its end."""
    return accounts / (1 - EARLY)


def days_left(now: int) -> float:
    """Days until the month ends; at its very end, what one call takes is still spread over a quarter of an hour."""
    return max((quota.month_bounds(now)[1] - now) / DAY, 1 / 96)


def divide_month(rules: Rules, needs: Needs, usage: Usage, now: int) -> Budget:
    """Divide what is left of the month between live polling, with what keeps it going, and history."""
    left, days = quota.left_of_month(rules.plan, usage, rules.reserve), days_left(now)
    live = (pacing.calls(needs.groups, EVEN) + rules.renewals) * days
    history = needs.history + int(needs.again * days)
    return divide(left, backfilled(needs, usage, now), live, history, rules.share, needs.leaving)


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


def backfilled(needs: Needs, usage: Usage, now: int) -> int:
    """The calls of this month for history that counts: second looks at what live polling read do not."""
    elapsed = (now - quota.month_bounds(now)[0]) / DAY
    return max(0, usage.history - int(needs.again * elapsed))


def pace(rules: Rules, needs: Needs, usage: Usage, now: int) -> Pace:
    """Divide what is left of the month, and spread live polling evenly to its end."""
    budget, days = divide_month(rules, needs, usage, now), days_left(now)
    per_day = min(budget.live / days, pacing.per_day(rules.plan)) - rules.renewals
    factors = pacing.fit(needs.groups, max(per_day, 1e-6))
    return Pace(
        factors,
        budget.history,
        budget.at_once,
        left=budget.live + budget.history,
        needs_history=needs.history,
        only_leaving=budget.history <= needs.leaving,
        per_day=budget.live / days,
        history_per_day=budget.history / days,
    )


class TokenBucket:
    """Keeps calls even where many fall due together or fail: a bucket that holds a quarter of a day's.

    It is full at first, or `empty`.
    """

    def __init__(self, *, empty: bool = False) -> None:
        self._level, self._rate = 0.0 if empty else 1e9, 0.0
        self._at: int | None = None

    def open_at(self, per_day: float, now: int) -> int:
        """When the next call may be made, `per_day` being those of a day."""
        self._rate = HURRY * per_day / DAY
        most = max(MIN_LUMP, per_day / 4)
        since = now if self._at is None else self._at
        self._level = min(most, self._level + (now - since) * self._rate)
        self._at = now
        return now if self._level >= 1 else now + ceil((1 - self._level) / max(self._rate, 1e-9))

    def take(self) -> None:
        """A call was made."""
        self._level -= 1
