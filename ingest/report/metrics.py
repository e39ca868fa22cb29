"""What the pipeline says of itself, for Prometheus, in its text format.

The text is written here and not by Prometheus' own client, which makes an object of every sample: thousands of systems
have a hundred thousand, read every minute.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import ingest
from ingest.core.words import localized
from ingest.report import Report, StreamReport, SystemReport
from ingest.report.fleet import fleet_totals
from ingest.report.gaps import QUIET
from ingest.report.model import Problem, TokenReport

T = TypeVar("T")

GOOD = ("", "nothing", "no_meter", "no_points")
"""States of a stream that are in order."""
JOULES = 3600.0
"""One watt hour; Prometheus wants base units."""
CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"
TOGETHER = 256
"""Rows that are looked at together."""
ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
"""What a value of a label may not hold as it is."""


# ── Prometheus ────────────────────────────────────────────────────────────────────────────────────────


def exposition(report: Report, beat: int, command: str, *, by_system: bool = True) -> tuple[bytes, str]:
    """The text that Prometheus reads, and its content type. `beat` is the last tick, in epoch seconds.

    `command` is the program as it is called here; without `by_system` there are no series of single systems.
    """
    parts = [part for family in families(report, beat, command, by_system=by_system) for part in _parts(*family)]
    return b"".join(parts), CONTENT_TYPE


Family = tuple[str, str, Iterable[bytes]]
"""The name of a metric, what it is, and its samples as text: lines, some of them together."""
Few = tuple[str, str, Iterable[tuple[str, float]]]
"""The same with the labels, as they stand in the text, and the number of each sample."""


def _parts(name: str, about: str, samples: Iterable[bytes]) -> Iterator[bytes]:
    kind = "counter" if name.endswith("_total") else "gauge"
    yield f"# HELP {name} {about}\n# TYPE {name} {kind}\n".encode()
    yield from samples


def _labels(**values: str) -> str:
    """Labels as they stand in the text."""
    pairs = [f'{name}="{_escaped(value)}"' for name, value in values.items()]
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value if value.isalnum() else value.translate(ESCAPES)


def families(report: Report, beat: int, command: str, *, by_system: bool = True) -> Iterator[Family]:
    """Every metric; those of single systems where they are wanted."""
    for name, about, samples in _of_all(report, beat, command):
        yield name, about, [_line(name, labels, number).encode() for labels, number in samples]
    if by_system:
        info = (_labels(name=row.name, system=row.system, timezone=row.timezone) for row in report.systems)
        told = "Always 1; the labels tell name and zone."
        yield "ingest_system_info", told, (_line("ingest_system_info", labels, 1).encode() for labels in info)
        yield from _by_row(_of_system(report.now), ((_labels(system=row.system), row) for row in report.systems))
        yield from _by_row(STREAM, _labelled_streams(report.systems))


def _labelled_streams(systems: Iterable[SystemReport]) -> Iterator[tuple[str, StreamReport]]:
    for row in systems:
        system = _escaped(row.system)
        for stream in row.streams:
            yield f'{{stream="{stream.stream}",system="{system}"}}', stream


def _line(name: str, labels: str, number: float) -> str:
    return f"{name}{labels} {float(number)!r}\n"


def _by_row(
    of_row: Sequence[tuple[str, str, Callable[[T], float | None]]], labelled: Iterable[tuple[str, T]]
) -> Iterator[Family]:
    """The metrics of rows of a kind, of each those rows that have one. Rows are looked at once, some together: those of
    thousands of systems are far more than what is near at hand to a processor.
    """
    labelled = iter(labelled)
    texts: list[list[bytes]] = [[] for _ in of_row]
    while some := [*islice(labelled, TOGETHER)]:
        for (name, _, value), text in zip(of_row, texts, strict=True):
            found = [_line(name, labels, number) for labels, row in some if (number := value(row)) is not None]
            text.append("".join(found).encode())
    for (name, about, _), text in zip(of_row, texts, strict=True):
        yield name, about, text


def _of_all(report: Report, beat: int, command: str) -> Iterator[Few]:
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


def _of_tokens(tokens: Iterable[TokenReport]) -> Iterator[Few]:
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


def _of_sinks(report: Report) -> Iterator[Few]:
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


def _of_receivers(report: Report) -> Iterator[Few]:
    samples = [(_labels(receiver=it.receiver), not it.error) for it in report.receivers]
    yield "ingest_receiver_up", "1 while the receiver of messages can be reached.", samples


def _of_fleet(report: Report) -> Iterator[Few]:
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


def odd_rows(stream: StreamReport) -> int:
    """Parts of replies that could not be read."""
    return sum(odd.count for odd in stream.odd)


def open_gaps(stream: StreamReport) -> int:
    """Spans that should have been read by now: what waits for the gateway is none."""
    return sum(gap.reason not in QUIET for gap in stream.gaps)


def _of_system(now: int) -> Sequence[tuple[str, str, Callable[[SystemReport], float | None]]]:
    return (
        ("ingest_system_power_watts", "Mean production of the newest interval.", lambda row: row.power_w),
        (
            "ingest_system_energy_today_joules",
            "Production of the local day so far.",
            lambda row: None if row.today_wh is None else row.today_wh * JOULES,
        ),
        (
            "ingest_system_newest_timestamp_seconds",
            "End of the newest interval of production.",
            lambda row: None if row.age_s is None else now - row.age_s,
        ),
        (
            "ingest_system_reported_timestamp_seconds",
            "When the gateway last reported to the cloud.",
            lambda row: row.reported_at,
        ),
        (
            "ingest_system_audit_differences",
            "Days that the cloud counts otherwise than its own intervals add up.",
            lambda row: len(row.differences),
        ),
    )


STREAM: Sequence[tuple[str, str, Callable[[StreamReport], float | None]]] = (
    ("ingest_stream_coverage_ratio", "Share of what is owed that was read, 0 to 1.", lambda at: at.ratio),
    ("ingest_stream_gaps", "Spans that should have been read by now.", open_gaps),
    ("ingest_stream_lag_seconds", "Age of the newest interval.", lambda at: at.lag_s),
    (
        "ingest_stream_complete_until_timestamp_seconds",
        "Up to when everything wanted was read.",
        lambda at: at.complete_until,
    ),
    ("ingest_stream_odd_rows", "Parts of replies that could not be read.", odd_rows),
    ("ingest_stream_revised_points_total", "Points that changed later.", lambda at: at.revised),
    ("ingest_stream_up", "1 while the cloud answers for it.", lambda at: at.state in GOOD),
)
