"""The situations in which boards are looked at, each with a database of its own on the one real server."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from ingest.core import derive
from ingest.core.days import date_at, days_of, midnight, month_start, next_month_start
from ingest.core.point import Point, encode
from ingest.core.span import Span
from ingest.deliver.influx_v1 import InfluxV1Sink
from ingest.report.missing_days import WAITS
from ingest.simulator import Site
from tests.stack.seed import ALL, CABIN, CABIN_DATABASE, DATABASE, NOW, SINCE, Seeded, calls, gap_words, missing
from tests.world import DAY, HOUR

MESA, LAKE, BAY, MILL = ALL
MARCH = range(*(int(datetime(2026, month, 1, tzinfo=UTC).timestamp()) for month in (3, 4)))
LOST_DAYS = (date(2026, 10, 12), date(2026, 10, 16)), (date(2026, 10, 29), date(2026, 10, 30))
"""First and last of those in a row that were lost where there are holes, of intervals too."""
HOLES = (MARCH, *(range(MESA.midnight(one), MESA.midnight(other + timedelta(days=1))) for one, other in LOST_DAYS))
LATE_SINCE = NOW - 90 * 60
"""Since when no consumption was read where there are holes: its stream ends before that of production."""
YEARS = 5


@dataclass(frozen=True)
class Situation:
    """Who looks, at what, from where. `days` back from now for boards whose own range is not wanted."""

    name: str
    site: Site
    database: str = DATABASE
    browser: str = ""
    days: int | None = None
    reversed: bool = False
    light: bool = False

    @property
    def zone(self) -> str:
        """The zone of the browser: that of the system where it does not matter."""
        return self.browser or self.site.timezone


SITUATIONS = (
    Situation("one system", MESA, "one"),
    *(Situation(f"four systems, {site.name}", site) for site in (MESA, LAKE, BAY)),
    Situation("without a consumption meter", MILL),
    Situation("the first two hours", MESA, "newcomer"),
    Situation("a month with holes", MESA, "holes"),
    Situation("five years", MESA, "years", days=YEARS * 366),
    Situation("battery and grid", CABIN, CABIN_DATABASE),
    Situation("a browser in another zone", BAY, browser="Europe/Berlin", reversed=True, light=True),
)

Row = tuple[str, tuple[tuple[str, str], ...], int, dict[str, float | str]]


@cache
def _measurements(seeded: Seeded, database: str) -> tuple[str, ...]:
    (series,) = seeded.server.execute("SHOW MEASUREMENTS", database)
    return tuple(row[0] for row in series["values"])


def points(seeded: Seeded, database: str = DATABASE) -> Iterator[Point]:
    """Everything that a seeded database holds."""
    for measurement in _measurements(seeded, database):
        query = f'SELECT * FROM "{measurement}" GROUP BY *'  # noqa: S608
        for series in seeded.server.execute(query, database):
            tags = tuple((key, value) for key, value in sorted(series["tags"].items()) if value)
            for time, *values in series["values"]:
                named = zip(series["columns"][1:], values, strict=True)
                fields = {
                    key: value if isinstance(value, str) else float(value) for key, value in named if value is not None
                }
                yield Point(measurement, tags, time, fields)


def of_site(point: Point, site: Site) -> bool:
    """Whether it is the system's, or of no system."""
    return dict(point.tags).get("system") in (None, str(site.system_id))


def newcomer(point: Point) -> bool:
    """What there is after two hours."""
    if point.measurement in ("energy_daily", "energy_monthly", "production_meter_reading"):
        return False
    if point.measurement == "ingest" and "stream" in dict(point.tags):
        return False
    return of_site(point, MESA) and (point.measurement == "system_info" or point.time >= NOW - 2 * HOUR)


def holed(point: Point) -> bool:
    """What there is where days were lost."""
    if point.measurement == "energy_monthly":
        return False
    is_late = point.measurement == "consumption" and point.time >= LATE_SINCE
    return of_site(point, MESA) and not is_late and not any(point.time in hole for hole in HOLES)


def with_holes(point: Point) -> Point:
    """What the pipeline says of its streams where days were lost, and production of which no consumption is known."""
    if point.measurement == "energy" and point.time >= LATE_SINCE:
        return point._replace(fields={name: value for name, value in point.fields.items() if name == "produced_wh"})
    if point.measurement != "ingest" or "stream" not in dict(point.tags):
        return point
    lost = sum((other - one).days + 1 for one, other in LOST_DAYS)
    words: dict[str, float | str] = {
        "gaps": float(len(LOST_DAYS)),
        "gap_days": ", ".join(gap_words(days) for days in LOST_DAYS),
        "coverage_ratio": 1.0 - lost / (MESA.local_date(NOW) - SINCE).days,
        "lost_days": float(lost),
        **missing(lost),
    }
    return point._replace(fields={**point.fields, **words})


def just_begun(point: Point) -> Iterator[Point]:
    """What the pipeline says of its streams after two hours: all but these is still to be read."""
    if point.measurement == "ingest" and "stream" in dict(point.tags) and of_site(point, MESA):
        days = (SINCE, MESA.local_date(NOW) - timedelta(days=1))
        words: dict[str, float | str] = {
            "gaps": 1.0,
            "gap_days": gap_words(days),
            **missing((days[1] - days[0]).days + 1, WAITS),
            "coverage_ratio": 0.002,
            "lost_days": 0.0,
            "audit_differences": 0.0,
            "audit_days": "",
            "last_error": "",
        }
        kept = {name: value for name, value in point.fields.items() if "change" not in name}
        yield point._replace(time=NOW - HOUR, fields={**kept, **words, "points_revised": 0.0})


def alone(point: Point) -> Point:
    """What the pipeline says of its calls where one system is all that it reads."""
    if point.measurement != "ingest" or "calls_month_limit" not in point.fields:
        return point
    return point._replace(fields={**point.fields, **calls([MESA], point.time)})


def months(days: Iterable[Point], site: Site) -> Iterator[Point]:
    """The months of some days."""
    held = [point for point in days if point.measurement == "energy_daily"]
    fields = ("produced_wh", "consumed_wh", "self_consumed_wh")
    sums = {name: {at.time: float(at.fields[name]) for at in held if name in at.fields} for name in fields}
    starts = sorted({month_start(date_at(point.time, site.zone)) for point in held})
    spans = [(midnight(day, site.zone), midnight(next_month_start(day), site.zone)) for day in starts]
    return derive.dated(derive.monthly(str(site.system_id), spans, sums), site.zone)


def long_life(found: list[Point], site: Site) -> Iterator[Point]:
    """The days of two years, again and again before them."""
    days = {point.time: point for point in found if point.measurement == "energy_daily" and of_site(point, site)}
    order = sorted(days)
    span = Span(order[0] - (YEARS - 2) * 365 * DAY, order[0])
    for at, day in enumerate(days_of(span, site.zone)):
        like = days[order[(at + 3) % 364]]
        numbers = {name: value for name, value in like.fields.items() if name in ("produced_wh", "consumed_wh")}
        yield from derive.dated([Point("energy_daily", like.tags, day.start, numbers)], site.zone)


def counted_since(before: list[Point], point: Point) -> Point:
    """The readings of a meter that has counted what was produced before, too."""
    if point.measurement != "production_meter_reading":
        return point
    more = sum(float(day.fields["produced_wh"]) for day in before)
    return point._replace(fields={"reading_wh": float(point.fields["reading_wh"]) + more})


def build(seeded: Seeded) -> None:
    """The other databases, from what the first one holds."""
    found = list(map(alone, points(seeded)))
    own = [point for point in found if of_site(point, MESA)]
    before = list(long_life(found, MESA))
    years = [counted_since(before, point) for point in own if point.measurement != "energy_monthly"] + before
    holes = [with_holes(point) for point in found if holed(point)]
    begun = [one for point in found for one in just_begun(point)]
    made: dict[str, list[Point]] = {
        "one": own,
        "newcomer": [*begun, *(point for point in found if newcomer(point))],
        "holes": [*holes, *months(holes, MESA)],
        "years": [*years, *months(years, MESA)],
        "nothing": [],
    }
    for name, contents in made.items():
        seeded.server.execute(f'CREATE DATABASE "{name}"')
        sink = InfluxV1Sink(seeded.server.url, name)
        if contents:
            sink.write(list(map(encode, contents)))
        sink.close()


def _joined(value: str | list[str]) -> str:
    return value if isinstance(value, str) else f"({'|'.join(value)})"


_NAMED = re.compile(r"\$\{(\w+)(?::\w+)?\}")


def expanded(text: str, values: dict[str, dict[str, Any]], begin: int, interval: str) -> str:
    """The text that Grafana sends, `now()` being the moment at which the database was seeded."""
    text = text.replace("${__from:raw}", f"{begin * 1000}").replace("${__to:raw}", f"{NOW * 1000}")
    text = _NAMED.sub(lambda match: _joined(values[match[1]]["value"]), text)
    text = text.replace("$timeFilter", f"time >= {begin * 1000}ms and time <= {NOW * 1000}ms")
    return text.replace("$__interval", interval).replace("now()", f"{NOW}s")


Reader = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
