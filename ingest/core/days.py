"""Local calendar days: where they begin and end in epoch seconds, also when they have 23 or 25 hours."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingest.core.span import Span

ONE = timedelta(days=1)


class LocalDay(NamedTuple):
    """A calendar day of a system; `start` and `end` are its midnights in epoch seconds."""

    date: date
    start: int
    end: int

    @property
    def span(self) -> Span:
        """The day as a span: the intervals that begin within it are those that end in `(start, end]`."""
        return Span(self.start, self.end)


def zone(name: str) -> ZoneInfo:
    """The time zone of a system; UTC when the cloud names one that is not known here."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@lru_cache(maxsize=4096)  # all systems have the same days
def midnight(day: date, zone: tzinfo) -> int:
    """When a calendar day begins; where the clocks skip midnight, the moment at which they do."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


@lru_cache(maxsize=4096)
def date_at(at: int, zone: tzinfo) -> date:
    """The calendar day of a moment."""
    return datetime.fromtimestamp(at, UTC).astimezone(zone).date()


def local_midnight(at: int, timezone: str) -> int:
    """When the local day of a moment began."""
    local = zone(timezone)
    return midnight(date_at(at, local), local)


def days_between(first: date, count: int, zone: tzinfo) -> Iterator[LocalDay]:
    """`count` days from the first on."""
    start = midnight(first, zone)
    for _ in range(count):
        following = first + ONE
        end = midnight(following, zone)
        yield LocalDay(first, start, end)
        first, start = following, end


@lru_cache(maxsize=2)
def days_of_life(first: date, count: int, zone: tzinfo) -> tuple[LocalDay, ...]:
    """The same, of which the last are at hand: a life has thousands, and is looked at again and again."""
    return tuple(days_between(first, count, zone))


def days_of(span: Span, zone: tzinfo) -> list[LocalDay]:
    """The days that a span touches."""
    if span.start >= span.end:
        return []
    first, last = date_at(span.start, zone), date_at(span.end - 1, zone)
    return list(days_between(first, (last - first).days + 1, zone))


def month_start(day: date) -> date:
    """The first day of the month."""
    return day.replace(day=1)


def next_month_start(day: date) -> date:
    """The first day of the month that follows."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
