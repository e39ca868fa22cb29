"""What a reading before dawn makes of the one of the night before: the energy of the day between. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo

from ingest.commit import odd
from ingest.commit.changes import Changes
from ingest.core.days import ONE, LocalDay, date_at, days_of, midnight
from ingest.core.point import Point, Tags, encode, parse_series, series_key
from ingest.core.series_rows import Columns
from ingest.core.span import Span
from ingest.core.units import DAY, HOUR
from ingest.enphase.streams import STREAMS
from ingest.enphase.streams.base import DailyDifference, Odd
from ingest.enphase.streams.readers import SAMPLE
from ingest.fetch.worker import Outcome

DAWN = 4 * HOUR
"""Seconds from local midnight within which a reading is that of a night: no sun has shone since."""
MAX_WH = 25_000.0
"""No panel makes that much in a day: a kilowatt for all its hours."""
TOO_MUCH = "two nights' readings differ by more than a panel can make in a day"
RULES = tuple(stream.daily for stream in STREAMS if stream.daily)
NIGHTLY = frozenset(name for rule in RULES for name in (rule.measurement, rule.daily))
"""The measurements of the readings, and of the days that are made of them."""


def record(changes: Changes, outcome: Outcome, now: int) -> None:
    """Write the day that ended with this night, where the night before was read too."""
    rule, local = outcome.task.stream.daily, changes.zone(outcome.task.system)
    if rule is None or local is None or now - midnight(date_at(now, local), local) >= DAWN:
        return
    date = date_at(now, local) - ONE
    days = [LocalDay(date, midnight(date, local), midnight(date + ONE, local))]
    differences = [day for point in outcome.points for day in _days(changes, rule, point.tags, days)]
    too_much = [Odd(TOO_MUCH, encode(day)[:SAMPLE]) for day in differences if not _is_likely(day, rule)]
    if too_much:
        odd.judged_anew(changes, outcome.task.pair, too_much, now, ())
    changes.points.merge([day for day in differences if _is_likely(day, rule)])


def anew(changes: Changes, system: str, local: tzinfo) -> None:
    """Make the days of a system whose zone is another again; those that began at other midnights are withdrawn."""
    for rule in RULES:
        for key in changes.loaded.rows:
            measurement, tags = parse_series(key)
            times = changes.points.rows(key).keys()
            if measurement == rule.measurement and ("system", system) in tags and times:
                old = changes.points.rows(series_key(rule.daily, tags))
                days = days_of(Span(min(times), max(times) + 1), local)
                differences = [day for day in _days(changes, rule, tags, days) if _is_likely(day, rule)]
                gone = old.keys() - {day.time for day in differences}
                changes.points.replace([*differences, *(Point(rule.daily, tags, time, {}) for time in sorted(gone))])


def _is_likely(day: Point, rule: DailyDifference) -> bool:
    return float(day.fields[rule.made]) <= MAX_WH


def _days(changes: Changes, rule: DailyDifference, tags: Tags, days: Iterable[LocalDay]) -> Iterator[Point]:
    """The days of a device that began and ended with a night in which it was read.

    Less than the night before is another device in its place, or a reading that is wrong: none of the two begins or
    ends a day.
    """
    held = sorted(Columns(changes.points.rows(series_key(rule.measurement, tags))).numbers(rule.field).items())
    for day in days:
        nights = (day.start - DAY, day.start, day.end)
        earlier, before, after = (_within(held, at, DAY if at < day.start else DAWN) for at in nights)
        if before and after and before[0] <= after[0] and not any(value > before[0] for value in earlier):
            yield Point(rule.daily, tags, day.start, {rule.made: after[0] - before[0]})


def _within(readings: Sequence[tuple[int, float]], begin: int, seconds: int) -> list[float]:
    first, last = bisect_left(readings, (begin,)), bisect_left(readings, (begin + seconds,))
    return [value for _, value in readings[first:last]]
