"""The vendor's plan: calls a minute and calls a month, per application (reference 3.1)."""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from math import ceil
from typing import NamedTuple

PLANS = {
    "watt": (10, 1000),
    "kilowatt": (50, 50_000),
    "megawatt": (100, 300_000),
    "partner": (300, 1_500_000),
}
"""Calls per minute and per month of each plan (3.1)."""


class Exceeded(NamedTuple):
    """Why a call is refused: the period, its bounds in epoch seconds, and its limit (4.4)."""

    period: str
    start: int
    end: int
    limit: int


def month_of(now: float) -> tuple[int, int]:
    """First second of the calendar month (UTC) and of the next one."""
    at = datetime.fromtimestamp(now, UTC)
    first = datetime(at.year, at.month, 1, tzinfo=UTC)
    following = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
    return int(first.timestamp()), int(following.timestamp())


class Quota:
    """Counts calls; `others` says how many calls somebody else has made with the same key this month.

    No 60 seconds see more calls than the plan has per minute, wherever they begin.
    """

    def __init__(self, plan: str | tuple[int, int], others: Callable[[float], int] | None = None) -> None:
        self.name = plan if isinstance(plan, str) else "Custom"
        self.per_minute, self.per_month = PLANS[plan] if isinstance(plan, str) else plan
        self._others = others
        self._recent: deque[float] = deque()
        self._months: dict[int, int] = {}

    def used(self, now: float) -> int:
        """Calls of the month of `now` so far, those of others included."""
        others = self._others(now) if self._others else 0
        return self._months.get(month_of(now)[0], 0) + others

    def take(self, now: float) -> Exceeded | None:
        """Count one call, or say why not; a refused call is not counted."""
        while self._recent and self._recent[0] <= now - 60:
            self._recent.popleft()
        first, following = month_of(now)
        if self.used(now) >= self.per_month:
            return Exceeded("month", first, following, self.per_month)
        if len(self._recent) >= self.per_minute:
            return self.minute(now)
        self._recent.append(now)
        self._months[first] = self._months.get(first, 0) + 1
        return None

    def minute(self, now: float) -> Exceeded:
        """The 60 seconds after which a call is free again."""
        free = self._recent[0] + 60 if len(self._recent) >= self.per_minute else now + 60
        end = ceil(free)
        return Exceeded("minute", end - 60, end, self.per_minute)
