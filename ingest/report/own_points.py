"""What the pipeline says of itself to the databases: on change, hourly at most, and daily at least.

One point of the whole application is written every hour, so that silence can be told from quiet; where only calls of a
stream were counted, that is told with it. What changed of a stream since its point before is said in numbers and in
words: a counter that stays silent for days has no difference within a day, and no query language can put a number into
a sentence.
"""

import re
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ingest.core.days import date_at, zone
from ingest.core.point import Point, Value, decode_fields, series_key
from ingest.core.units import DAY, HOUR, NEVER
from ingest.core.words import many
from ingest.enphase.streams import BY_NAME
from ingest.report.metrics import odd_rows, open_gaps
from ingest.report.missing_days import gap_days, gap_reason, gap_why, lost_days, missing_days
from ingest.report.model import Problem, Report, StreamReport, SystemReport
from ingest.report.systems import METERS
from ingest.store import own
from ingest.store.own import MEASUREMENT, Said

KEPT = 90 * DAY
"""How long (s) the state keeps what the pipeline said of itself; the databases have a retention of their own."""
TOLD = ("change", "change_why", "changed_points", "changed_gaps", "changed_wh")
"""Fields that tell of the point before."""
NO_NEWS = frozenset({"lag_s", *TOLD})
"""Fields whose change alone is no news: one moves always."""
IN_TIME = frozenset({"calls_month"})
"""Fields whose change alone waits for the hourly point of the application: every call moves one."""
NAMED_DAYS = 5
"""How many days that do not add up are named."""
REVISED = "cloud corrected it"
FILLED = "what was missing was read in its turn"

Sentences = Mapping[tuple[str, str], str]
"""What is said of a subject, by kind and subject."""


class OwnPoints:
    """The points of the measurement `ingest` of one application; `app` is its tag."""

    def __init__(self, db: sqlite3.Connection, app: str) -> None:
        self._app = app
        self._last: dict[str, tuple[int, str, str]] = {}
        """When each series was told last, and what: the names of the fields, which many share, and their values."""
        for key, time, row in own.newest(db):
            self._remember(key, time, row)

    def due(self, report: Report) -> list[Said]:
        """What is to be said now, that of thousands of systems as text, which is small: the hourly point of the
        application, and what changed elsewhere.
        """
        reasons = {
            (system.system, stream.stream): gap_reason(stream) for system in report.systems for stream in system.streams
        }
        no_news, found = NO_NEWS | IN_TIME, list[Said]()
        for point in points(report, self._app):  # that of the application is the first
            is_of_application = len(point.tags) == 1
            if self._is_due(point, NO_NEWS if is_of_application else no_news):
                found.append(own.said(self._with_change(point, reasons)))
                no_news = NO_NEWS if is_of_application else no_news
        return found

    def still_due(self, found: Iterable[Said]) -> list[Said]:
        """Those of whose series nothing was said since they were found."""
        return [said for said in found if self._silent(said[0], said[1]) >= HOUR]

    def said(self, told: Iterable[Said]) -> None:
        """These were written."""
        for said in told:
            self._remember(*said)

    def _remember(self, key: str, time: int, row: str) -> None:
        names, colon, values = row.partition(":")
        self._last[key] = time, sys.intern(names + colon), values

    def _before(self, point: Point) -> dict[str, Value]:
        _, names, values = self._last.get(_key(point), (0, "", ""))
        return decode_fields(names + values)

    def _silent(self, key: str, now: int) -> int:
        """How long (s) nothing was said of a series; for ever where the clock went back."""
        silent = now - self._last.get(key, (0, "", ""))[0]
        return NEVER if silent < 0 else silent

    def _is_due(self, point: Point, no_news: frozenset[str]) -> bool:
        silent = self._silent(_key(point), point.time)
        if silent < HOUR:
            return False
        if len(point.tags) == 1 or silent >= DAY:
            return True
        fields = self._before(point)
        return any(
            point.fields.get(name) != fields.get(name) for name in (point.fields.keys() | fields.keys()) - no_news
        )

    def _with_change(self, point: Point, reasons: Mapping[tuple[str, str], str]) -> Point:
        tags = dict(point.tags)
        if "stream" not in tags:
            return point
        reason = reasons.get((tags["system"], tags["stream"]), "")
        return point._replace(fields={**point.fields, **changes(self._before(point), point.fields, reason)})


def _key(point: Point) -> str:
    return series_key(point.measurement, point.tags)


def changes(before: Mapping[str, Value], after: Mapping[str, Value], reason: str = "") -> dict[str, Value]:
    """What changed of the data of a stream between two points; nothing where nothing did.

    `changed_points` (points revised), `changed_wh` (by how much their energy did), `changed_gaps` (more, or below zero:
    fewer), `change` (points and gaps in words), `change_why`. `reason` is that of a gap that there is now.
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
    energy = float(after.get("revised_wh", 0.0)) - float(before.get("revised_wh", 0.0)) if revised else 0.0
    told: dict[str, Value] = {"changed_points": float(revised), "changed_gaps": float(gaps), "change": ", ".join(words)}
    return told | {"changed_wh": energy, "change_why": _why(before, revised, gaps, reason)}


def _why(before: Mapping[str, Value], revised: int, gaps: int, reason: str) -> str:
    """Why points and gaps changed, in words."""
    words = [REVISED] if revised else []
    if gaps < 0:
        error = str(before.get("last_error", ""))
        words.append(f"read again after: {error}" if error else FILLED)
    if gaps > 0:
        words.append(reason or "not read yet")
    return "; ".join(words)


def _day(at: int | None, timezone: str) -> str:
    return "" if at is None else date_at(at, zone(timezone)).isoformat()


def _differing(system: SystemReport) -> Sequence[str]:
    """Newest first; a day counts once, whatever of it differs."""
    return sorted({difference.day for difference in system.differences}, reverse=True)


def audit_days(system: SystemReport) -> str:
    """The days that do not add up, newest first, such as "2026-10-20, 2026-10-03 and 2 more"."""
    days = _differing(system)
    more = len(days) - NAMED_DAYS
    return ", ".join(days[:NAMED_DAYS]) + (f" and {more} more" if more > 0 else "")


def in_plain_words(problem: Problem, names: Mapping[str, str]) -> str:
    """What is wrong and what to do about it; a stream is called as an owner does. `names` are those of systems."""
    system, _, stream = problem.subject.partition(".")
    who = f"{names.get(system) or f'Account {system[1:]}'}: "
    if stream not in BY_NAME or not problem.text.startswith(who):
        return problem.text
    return who + re.sub(rf"\b{stream}\b", BY_NAME[stream].label, problem.text.removeprefix(who), count=1)


def points(report: Report, app: str) -> Iterator[Point]:
    """Everything that can be said at the moment of a report: of the application first, its accounts, sinks, streams."""
    tags, said = (("app", app),), _sentences(report)
    yield Point(MEASUREMENT, tags, report.now, _of_app(report))
    for token in report.tokens:
        fields: dict[str, Value] = {"last_error": said.get(("auth", token.account), "")}
        if token.days_left is not None:
            fields["token_days_left"] = float(int(token.days_left))
        yield Point(MEASUREMENT, (("account", token.account), *tags), report.now, fields)
    for sink in report.sinks:
        held_up = (sink.backlog if sink.error else 0) + sink.parked
        fields = {
            "sink_backlog": float(sink.backlog),
            "sink_overdue": float(held_up),
            "last_error": said.get(("sink", sink.sink), ""),
        }
        yield Point(MEASUREMENT, (*tags, ("sink", sink.sink)), report.now, fields)
    for system in report.systems:
        for stream in system.streams:
            yield _of_stream(report, app, system, stream, said)


def _of_app(report: Report) -> dict[str, Value]:
    streams = [stream for system in report.systems for stream in system.streams]
    return {
        "calls_month": float(report.quota.used_month),
        "calls_month_limit": float(report.quota.per_month),
        "calls_month_forecast": float(report.quota.forecast_month),
        "coverage_ratio": report.backfill.ratio,
        "gaps": float(sum(map(open_gaps, streams))),
        "points_revised": float(sum(stream.revised for stream in streams)),
        "audit_differences": float(sum(len(_differing(system)) for system in report.systems)),
        "sink_backlog": float(max((sink.backlog for sink in report.sinks), default=0)),
        "last_error": in_plain_words(report.problems[0], _names(report)) if report.problems else "",
    }


def _of_stream(report: Report, app: str, system: SystemReport, stream: StreamReport, said: Sentences) -> Point:
    fields: dict[str, Value] = {
        "source": BY_NAME[stream.stream].label,
        "coverage_ratio": stream.ratio,
        "gaps": float(open_gaps(stream)),
        "gap_days": gap_days(stream, system.timezone, report.now),
        "gap_why": gap_why(stream),
        "missing_days": float(missing_days(stream, system.timezone, report.now)),
        "lost_days": float(lost_days(stream, system.timezone, report.now)),
        "wanted_from": ""
        if stream.wanted_from is None
        else date_at(stream.wanted_from, zone(system.timezone)).isoformat(),
        "odd_rows": float(odd_rows(stream)),
        "points_revised": float(stream.revised),
        "revised_wh": stream.revised_wh,
        "audit_differences": float(len(_differing(system))),
        "audit_days": audit_days(system),
        "calls_month": float(stream.calls_month),
        "last_error": said.get(("", f"{system.system}.{stream.stream}"), ""),
    }
    lacking = {kind: f"no {kind} meter" for kind in METERS if kind in system.no_meters}
    fields |= {f"no_{kind}_meter": lacking.get(kind, "") for kind in METERS}
    fields["no_meters"] = ", ".join(lacking.values())
    if stream.lag_s is not None:
        fields["lag_s"] = float(stream.lag_s)
    tags = (("app", app), ("stream", stream.stream), ("system", system.system))
    return Point(MEASUREMENT, tags, report.now, fields)


def _names(report: Report) -> dict[str, str]:
    return {system.system: system.name for system in report.systems}


def _sentences(report: Report) -> Sentences:
    """The first sentence about a subject, by its kind and for all kinds; absent while all is well."""
    found: dict[tuple[str, str], str] = {}
    names = _names(report)
    for problem in report.problems:
        text = in_plain_words(problem, names)
        found.setdefault((problem.kind, problem.subject), text)
        found.setdefault(("", problem.subject), text)
    return found
