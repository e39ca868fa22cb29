"""What a reading before dawn makes of the one of the night before: the energy of the day between. Pure."""

from collections.abc import Iterator
from datetime import tzinfo

from ingest.commit.changes import Changes
from ingest.core.days import ONE, date_at, midnight
from ingest.core.draft import numbers
from ingest.core.point import Point, series_key
from ingest.core.units import HOUR
from ingest.enphase.streams.base import DailyDifference
from ingest.fetch.worker import Outcome

DAWN = 4 * HOUR
"""A reading within so many seconds of local midnight is that of a night: no sun has shone since."""


def record(changes: Changes, outcome: Outcome, now: int) -> None:
    """Write the day that ended with this night, where the night before was read too."""
    rule, local = outcome.task.stream.daily, changes.zone(outcome.task.system)
    if rule is not None and local is not None and now - midnight(date_at(now, local), local) < DAWN:
        changes.points.merge(list(_days(changes, outcome, rule, now, local)))


def _days(changes: Changes, outcome: Outcome, rule: DailyDifference, now: int, local: tzinfo) -> Iterator[Point]:
    begin = midnight(date_at(now, local) - ONE, local)
    for point in outcome.points:
        held = numbers(changes.points.rows(series_key(rule.measurement, point.tags)), rule.field)
        before = [value for at, value in sorted(held.items()) if begin <= at < begin + DAWN]
        value = point.fields.get(rule.field)
        if before and isinstance(value, float) and value >= before[0]:  # less is another device in its place
            yield Point(rule.daily, point.tags, begin, {rule.made: value - before[0]})
