"""Spans that are asked for later: pure algebra on the deferrals of a pair.

A window that the cloud refused is asked for again as a whole, then in halves, until what still fails lies within one
day. So a day that cannot be had costs itself alone, and few calls.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import tzinfo

from ingest.core.days import days_of
from ingest.core.span import Span, Spans, ceil_to, intersect, subtract, union
from ingest.core.units import DAY, MINUTE
from ingest.plan.state import Deferral

Deferrals = tuple[Deferral, ...]

WHOLE = 2
"""Refusals of a window in a row that are no chance: it is asked for in halves."""
GRID = 15 * MINUTE
"""The cloud rounds what it is asked to this (s)."""


def resting(deferred: Sequence[Deferral], now: int) -> Spans:
    """What is not asked for yet."""
    return union(entry.span for entry in deferred if entry.until > now)


def failing(deferred: Sequence[Deferral]) -> Spans:
    """What the cloud refused when it was last asked for. No other window may hold any of it: it would fail, too."""
    return union(entry.span for entry in deferred if entry.fails)


def cuts(span: Span, local: tzinfo) -> list[int]:
    """Where a span may be cut: at midnight, of the system and of UTC, for either may be the cloud's day."""
    midnights = (day.start for day in days_of(span, local))
    points = {*range(ceil_to(span.start + 1, DAY), span.end, DAY), *midnights}
    return sorted(at for at in points if span.start < at < span.end and at % GRID == 0)


def parts(entry: Deferral, local: tzinfo) -> list[Span]:
    """What may be asked for next of a refused span: all of it, or the newer and the older part at each of its cuts, the
    most even ones first. Where every reply is a day long, only an uneven one may be free of the day that fails.
    """
    start, end = entry.span
    points = cuts(entry.span, local) if entry.fails >= WHOLE else []
    if not points:
        return [entry.span]
    middle = (start + end) // 2
    return [part for at in sorted(points, key=lambda at: abs(at - middle)) for part in (Span(at, end), Span(start, at))]


def answered(deferred: Sequence[Deferral], window: Span, now: int) -> Deferrals:
    """The same without a window that was just answered, and without what is no longer deferred.

    A first refusal was chance where any part of it is answered; later the rest is where the failing day lies.
    """
    return tuple(_answered(deferred, window, now))


def _answered(deferred: Sequence[Deferral], window: Span, now: int) -> Iterator[Deferral]:
    for entry in deferred:
        touched = bool(intersect((entry.span,), window))
        if (entry.fails == 0 and entry.until <= now) or (entry.fails == 1 and touched):
            continue
        yield from (replace(entry, span=span) for span in subtract((entry.span,), union((window,))))


def defer(deferred: Sequence[Deferral], spans: Spans, until: int) -> Deferrals:
    """The same with some spans, which still change, to be asked for from a moment on."""
    return _sorted([*_without(deferred, spans), *(Deferral(span, until) for span in spans)])


def refused(
    deferred: Sequence[Deferral], window: Span, local: tzinfo, again: Callable[[int], int], in_a_row: int, reason: str
) -> Deferrals:
    """The same after the cloud refused a window. `again` says when (epoch s) to ask again after so many refusals,
    `in_a_row` counts those of the pair: all that is refused waits as long as that demands.

    Where a part of a span is refused, the rest may well be good: it is asked for as a whole.
    """
    after: list[Deferral] = []
    for entry in deferred:
        if not entry.fails or not intersect((entry.span,), window):
            after.append(entry)
            continue
        inside = intersect((entry.span,), window)
        holding = [part for part in parts(entry, local) if not subtract(inside, (part,))]
        part = min(holding, key=lambda part: part.length, default=entry.span)
        after.append(Deferral(part, again(entry.fails + 1), entry.fails + 1, reason))
        after += [Deferral(rest, 0, 1, entry.reason) for rest in subtract((entry.span,), (part,))]
    if len(after) == len(deferred) and not intersect(failing(deferred), window):
        after = [*_without(after, (window,)), Deferral(window, again(1), 1, reason)]
    wait = again(in_a_row)
    return _sorted([replace(entry, until=max(entry.until, wait)) if entry.fails else entry for entry in after])


def _without(deferred: Sequence[Deferral], spans: Spans) -> Iterator[Deferral]:
    for entry in deferred:
        if entry.fails:
            yield entry
        else:
            yield from (replace(entry, span=span) for span in subtract((entry.span,), spans))


def _sorted(deferred: Sequence[Deferral]) -> Deferrals:
    return tuple(sorted(deferred, key=lambda entry: entry.span))
