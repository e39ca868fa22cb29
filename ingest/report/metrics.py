"""What the pipeline says of itself, for Prometheus, in its text format.

The text is written here and not by Prometheus' own client, which makes an object of every sample: thousands of systems
have a hundred thousand, read every minute.
"""

from collections.abc import Callable, Iterable, Iterator

import ingest
from ingest.core.words import localized
from ingest.report import Report, StreamReport, SystemReport
from ingest.report.fleet import fleet_totals
from ingest.report.gaps import QUIET
from ingest.report.model import Problem, TokenReport

GOOD = ("", "nothing", "no_meter", "no_points")
"""States of a stream that are in order."""
JOULES = 3600.0
"""One watt hour; Prometheus wants base units."""
CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"
ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
"""What a value of a label may not hold as it is."""


# ── Prometheus ────────────────────────────────────────────────────────────────────────────────────────


def exposition(report: Report, beat: int, command: str, *, by_system: bool = True) -> tuple[bytes, str]:
    """The text that Prometheus reads, and its content type. `beat` is the last tick, in epoch seconds.

    `command` is the program as it is called here; without `by_system` there are no series of single systems.
    """
    found = families(report, beat, command, by_system=by_system)
    return b"".join([_text(family).encode() for family in found]), CONTENT_TYPE


Sample = tuple[str, float]
"""The labels as they stand in the text, and the number."""
Family = tuple[str, str, Iterable[Sample]]


def _text(family: Family) -> str:
    name, about, samples = family
    kind = "counter" if name.endswith("_total") else "gauge"
    lines = [f"{name}{labels} {float(number)!r}\n" for labels, number in samples]
    return f"# HELP {name} {about}\n# TYPE {name} {kind}\n{''.join(lines)}"


def _labels(**values: str) -> str:
    """Labels as they stand in the text."""
    pairs = [f'{name}="{value.translate(ESCAPES)}"' for name, value in values.items()]
    return "{" + ",".join(pairs) + "}"


def families(report: Report, beat: int, command: str, *, by_system: bool = True) -> Iterator[Family]:
    """(name, what it is, samples) of every metric; those of single systems where they are wanted."""
    version = _labels(version=ingest.__version__)
    yield "ingest_build_info", "Always 1; the label tells the version.", [(version, 1)]
    for name, about, number in _single(report, beat):
        if number is not None:
            yield name, about, [("", number)]
    yield (
        "ingest_problem",
        "1 for each thing that is wrong; the labels say what, and what to do.",
        [(_of_problem(problem, command), 1) for problem in report.problems],
    )
    yield from _of_tokens(report.tokens)
    yield from _of_sinks(report)
    yield from _of_receivers(report)
    yield from _of_fleet(report)
    if by_system:
        yield from _of_systems(report.systems, report.now)
        yield from _of_streams(report.systems)


def _of_problem(problem: Problem, command: str) -> str:
    return _labels(kind=problem.kind, remedy=localized(problem.remedy, command), subject=problem.subject)


def _single(report: Report, beat: int) -> Iterator[tuple[str, str, float | None]]:
    quota, history = report.quota, report.backfill
    yield "ingest_last_tick_timestamp_seconds", "When the loop last went round.", beat
    yield "ingest_simulated", "1 where the data are invented.", int(report.simulated)
    yield "ingest_problems", "How many things are wrong.", len(report.problems)
    yield "ingest_calls_used", "Calls of this calendar month (UTC).", quota.used_month
    yield "ingest_calls_used_history", "Those of them that were spent on history.", quota.history_month
    yield "ingest_calls_limit", "Calls that the plan admits in a month.", quota.per_month
    yield "ingest_calls_reserved", "Calls that are never used: other tools may share the key.", quota.reserve
    yield "ingest_calls_left", "Calls that may still be spent this month.", quota.left
    yield "ingest_calls_forecast", "What the month will come to at the present pace.", quota.forecast_month
    yield "ingest_calls_month_end_timestamp_seconds", "When the month of the quota ends.", quota.month_ends_at
    yield "ingest_history_calls_remaining", "Calls that history still needs.", history.calls
    yield "ingest_history_read_ratio", "Share of the wanted history that was read, 0 to 1.", history.ratio
    yield "ingest_clock_offset_seconds", "How far this machine's clock is ahead of the cloud's.", report.clock_wrong_by
    yield "ingest_disk_free_bytes", "Free space where the state is kept.", report.disk_free
    yield "ingest_archive_points", "Points in the archive.", report.points


def _of_tokens(tokens: Iterable[TokenReport]) -> Iterator[Family]:
    known = [(_labels(account=it.account), it) for it in tokens if it.state not in ("user", "login")]
    yield (
        "ingest_account_authorized",
        "1 while the authorization of the account is valid.",
        [(account, token.state == "ok") for account, token in known],
    )
    yield (
        "ingest_account_expiry_timestamp_seconds",
        "When it lapses if it is not renewed; the program renews it daily.",
        [(account, token.lapses_at) for account, token in known if token.lapses_at is not None],
    )


def _of_sinks(report: Report) -> Iterator[Family]:
    sinks = [(_labels(sink=sink.sink), sink) for sink in report.sinks]
    yield "ingest_sink_up", "1 while the sink takes points.", [(label, not sink.error) for label, sink in sinks]
    yield "ingest_sink_backlog_points", "Points that wait.", [(label, sink.backlog) for label, sink in sinks]
    yield "ingest_sink_refused_points", "Points it will never take.", [(label, sink.parked) for label, sink in sinks]
    yield "ingest_sink_sent_points_total", "Points it has taken.", [(label, sink.sent) for label, sink in sinks]
    yield (
        "ingest_sink_expired_points_total",
        "Points older than it keeps.",
        [(label, sink.too_old) for label, sink in sinks],
    )


def _of_receivers(report: Report) -> Iterator[Family]:
    samples: list[Sample] = [(_labels(receiver=it.receiver), not it.error) for it in report.receivers]
    yield "ingest_receiver_up", "1 while the receiver of messages can be reached.", samples


def _of_fleet(report: Report) -> Iterator[Family]:
    totals = fleet_totals(report)
    for name, about, number in (
        ("ingest_systems", "Systems that are followed.", totals.systems),
        ("ingest_systems_reporting", "Those of them with data of the last day.", totals.reporting),
        ("ingest_systems_troubled", "Those of them with a problem.", totals.troubled),
        ("ingest_power_watts", "Mean production of their newest intervals, all together.", totals.power_w),
        ("ingest_energy_today_joules", "Production of their local days so far.", totals.today_wh * JOULES),
        ("ingest_gaps", "Spans of all streams that should have been read by now.", totals.gaps),
        ("ingest_coverage_ratio", "Share of what is owed of all streams that was read, 0 to 1.", totals.ratio),
    ):
        yield name, about, [("", number)]


def _of_systems(systems: list[SystemReport], now: int) -> Iterator[Family]:
    labelled = [(_labels(system=row.system), row) for row in systems]

    def of(value: Callable[[SystemReport], float | None]) -> Iterator[Sample]:
        return ((label, number) for label, row in labelled if (number := value(row)) is not None)

    yield (
        "ingest_system_info",
        "Always 1; the labels tell name and zone.",
        [(_labels(name=row.name, system=row.system, timezone=row.timezone), 1) for row in systems],
    )
    yield "ingest_system_power_watts", "Mean production of the newest interval.", of(lambda row: row.power_w)
    yield (
        "ingest_system_energy_today_joules",
        "Production of the local day so far.",
        of(lambda row: None if row.today_wh is None else row.today_wh * JOULES),
    )
    yield (
        "ingest_system_newest_timestamp_seconds",
        "End of the newest interval of production.",
        of(lambda row: None if row.age_s is None else now - row.age_s),
    )
    yield (
        "ingest_system_reported_timestamp_seconds",
        "When the gateway last reported to the cloud.",
        of(lambda row: row.reported_at),
    )
    yield (
        "ingest_system_audit_differences",
        "Days that the cloud counts otherwise than its own intervals add up.",
        of(lambda row: len(row.differences)),
    )


def _of_streams(systems: list[SystemReport]) -> Iterator[Family]:
    labelled = [(_labels(stream=it.stream, system=row.system), it) for row in systems for it in row.streams]

    def of(value: Callable[[StreamReport], float | None]) -> Iterator[Sample]:
        return ((label, number) for label, stream in labelled if (number := value(stream)) is not None)

    yield "ingest_stream_coverage_ratio", "Share of what is owed that was read, 0 to 1.", of(lambda at: at.ratio)
    yield "ingest_stream_gaps", "Spans that should have been read by now.", of(open_gaps)
    yield "ingest_stream_lag_seconds", "Age of the newest interval.", of(lambda at: at.lag_s)
    yield (
        "ingest_stream_complete_until_timestamp_seconds",
        "Up to when everything wanted was read.",
        of(lambda at: at.complete_until),
    )
    yield "ingest_stream_odd_rows", "Parts of replies that could not be read.", of(odd_rows)
    yield "ingest_stream_revised_points_total", "Points that changed later.", of(lambda at: at.revised)
    yield "ingest_stream_up", "1 while the cloud answers for it.", of(lambda at: at.state in GOOD)


def odd_rows(stream: StreamReport) -> int:
    """Parts of replies that could not be read."""
    return sum(odd.count for odd in stream.odd)


def open_gaps(stream: StreamReport) -> int:
    """Spans that should have been read by now: what waits for the gateway is none."""
    return sum(gap.reason not in QUIET for gap in stream.gaps)
