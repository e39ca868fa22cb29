"""The days that are missing: ended local days of which something should have been read by now and was not.

Hours of the day that runs are no missing day, and what is not yet due is not missing.
"""

from collections.abc import Iterable
from datetime import date

from ingest.core.days import days_of, local_midnight, zone
from ingest.core.span import Span
from ingest.report.data_problems import REFUSALS
from ingest.report.gaps import QUEUED, QUIET
from ingest.report.model import StreamReport

NAMED = 2
"""Spans of gaps that are named by their days."""
TODAY = "hours of today"
WAITS = "waits its turn"
REFUSED = "refused often"
REASONS = {"never delivered": "not delivered", "denied": "not allowed", **dict.fromkeys(QUEUED, WAITS)}
"""The reason of a gap in words that stay the same from hour to hour."""


def gap_reason(stream: StreamReport) -> str:
    """Why the newest of the gaps is there that should have been read by now; empty where there is none."""
    return next(iter(_reasons(stream)), "")


def _reasons(stream: StreamReport) -> list[str]:
    """Those of the gaps that should have been read by now, the newest first."""
    return [gap.reason for gap in reversed(stream.gaps) if gap.reason not in QUIET]


def _owing(stream: StreamReport) -> list[Span]:
    return [Span(gap.start, gap.end) for gap in stream.gaps if gap.reason not in QUIET]


def _ended(spans: Iterable[Span], timezone: str, now: int) -> list[Span]:
    """The parts of spans before the local day that runs."""
    today = local_midnight(now, timezone)
    return [Span(span.start, min(span.end, today)) for span in spans if span.start < today]


def _dates(spans: Iterable[Span], timezone: str) -> set[date]:
    return {day.date for span in spans for day in days_of(span, zone(timezone))}


def missing_days(stream: StreamReport, timezone: str, now: int) -> int:
    """How many."""
    return len(_dates(_ended(_owing(stream), timezone, now), timezone))


def gap_days(stream: StreamReport, timezone: str, now: int) -> str:
    """Which, oldest first, such as "2026-10-03 to 2026-10-05, 2026-10-20 and 3 more"."""
    owing = _owing(stream)
    spans = _ended(owing, timezone, now)
    if owing and not spans:
        return TODAY
    named = []
    for span in spans[:NAMED]:
        days = days_of(span, zone(timezone))
        first, last = days[0].date.isoformat(), days[-1].date.isoformat()
        named.append(first if first == last else f"{first} to {last}")
    more = len(spans) - len(named)
    return ", ".join(dict.fromkeys(named)) + (f" and {more} more" if more else "")


def gap_why(stream: StreamReport) -> str:
    """Why, in a few words, that of the newest gap first; empty where nothing is missing."""
    reasons = _reasons(stream)
    words = [REASONS.get(reason.partition(":")[0], reason.partition(":")[0]) for reason in reasons]
    if any(refused.fails > REFUSALS for refused in stream.refused):
        words = [REFUSED if word == REASONS["never delivered"] else word for word in words]
    return ", ".join(dict.fromkeys(words))


def lost_days(stream: StreamReport, timezone: str, now: int) -> int:
    """How many of them the cloud has refused so often that somebody should look."""
    refused = [Span(span.start, span.end) for span in stream.refused if span.fails > REFUSALS]
    return len(_dates(_ended(refused, timezone, now), timezone))
