"""Spans of time and the set algebra on them: everything the planner asks is one subtraction.

A span is `(start, end]` in epoch seconds. A set of spans is a tuple, sorted, disjoint and with gaps between.
"""

from collections.abc import Iterable, Iterator
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


def union(*sets: Iterable[tuple[int, int]]) -> Spans:
    """All the time that lies in any of the sets; touching spans become one, empty ones vanish."""
    merged: list[Span] = []
    every = [span for spans in sets for span in spans if span[0] < span[1]]
    if len(every) > 1:
        every.sort()
    for start, end in every:
        if merged and start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(end, merged[-1].end))
        else:
            merged.append(Span(start, end))
    return tuple(merged)


def subtract(spans: Iterable[Span], holes: Spans) -> Spans:
    """What remains of `spans` without `holes`."""
    return tuple(_subtract(spans, holes))


def _subtract(spans: Iterable[Span], holes: Spans) -> Iterator[Span]:
    for start, end in spans:
        at = start
        for hole in holes:
            if hole.end <= at:
                continue
            if hole.start >= end:
                break
            if hole.start > at:
                yield Span(at, hole.start)
            at = hole.end
        if at < end:
            yield Span(at, end)


def intersect(spans: Spans, window: Span) -> Spans:
    """The part of `spans` inside one window."""
    start, end = window
    if not spans or end <= start:
        return NONE
    # Asked a hundred thousand times for the report of a fleet: without a call for each span.
    return tuple(
        [
            span if span[0] >= start and span[1] <= end else Span(max(span[0], start), min(span[1], end))
            for span in spans
            if span[0] < end and span[1] > start
        ]
    )


def total(spans: Iterable[Span]) -> int:
    """Seconds covered by disjoint spans."""
    return sum(span.length for span in spans)


def floor_to(at: int, step: int) -> int:
    """The last multiple of `step` not after `at`."""
    return at - at % step


def ceil_to(at: int, step: int) -> int:
    """The first multiple of `step` not before `at`."""
    return -(-at // step) * step
