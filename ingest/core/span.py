"""Spans of time and the set algebra on them: everything the planner asks is one subtraction.

A span is `(start, end]` in epoch seconds. A set of spans is a tuple, sorted, disjoint and with gaps between.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple


class Span(NamedTuple):
    """The time after `start` up to and including `end`; empty when `end <= start`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Seconds in the span, never negative."""
        return max(0, self.end - self.start)


Spans = tuple[Span, ...]
NONE: Spans = ()
_start, _end = itemgetter(0), itemgetter(1)


def union(*sets: Iterable[tuple[int, int]]) -> Spans:
    """All the time that lies in any of the sets; touching spans become one, empty ones vanish."""
    merged: list[Span] = []
    every = [span for spans in sets for span in spans if span[0] < span[1]]
    if len(every) > 1:
        every.sort()
    newest = 0
    for span in every:
        if merged and span[0] <= newest:
            newest = max(newest, span[1])
            merged[-1] = Span(merged[-1].start, newest)
        else:
            newest = span[1]
            merged.append(span if isinstance(span, Span) else Span(*span))
    return tuple(merged)


def of_times(times: Iterable[int], length: int) -> Spans:
    """The same of spans of one length (s), by their starts."""
    starts = sorted(times)
    breaks = [(at, following) for at, following in pairwise(starts) if following - at > length]
    begins = [*starts[:1], *(following for _, following in breaks)]
    ends = [*(at for at, _ in breaks), *starts[-1:]]
    return tuple([Span(begin, end + length) for begin, end in zip(begins, ends, strict=True)])


def add(spans: Spans, span: Span) -> Spans:
    """A set with one more span, found without looking at all of the set: that of a long life has a thousand."""
    if not span.length:
        return spans
    first, last = bisect_left(spans, span.start, key=_end), bisect_right(spans, span.end, key=_start)
    return (*spans[:first], *union(spans[first:last], (span,)), *spans[last:])


def subtract(spans: Iterable[Span], holes: Spans) -> Spans:
    """What remains of `spans` without `holes`."""
    return tuple(_subtract(spans, holes))


def _subtract(spans: Iterable[Span], holes: Spans) -> Iterator[Span]:
    for span in spans:
        at, end = span
        first = bisect_right(holes, at, key=_end)
        for index in range(first, len(holes)):
            hole = holes[index]
            if hole.start >= end:
                break
            if hole.start > at:
                yield Span(at, hole.start)
            at = hole.end
        if at < end:
            yield span if at == span.start else Span(at, end)


def intersect(spans: Spans, window: Span) -> Spans:
    """The part of `spans` inside one window."""
    start, end = window
    if not spans or end <= start or spans[0][0] >= end or spans[-1][1] <= start:
        return NONE
    first, last = bisect_right(spans, start, key=_end), bisect_left(spans, end, key=_start)
    # Asked a hundred thousand times for the report of a fleet: without a call for each span.
    return tuple(
        [
            span if span[0] >= start and span[1] <= end else Span(max(span[0], start), min(span[1], end))
            for span in spans[first:last]
        ]
    )


def holds(spans: Spans, window: Span) -> bool:
    """Whether all of a window lies in one of the spans."""
    start, end = window
    at = bisect_right(spans, start, key=_start) if len(spans) > 1 else bool(spans) and spans[0][0] <= start
    return at > 0 and spans[at - 1][1] >= end


def total(spans: Iterable[Span]) -> int:
    """Seconds covered by disjoint spans."""
    return sum(span.length for span in spans)


def floor_to(at: int, step: int) -> int:
    """The last multiple of `step` not after `at`."""
    return at - at % step


def ceil_to(at: int, step: int) -> int:
    """The first multiple of `step` not before `at`."""
    return -(-at // step) * step
