"""Which intervals may leave the archive, where it keeps them for a time only: those of whole months that are old enough
and wholly read. Pure.
"""

from collections.abc import Iterable
from datetime import date, tzinfo
from typing import NamedTuple

from ingest.core.days import ONE, date_at, midnight, month_start, next_month_start
from ingest.core.span import Span, Spans, floor_to, subtract
from ingest.core.units import DAY
from ingest.plan.coverage import covered
from ingest.plan.windows import served_from
from ingest.plan.work import Work

MARGIN = 2 * ONE
"""How much of the month before stays: its days can then be cut in another zone, should that be corrected."""

YOUNG = 30 * DAY
"""What is younger (s) is not history."""


class Cut(NamedTuple):
    """The end of a month: intervals that began before `until` (epoch s) leave; what is derived of local days before
    `day` (ISO date, the first of a month, which began at `fixed`) stays as it is from then on.
    """

    day: str
    fixed: int
    until: int


def cut_at(day: date, local: tzinfo) -> Cut:
    """The cut at the first day of a month, by the midnights of a zone."""
    return Cut(day.isoformat(), midnight(day, local), midnight(day - MARGIN, local))


def next_cut(oldest: int, known_to: int, keep: int, local: tzinfo) -> Cut | None:
    """The next cut of a system whose oldest interval began at `oldest` and which the cloud knows up to `known_to`
    (epoch s), of which the last `keep` seconds stay; None while none is due.
    """
    day = next_month_start(date_at(oldest, local) + MARGIN)
    return cut_at(day, local) if day <= month_start(date_at(known_to - keep, local)) else None


def unread(work: Work, until: int, now: int, age: int) -> Spans:
    """What of a stream from before a moment is wanted, still served, and not read to stay; also what is deferred."""
    if not work.route.reach or work.is_empty or work.lacks_devices:
        return ()
    end = until if work.until is None else min(until, work.until)
    wanted = Span(served_from(work, now), floor_to(end, work.route.step))
    return subtract((wanted,) if wanted.length else (), covered(work.read, age))


def is_read(works: Iterable[Work], until: int, now: int, age: int) -> bool:
    """Whether the history of the interval streams among some pairs is read: not only what is from before a moment, for
    a reply to what is missing later may tell of what is before. What is young is read in its turn.
    """
    return not any(unread(work, max(until, now - YOUNG), now, age) for work in works if work.stream.grain)
