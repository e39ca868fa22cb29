"""What the pipeline says of itself to the databases: on change, hourly at most.

One point of the whole application is written every hour, so that silence can be told from quiet.
"""

import sqlite3
from collections.abc import Iterable, Mapping

from ingest.core.point import Point, Value, decode_fields, series_key
from ingest.core.units import DAY, HOUR
from ingest.report.metrics import odd_rows, open_gaps
from ingest.report.model import Problem, Report, StreamReport, SystemReport
from ingest.store import archive

MEASUREMENT = "ingest"
KEPT = 90 * DAY
"""The archive keeps what the pipeline said of itself for so long (s); the databases have a retention of their own."""
ALWAYS_MOVING = frozenset({"lag_s"})
"""Fields whose change alone is no news."""


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
        return [point for point in points(report, self._app) if self._is_due(point)]

    def said(self, told: Iterable[Point]) -> None:
        """These points were written."""
        for point in told:
            self._last[series_key(point.measurement, point.tags)] = point.time, dict(point.fields)

    def _is_due(self, point: Point) -> bool:
        time, fields = self._last.get(series_key(point.measurement, point.tags), (0, {}))
        if 0 <= point.time - time < HOUR:
            return False
        return len(point.tags) == 1 or _news(point.fields) != _news(fields)


def _news(fields: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in fields.items() if name not in ALWAYS_MOVING}


def points(made: Report, app: str) -> list[Point]:
    """Everything that can be said at the moment of a report: of the application, its accounts, sinks and streams."""
    tags = (("app", app),)
    found = [Point(MEASUREMENT, tags, made.now, _of_app(made))]
    for token in made.tokens:
        fields: dict[str, Value] = {"last_error": _said(made.problems, "auth", token.account)}
        if token.days_left is not None:
            fields["token_days_left"] = float(int(token.days_left))
        found.append(Point(MEASUREMENT, (("account", token.account), *tags), made.now, fields))
    for sink in made.sinks:
        fields = {"sink_backlog": float(sink.backlog), "last_error": _said(made.problems, "sink", sink.sink)}
        found.append(Point(MEASUREMENT, (*tags, ("sink", sink.sink)), made.now, fields))
    for system in made.systems:
        found += [_of_stream(made, app, system, stream) for stream in system.streams]
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


def _of_stream(made: Report, app: str, system: SystemReport, stream: StreamReport) -> Point:
    fields: dict[str, Value] = {
        "coverage_ratio": stream.ratio,
        "gaps": float(open_gaps(stream)),
        "odd_rows": float(odd_rows(stream)),
        "points_revised": float(stream.revised),
        "audit_differences": float(len(system.differences)),
        "calls_month": float(stream.calls_month),
        "last_error": _said(made.problems, "", f"{system.system}.{stream.stream}"),
    }
    if stream.lag_s is not None:
        fields["lag_s"] = float(stream.lag_s)
    tags = (("app", app), ("stream", stream.stream), ("system", system.system))
    return Point(MEASUREMENT, tags, made.now, fields)


def _said(problems: Iterable[Problem], kind: str, subject: str) -> str:
    """The sentence about a subject; empty while all is well."""
    return next((at.text for at in problems if at.subject == subject and kind in ("", at.kind)), "")
