"""Spans that are asked for later: pure algebra on the deferrals of a pair."""

from collections.abc import Sequence

from ingest.core.span import Span, Spans, subtract, union
from ingest.plan.state import Deferral

Deferrals = tuple[Deferral, ...]


def resting(deferred: Sequence[Deferral], now: int) -> Spans:
    """What is not asked for yet."""
    return union(entry.span for entry in deferred if entry.until > now)


def answered(deferred: Sequence[Deferral], window: Span, now: int) -> Deferrals:
    """The same without a window that was just answered, and without what has come due."""
    return tuple(
        Deferral(span, entry.until)
        for entry in deferred
        if entry.until > now
        for span in subtract((entry.span,), union((window,)))
    )


def defer(deferred: Sequence[Deferral], spans: Spans, until: int) -> Deferrals:
    """The same with some spans that are asked for from a moment on."""
    others = (Deferral(span, entry.until) for entry in deferred for span in subtract((entry.span,), spans))
    return tuple(sorted((*others, *(Deferral(span, until) for span in spans)), key=lambda entry: entry.span))
