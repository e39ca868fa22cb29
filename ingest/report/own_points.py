"""What the pipeline says of itself to the databases: on change, hourly at most, and daily at least.

One point of the whole application is written every hour, so that silence can be told from quiet. What changed of a
stream since its point before is said in numbers and in words: a counter that stays silent for days has no difference
within a day, and no query language can put a number into a sentence.
"""

import sqlite3
from collections.abc import Iterable, Mapping

from ingest.core.point import Point, Value, decode_fields, series_key
from ingest.core.units import DAY, HOUR
from ingest.core.words import many
from ingest.report.metrics import odd_rows, open_gaps
from ingest.report.model import Problem, Report, StreamReport, SystemReport
from ingest.store import archive

MEASUREMENT = "ingest"
KEPT = 90 * DAY
"""The archive keeps what the pipeline said of itself for so long (s); the databases have a retention of their own."""
NO_NEWS = frozenset({"lag_s", "change", "changed_points", "changed_gaps"})
"""Fields whose change alone is no news: one moves always, the others tell of the point before."""


Sentences = Mapping[tuple[str, str], str]
"""What is said of a subject, by kind and subject."""


class OwnPoints:
    """The points of the measurement `ingest` of one application; `app` is its tag."""

    def __init__(self, db: sqlite3.Connection, app: str) -> None:
        self._app = app
        rows = archive.newest(db, MEASUREMENT)
        self._last: dict[str, tuple[int, dict[str, Value]]] = {
            key: (time, decode_fields(fields)) for key, time, fields in rows
        }

    def due(self, report: Report) -> list[Point]:
        """What is to be said now: the hourly point of the application, and what changed elsewhere."""
        return [self._with_change(point) for point in points(report, self._app) if self._is_due(point)]

    def said(self, told: Iterable[Point]) -> None:
        """These points were written."""
        for point in told:
            self._last[series_key(point.measurement, point.tags)] = point.time, dict(point.fields)

    def _is_due(self, point: Point) -> bool:
        time, fields = self._last.get(series_key(point.measurement, point.tags), (0, {}))
        silent = point.time - time
        if 0 <= silent < HOUR:
            return False
        return len(point.tags) == 1 or not 0 <= silent < DAY or _news(point.fields) != _news(fields)

    def _with_change(self, point: Point) -> Point:
        if "stream" not in dict(point.tags):
            return point
        _, before = self._last.get(series_key(point.measurement, point.tags), (0, {}))
        return point._replace(fields={**point.fields, **changes(before, point.fields)})


def _news(fields: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in fields.items() if name not in NO_NEWS}


def changes(before: Mapping[str, Value], after: Mapping[str, Value]) -> dict[str, Value]:
    """What changed of the data of a stream between two points; nothing where nothing did.

    `changed_points` (points revised), `changed_gaps` (more, or below zero: fewer), `change` (both in words).
    """
    if not {"points_revised", "gaps"} <= before.keys() & after.keys():
        return {}
    revised, gaps = (int(float(after[name]) - float(before[name])) for name in ("points_revised", "gaps"))
    revised = max(0, revised)
    words = [f"{many(revised, 'point')} revised"] if revised > 0 else []
    if gaps:
        words.append(f"{many(-gaps, 'gap')} filled" if gaps < 0 else many(gaps, "new gap"))
    if not words:
        return {}
    return {"changed_points": float(revised), "changed_gaps": float(gaps), "change": ", ".join(words)}


def points(made: Report, app: str) -> list[Point]:
    """Everything that can be said at the moment of a report: of the application, its accounts, sinks and streams."""
    tags, said = (("app", app),), _sentences(made.problems)
    found = [Point(MEASUREMENT, tags, made.now, _of_app(made))]
    for token in made.tokens:
        fields: dict[str, Value] = {"last_error": said.get(("auth", token.account), "")}
        if token.days_left is not None:
            fields["token_days_left"] = float(int(token.days_left))
        found.append(Point(MEASUREMENT, (("account", token.account), *tags), made.now, fields))
    for sink in made.sinks:
        fields = {"sink_backlog": float(sink.backlog), "last_error": said.get(("sink", sink.sink), "")}
        found.append(Point(MEASUREMENT, (*tags, ("sink", sink.sink)), made.now, fields))
    for system in made.systems:
        found += [_of_stream(made, app, system, stream, said) for stream in system.streams]
    return found


def _of_app(made: Report) -> dict[str, Value]:
    streams = [stream for system in made.systems for stream in system.streams]
    return {
        "calls_month": float(made.quota.used_month),
        "calls_month_limit": float(made.quota.per_month),
        "calls_month_forecast": float(made.quota.forecast_month),
        "coverage_ratio": made.backfill.ratio,
        "gaps": float(sum(map(open_gaps, streams))),
        "points_revised": float(sum(stream.revised for stream in streams)),
        "audit_differences": float(sum(len(system.differences) for system in made.systems)),
        "sink_backlog": float(max((sink.backlog for sink in made.sinks), default=0)),
        "last_error": made.problems[0].text if made.problems else "",
    }


def _of_stream(made: Report, app: str, system: SystemReport, stream: StreamReport, said: Sentences) -> Point:
    fields: dict[str, Value] = {
        "coverage_ratio": stream.ratio,
        "gaps": float(open_gaps(stream)),
        "odd_rows": float(odd_rows(stream)),
        "points_revised": float(stream.revised),
        "audit_differences": float(len(system.differences)),
        "calls_month": float(stream.calls_month),
        "last_error": said.get(("", f"{system.system}.{stream.stream}"), ""),
    }
    if stream.lag_s is not None:
        fields["lag_s"] = float(stream.lag_s)
    tags = (("app", app), ("stream", stream.stream), ("system", system.system))
    return Point(MEASUREMENT, tags, made.now, fields)


def _sentences(problems: Iterable[Problem]) -> Sentences:
    """The first sentence about a subject, by its kind and for all kinds; absent while all is well."""
    found: dict[tuple[str, str], str] = {}
    for at in problems:
        found.setdefault((at.kind, at.subject), at.text)
        found.setdefault(("", at.subject), at.text)
    return found
