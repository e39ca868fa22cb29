"""How fast to ask: the hours in which a stream is awake, and the one factor that makes a month's wishes fit a plan."""

from collections.abc import Mapping
from typing import NamedTuple

from ingest.core.span import Span
from ingest.core.units import DAY, HOUR, MINUTE
from ingest.plan.quota import Plan, burst

DAYLIGHT_MARGIN = 30 * MINUTE
"""Production streams wake so long before the first light of yesterday and rest so long after its last."""
LONGEST_REST = 20 * HOUR
EDGES = 1.6
"""Calls a day beyond awake time / cadence: one as the day closes, about half a one because a day holds no whole number
of cadences. Where not even two calls fall into a day, this fades away."""


class Daylight(NamedTuple):
    """Start of the first and end of the last interval of a day in which a system produced anything (epoch s)."""

    first: int
    last: int


def rest_at(daylight: Daylight | None, at: int) -> Span | None:
    """The rest `[start, end)` of a production stream that holds the moment `at`; None while it is awake.

    The day of `daylight` is taken to repeat. Without one a stream is always awake; it never rests over 20 h.
    """
    if daylight is None:
        return None
    awake = awake_seconds(daylight)
    if awake >= DAY:
        return None
    begin = (daylight.first + daylight.last - awake) // 2
    begin += (at - begin) // DAY * DAY
    return Span(begin + awake, begin + DAY) if at >= begin + awake else None


def awake_seconds(daylight: Daylight | None) -> int:
    """Seconds a day in which a stream is awake."""
    if daylight is None:
        return DAY
    return min(DAY, max(daylight.last - daylight.first + 2 * DAYLIGHT_MARGIN, DAY - LONGEST_REST))


class Group(NamedTuple):
    """Pairs that cost the same: asked every `every` s, of gateways that upload every `period` s (0: not known),
    awake `awake` s a day.
    """

    every: int
    period: int = 0
    awake: int = DAY

    @property
    def is_slow(self) -> bool:
        """Whether it is asked daily at most: such calls are stretched last."""
        return self.every >= DAY

    def calls(self, stretch: float) -> float:
        """Calls a day of one pair, its cadence lengthened by `stretch`."""
        cadence = max(self.every * stretch, self.period, 1)
        if self.is_slow or self.awake >= DAY:
            return DAY / cadence
        return self.awake / cadence + EDGES * min(1.0, self.awake / cadence)


Groups = Mapping[Group, int]
"""How many pairs there are of each kind."""


def calls(groups: Groups, stretch: float) -> float:
    """Calls a day of all the pairs."""
    return sum(count * group.calls(stretch) for group, count in groups.items())


class Factors(NamedTuple):
    """By how much cadences are lengthened: `stretch` of the frequent ones, `slow` of those asked daily at most."""

    stretch: float = 1.0
    slow: float = 1.0


EVEN = Factors()
"""Everything as often as it is wanted."""


def fit(groups: Groups, per_day: float) -> Factors:
    """The least factors with which everything fits in `per_day` calls.

    Daily calls are left alone while they take less than half; beyond that they are stretched too, so none starves.
    """
    slow = {group: count for group, count in groups.items() if group.is_slow}
    quick = {group: count for group, count in groups.items() if not group.is_slow}
    fixed = calls(slow, 1.0)
    most = max(per_day - calls(quick, 1.0), per_day / 2 if quick else per_day)
    factor = max(1.0, fixed / max(most, 1e-9)) if fixed else 1.0
    return Factors(_solve(quick, per_day - fixed / factor), min(factor, 1e6))


def _solve(groups: Groups, per_day: float) -> float:
    low, high = 1.0, 1e6
    if not groups or calls(groups, low) <= per_day:
        return low
    # What the edges of days cost cannot be stretched; where they alone are too much, the day is cut by hand.
    for _ in range(32):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if calls(groups, middle) > per_day else (low, middle)
    return high


def per_day(plan: Plan) -> float:
    """Calls that the minute limit admits in a day, with a little room for what comes in lumps."""
    return 0.9 * burst(plan) * DAY / MINUTE
