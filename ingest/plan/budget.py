"""How the month is spent: calls counted as they are made, and the pace that makes the rest last to its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from ingest.core.units import DAY
from ingest.enphase.call import Purpose
from ingest.plan import pacing, quota
from ingest.plan.pacing import EVEN, Factors, Group
from ingest.plan.quota import Plan, Usage

HURRY = 1.05
"""Live calls may go so much faster than evenly where they come in lumps."""
LEAST_LUMP = 12
"""So many live calls may always come together: each stream of a system once, and the daily ones."""


@dataclass(frozen=True)
class Pace:
    """How this month is spent: `factors` lengthen cadences, history may use `history` calls of the `left` ones.
    `only_leaving` says that all of these are needed for data which are about to leave the cloud; `per_day` are the
    calls a day that live polling may use.
    """

    factors: Factors = EVEN
    history: int = 0
    left: int = 0
    needs_history: int = 0
    only_leaving: bool = False
    per_day: float = 0.0

    @property
    def stretch(self) -> float:
        """By how much the cadence of frequent pairs is lengthened."""
        return self.factors.stretch


@dataclass(frozen=True)
class Rules:
    """What the owner set: the plan, and the shares of the month for others and for history. `renewals` are calls a
    day for tokens, which may count.
    """

    plan: Plan
    reserve: float
    share: float
    renewals: float


@dataclass(frozen=True)
class Needs:
    """What is wanted: live calls by price class, calls for history now, those of them for data that leave the cloud
    this month, and the calls a day that second looks will need.
    """

    groups: Mapping[Group, int]
    history: int
    leaving: float
    again: float


def pace(rules: Rules, needs: Needs, usage: Usage, now: int) -> Pace:
    """Divide what is left of the month between live polling and history, and spread the former evenly to its end."""
    left = quota.left_of_month(rules.plan, usage, rules.reserve)
    days = max((quota.month_bounds(now)[1] - now) / DAY, 1 / 96)
    live = (pacing.calls(needs.groups, 1.0) + rules.renewals) * days
    whole = quota.left_of_month(rules.plan, Usage(0, 0, ()), rules.reserve)
    budget = quota.divide(left, usage.history, live, needs.history + int(needs.again * days), rules.share, whole)
    per_day = min(budget.live / days, pacing.per_day(rules.plan)) - rules.renewals
    factors = pacing.fit(needs.groups, max(per_day, 1e-6))
    return Pace(factors, budget.history, left, needs.history, budget.history <= needs.leaving, budget.live / days)


class TokenBucket:
    """Keeps live calls even where many pairs fall due together or fail: a bucket that holds a quarter of a day's."""

    def __init__(self) -> None:
        self._level, self._at, self._rate = 1e9, 0, 0.0

    def open_at(self, per_day: float, now: int) -> int:
        """When the next live call may be made, `per_day` being those of a day."""
        self._rate = HURRY * per_day / DAY
        most = max(LEAST_LUMP, per_day / 4)
        self._level = min(most, self._level + max(0, now - self._at) * self._rate)
        self._at = now
        return now if self._level >= 1 else now + ceil((1 - self._level) / max(self._rate, 1e-9))

    def take(self, purpose: Purpose) -> None:
        """A call was made; history has its own share."""
        if purpose is not Purpose.HISTORY:
            self._level -= 1
