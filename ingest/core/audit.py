"""The vendor's daily totals compared with the sums of the intervals that were read.

A day is judged when it is wholly covered and the cloud still serves it, and again only when its total or its intervals
have changed since. To *doubt* a day is to take it out of the coverage, so that the planner reads it once more.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ingest.core.days import LocalDay
from ingest.core.span import Spans, holds

MAX_DOUBTS = 2
"""How often a day is read again because its intervals do not add up to one and the same total."""
MAX_TRIFLES = 10
"""How often a day is read again at all because of changes that are smaller than the tolerance."""

TotalKey = tuple[str, str, str]
"""System, series and day (ISO date) of a total."""


class Total(NamedTuple):
    """The last known daily total of the vendor, in Wh.

    `final`: the cloud had known the whole day for the settle time when it said so. `open`: to be judged as soon as the
    day is covered. `changed`: the value differs from that of the last judgement. `doubts` and `reads` count how often
    the day was read again because of this value, and in all. `held` is our sum where it differs and we let it be.
    """

    wh: float
    final: bool = False
    open: bool = True
    changed: bool = False
    doubts: int = 0
    reads: int = 0
    held: float | None = None


def dated(values: Sequence[float | None], days: Sequence[LocalDay], until: int) -> Iterator[tuple[LocalDay, float]]:
    """The values of a dense array with their days: those that ended by `until`, without what is null."""
    for day, value in zip(days, values, strict=False):
        if day.end > until:
            return
        if value is not None:
            yield day, value


def without_unknown(totals: Sequence[tuple[LocalDay, float]], reported_at: int) -> Sequence[tuple[LocalDay, float]]:
    """Drop the zeros at the end that stand for "not reported yet": those of days that end after the last report."""
    last = len(totals)
    while last and totals[last - 1][1] == 0 and totals[last - 1][0].end > reported_at:
        last -= 1
    return totals[:last]


def seen(old: Total | None, wh: float, *, final: bool) -> Total:
    """A total after the vendor said `wh` of the day; a first value is no change."""
    if old is None:
        return Total(wh, final)
    if old.wh == wh:
        return old if old.final == final else old._replace(final=final)
    return Total(wh, final, changed=True, reads=old.reads)


def tolerance(wh: float, intervals: int) -> float:
    """How far a sum may be off: 1 %, or what rounding each interval to whole Wh may come to."""
    return max(0.01 * abs(wh), 0.5 * intervals)


def judge(total: Total, held: float, intervals: int) -> tuple[Total, bool]:
    """Hold our sum of a covered day against its total: the total as judged, and whether to read the day again.

    A changed total is a reason to read again unless our sum is that very number already. A sum that is off is a
    reason twice for each value of the total; after that the difference is kept in `held` and let be.
    """
    off = abs(held - total.wh)
    again = total._replace(changed=False, reads=total.reads + 1, held=None)
    if off > tolerance(total.wh, intervals):
        if total.changed:
            return again, True
        if total.doubts < MAX_DOUBTS:
            return again._replace(doubts=total.doubts + 1), True
        return total._replace(open=False, held=held), False
    if total.changed and off >= 1 and total.reads < MAX_TRIFLES:
        return again, True
    return total._replace(open=False, changed=False, held=None), False


def is_covered(day: LocalDay, read: Spans) -> bool:
    """Whether a whole day lies within what was read."""
    # Asked of a life of days, most of which are from before anything was read.
    return bool(read) and read[0].start <= day.start and day.end <= read[-1].end and holds(read, day.span)


def reopened(total: Total) -> Total:
    """A total whose intervals have changed: it is judged once more."""
    return total._replace(open=True)
