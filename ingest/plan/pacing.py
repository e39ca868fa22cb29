"""Polling speed: the hours in which a stream has data, and the one factor that fits a month's calls into a plan."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ingest.core.span import Span
from ingest.core.units import DAY, HOUR, MINUTE, WEEK
from ingest.plan.quota import Plan, burst

DAYLIGHT_MARGIN = 30 * MINUTE
"""Seconds before yesterday's first light at which production streams wake, and after its last at which they rest."""
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


class Factors(NamedTuple):
    """By how much calls are thinned out: the cadence of frequent pairs is lengthened by `stretch`; those asked daily at
    most have at least `slow` s between two calls.
    """

    stretch: float = 1.0
    slow: float = DAY


EVEN = Factors()
"""Every stream at its configured cadence."""
LONG = 4 * HOUR
"""Live polling at longer intervals than this (s) is worth more than daily totals and odometers every day."""


class Group(NamedTuple):
    """Pairs that cost the same: asked every `every` s, of gateways that upload every `period` s (0: not known),
    awake `awake` s a day.
    """

    every: int
    period: int = 0
    awake: int = DAY

    @property
    def is_slow(self) -> bool:
        """Whether it is asked daily at most."""
        return self.every >= DAY

    def cadence(self, factors: Factors) -> float:
        """Seconds between two calls of one pair while it is awake."""
        if self.is_slow:
            return max(self.every, factors.slow)
        return max(self.every * factors.stretch, self.period, 1)

    def calls(self, factors: Factors) -> float:
        """Calls a day of one pair."""
        return _calls_at(self.cadence(factors), DAY if self.is_slow else self.awake)


def _calls_at(cadence: float, awake: int) -> float:
    """Calls a day of a pair that is asked every `cadence` s while it is awake, `awake` s a day."""
    if awake >= DAY:
        return DAY / cadence
    return awake / cadence + EDGES * min(1.0, awake / cadence)


Groups = Mapping[Group, int]
"""The number of pairs of each kind."""


def calls(groups: Groups, factors: Factors) -> float:
    """Calls a day of all the pairs."""
    return sum(count * group.calls(factors) for group, count in groups.items())


def fit(groups: Groups, per_day: float) -> Factors:
    """The least factors with which everything fits in `per_day` calls.

    Where frequent pairs could only be asked at intervals longer than `LONG`, those asked daily are asked weekly. Beyond
    that the latter are left alone while they take less than half, and then asked more seldom still, so none starves.
    """
    factors = _fit(groups, per_day, EVEN.slow)
    fastest = min((group.every for group in groups if not group.is_slow), default=0)
    is_short = factors.stretch > 1 and fastest * factors.stretch > LONG
    return _fit(groups, per_day, WEEK) if is_short else factors


def _fit(groups: Groups, per_day: float, least: float) -> Factors:
    """The same, with at least `least` s between two calls of slow pairs."""
    slow = [(count, group.every) for group, count in groups.items() if group.is_slow]
    quick = [
        (count, group.every, max(group.period, 1), group.awake) for group, count in groups.items() if not group.is_slow
    ]

    # This is asked some sixty times at each choice of calls.
    def of_slow(at: float) -> float:
        return sum(count * (DAY / max(every, at)) for count, every in slow)

    def of_quick(stretch: float) -> float:
        return sum(count * _calls_at(max(every * stretch, period), awake) for count, every, period, awake in quick)

    most = max(per_day - of_quick(EVEN.stretch), per_day / 2 if quick else per_day)
    every = _least(lambda at: of_slow(at) <= most, least, 1e6 * DAY)
    rest = per_day - of_slow(every)
    return Factors(_least(lambda at: of_quick(at) <= rest, 1.0, 1e6), every)


def _least(fits: Callable[[float], bool], low: float, high: float) -> float:
    """The least number from `low` to `high` that fits; `high` where none does."""
    if fits(low):
        return low
    # What the edges of days cost cannot be stretched; where they alone are too much, the day is cut by hand.
    for _ in range(32):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def per_day(plan: Plan) -> float:
    """Calls that the minute limit admits in a day, with a little room for what comes in lumps."""
    return 0.9 * burst(plan) * DAY / MINUTE
