"""What the pipeline says of itself, for Prometheus and as points for the databases."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import ingest
from ingest.core.point import Point, Value, decode_fields, series_key
from ingest.core.units import HOUR
from ingest.core.words import localized
from ingest.report import Report, StreamReport, SystemReport
from ingest.report.gaps import QUIET
from ingest.report.model import Problem, TokenReport
from ingest.store import archive

if TYPE_CHECKING:
    from prometheus_client.core import Metric

MEASUREMENT = "ingest"
GOOD = ("", "nothing", "no_meter", "no_points")
"""States of a stream that are in order."""
JOULES = 3600.0
"""One watt hour; Prometheus wants base units."""


# ── Prometheus ────────────────────────────────────────────────────────────────────────────────────────


def exposition(made: Report, beat: int, command: str) -> tuple[bytes, str]:
    """The text that Prometheus reads, and its content type. `beat` is the last tick, in epoch seconds.

    `command` is the program as it is called here.
    """
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(made, beat, command))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Collector:
    """Turns one report into metrics."""

    def __init__(self, made: Report, beat: int, command: str) -> None:
        self._made, self._beat, self._command = made, beat, command

    def collect(self) -> "Iterator[Metric]":
        """Every metric, with its samples."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415

        for name, about, labels, samples in families(self._made, self._beat, self._command):
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            family = kind(name.removesuffix("_total"), about, labels=labels)
            for values, number in samples:
                family.add_metric(values, number)
            yield family


Sample = tuple[list[str], float]
Family = tuple[str, str, list[str], list[Sample]]


def families(made: Report, beat: int, command: str) -> Iterator[Family]:
    """(name, what it is, labels, samples) of every metric."""
    yield "ingest_build_info", "Always 1; the label tells the version.", ["version"], [([ingest.__version__], 1)]
    for name, about, number in _single(made, beat):
        if number is not None:
            yield name, about, [], [([], number)]
    yield (
        "ingest_problem",
        "1 for each thing that is wrong; the labels say what, and what to do.",
        ["kind", "subject", "remedy"],
        [([at.kind, at.subject, localized(at.remedy, command)], 1) for at in made.problems],
    )
    yield from _of_tokens(made.tokens)
    yield from _of_sinks(made)
    yield from _of_receivers(made)
    yield from _of_systems(made.systems, made.now)
    yield from _of_streams(made.systems)


def _single(made: Report, beat: int) -> Iterator[tuple[str, str, float | None]]:
    quota, history = made.quota, made.backfill
    yield "ingest_last_tick_timestamp_seconds", "When the loop last went round.", beat
    yield "ingest_simulated", "1 where the data are invented.", int(made.simulated)
    yield "ingest_problems", "How many things are wrong.", len(made.problems)
    yield "ingest_calls_used", "Calls of this calendar month (UTC).", quota.used_month
    yield "ingest_calls_used_history", "Those of them that were spent on history.", quota.history_month
    yield "ingest_calls_limit", "Calls that the plan admits in a month.", quota.per_month
    yield "ingest_calls_reserved", "Calls that are never used: other tools may share the key.", quota.reserve
    yield "ingest_calls_left", "Calls that may still be spent this month.", quota.left
    yield "ingest_calls_forecast", "What the month will come to at the present pace.", quota.forecast_month
    yield "ingest_calls_month_end_timestamp_seconds", "When the month of the quota ends.", quota.month_ends_at
    yield "ingest_history_calls_remaining", "Calls that history still needs.", history.calls
    yield "ingest_history_read_ratio", "Share of the wanted history that was read, 0 to 1.", history.ratio
    yield "ingest_clock_offset_seconds", "How far this machine's clock is ahead of the cloud's.", made.clock_wrong_by
    yield "ingest_disk_free_bytes", "Free space where the state is kept.", made.disk_free
    yield "ingest_archive_points", "Points in the archive.", made.points


def _of_tokens(tokens: Iterable[TokenReport]) -> Iterator[Family]:
    known = [token for token in tokens if token.state not in ("user", "login")]
    yield (
        "ingest_account_authorized",
        "1 while the authorization of the account is valid.",
        ["account"],
        [([token.account], float(token.state == "ok")) for token in known],
    )
    yield (
        "ingest_account_expiry_timestamp_seconds",
        "When it lapses if it is not renewed; the program renews it daily.",
        ["account"],
        [([token.account], token.lapses_at) for token in known if token.lapses_at is not None],
    )


def _of_sinks(made: Report) -> Iterator[Family]:
    sinks = made.sinks
    label = ["sink"]
    yield "ingest_sink_up", "1 while the sink takes points.", label, [([at.sink], float(not at.error)) for at in sinks]
    yield "ingest_sink_backlog_points", "Points that wait.", label, [([at.sink], at.backlog) for at in sinks]
    yield "ingest_sink_refused_points", "Points it will never take.", label, [([at.sink], at.parked) for at in sinks]
    yield "ingest_sink_sent_points_total", "Points it has taken.", label, [([at.sink], at.sent) for at in sinks]
    yield (
        "ingest_sink_expired_points_total",
        "Points older than it keeps.",
        label,
        [([at.sink], at.too_old) for at in sinks],
    )


def _of_receivers(made: Report) -> Iterator[Family]:
    samples: list[Sample] = [([at.receiver], float(not at.error)) for at in made.receivers]
    yield "ingest_receiver_up", "1 while the receiver of messages can be reached.", ["receiver"], samples


def _of_systems(systems: list[SystemReport], now: int) -> Iterator[Family]:
    label = ["system"]

    def of(value: Callable[[SystemReport], float | None]) -> list[Sample]:
        return [([row.system], number) for row in systems if (number := value(row)) is not None]

    yield (
        "ingest_system_info",
        "Always 1; the labels tell name and zone.",
        ["system", "name", "timezone"],
        [([row.system, row.name, row.timezone], 1) for row in systems],
    )
    yield "ingest_system_power_watts", "Mean production of the newest interval.", label, of(lambda row: row.power_w)
    yield (
        "ingest_system_energy_today_joules",
        "Production of the local day so far.",
        label,
        of(lambda row: None if row.today_wh is None else row.today_wh * JOULES),
    )
    yield (
        "ingest_system_newest_timestamp_seconds",
        "End of the newest interval of production.",
        label,
        of(lambda row: None if row.age_s is None else now - row.age_s),
    )
    yield (
        "ingest_system_reported_timestamp_seconds",
        "When the gateway last reported to the cloud.",
        label,
        of(lambda row: row.reported_at),
    )
    yield (
        "ingest_system_audit_differences",
        "Days that the cloud counts otherwise than its own intervals add up.",
        label,
        of(lambda row: len(row.differences)),
    )


def _of_streams(systems: list[SystemReport]) -> Iterator[Family]:
    label = ["system", "stream"]

    def of(value: Callable[[StreamReport], float | None]) -> list[Sample]:
        return [
            ([row.system, stream.stream], number)
            for row in systems
            for stream in row.streams
            if (number := value(stream)) is not None
        ]

    yield "ingest_stream_coverage_ratio", "Share of what is owed that was read, 0 to 1.", label, of(lambda at: at.ratio)
    yield "ingest_stream_gaps", "Spans that should have been read by now.", label, of(open_gaps)
    yield "ingest_stream_lag_seconds", "Age of the newest interval.", label, of(lambda at: at.lag_s)
    yield (
        "ingest_stream_complete_until_timestamp_seconds",
        "Up to when everything wanted was read.",
        label,
        of(lambda at: at.complete_until),
    )
    yield "ingest_stream_revised_points_total", "Points that changed later.", label, of(lambda at: at.revised)
    yield "ingest_stream_up", "1 while the cloud answers for it.", label, of(lambda at: float(at.state in GOOD))


def open_gaps(stream: StreamReport) -> int:
    """Spans that should have been read by now: what waits for the gateway is none."""
    return sum(gap.reason not in QUIET for gap in stream.gaps)


# ── points ────────────────────────────────────────────────────────────────────────────────────────────


def write(db: sqlite3.Connection, made: Report, app: str) -> int:
    """Write what the pipeline says of itself, inside the caller's transaction; returns how many points."""
    found = points(made, app, lambda system: held(db, system, made.now))
    archive.upsert(db, found)
    return len(found)


def held(db: sqlite3.Connection, system: str, now: int) -> dict[str, dict[str, Value]] | None:
    """What was last said of the streams of a system; None when that is less than an hour ago."""
    extent = archive.extent(db, MEASUREMENT, system)
    if extent is None or extent[1] > now:
        return {}
    if now - extent[1] < HOUR:
        return None
    rows = archive.select(db, archive.Filter((MEASUREMENT,), system, extent[1], extent[1] + 1))
    return {key: decode_fields(fields) for key, _, fields in rows}


def points(
    made: Report, app: str, before: Callable[[str], dict[str, dict[str, Value]] | None] = lambda _: {}
) -> list[Point]:
    """Points of the measurement `ingest` at the moment of a report.

    `before` gives what was last said of a system by series, None where it is too early to say anything again.
    """
    tags = (("app", app),)
    found = [Point(MEASUREMENT, tags, made.now, _of_app(made))]
    for token in made.tokens:
        fields: dict[str, Value] = {"last_error": _said(made.problems, "auth", token.account)}
        if token.days_left is not None:
            fields["token_days_left"] = float(token.days_left)
        found.append(Point(MEASUREMENT, (("account", token.account), *tags), made.now, fields))
    for sink in made.sinks:
        fields = {"sink_backlog": float(sink.backlog), "last_error": _said(made.problems, "sink", sink.sink)}
        found.append(Point(MEASUREMENT, (*tags, ("sink", sink.sink)), made.now, fields))
    for system in made.systems:
        last = before(system.system)
        if last is not None:
            fresh = [_of_stream(made, app, system, stream) for stream in system.streams]
            if {series_key(point.measurement, point.tags): point.fields for point in fresh} != last:
                found += fresh
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
