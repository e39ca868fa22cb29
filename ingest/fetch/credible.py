"""What of a reply can be, by the clock: nothing was measured after now. Pure."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ingest.core.point import Point, encode
from ingest.core.table import times_of
from ingest.core.units import HOUR, MINUTE
from ingest.enphase.streams.base import Lifetime, Odd
from ingest.enphase.streams.readers import SAMPLE

SLACK = MINUTE
"""How far (s) a clock may be behind another."""


def not_ahead(points: Sequence[Point], lasts: int, date_at: int | None) -> tuple[Sequence[Point], list[Odd]]:
    """Points without those that end, `lasts` (s) later, after the cloud's time or ours: nobody measured them."""
    if date_at is None or max(times_of(points), default=0) + lasts <= date_at + SLACK:
        return points, []
    ahead = [point for point in points if point.time + lasts > date_at + SLACK]
    good = [point for point in points if point.time + lasts <= date_at + SLACK]
    return good, [Odd("it ends after the cloud's own time", encode(point)[:SAMPLE]) for point in ahead]


def odd_totals(life: Lifetime | None, date_at: int | None) -> list[Odd]:
    """Totals that cannot be read, and those of days that have begun nowhere on earth: they count for nothing."""
    if life is None or life.start is None or date_at is None:
        return list(life.odd) if life else []
    newest = datetime.fromtimestamp(date_at, UTC).date() + timedelta(days=1)
    return [*life.odd] + [
        Odd("it is of a day after the cloud's own time", json.dumps({series: values[-1]}))
        for series, values in life.series.items()
        if life.start + timedelta(days=len(values) - 1) > newest
    ]


def credible(reported_at: int | None, date_at: int | None) -> int | None:
    """A report of the gateway, unless it lies in the future by more than its clock may be fast."""
    if reported_at is None or date_at is None or reported_at <= date_at + HOUR:
        return reported_at
    return None
