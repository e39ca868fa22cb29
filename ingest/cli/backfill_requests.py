"""Requests of history: `backfill --list` and `--cancel`. What was read stays."""

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import groupby

import click
from rich import box
from rich.table import Column, Table

from ingest.cli.context import Context
from ingest.cli.plan import known_state, the_works
from ingest.cli.tables import print_table, stdout
from ingest.core.span import Span
from ingest.core.words import many
from ingest.plan import estimate
from ingest.plan.work import Work
from ingest.store import backfills
from ingest.store.backfills import StoredRequest
from ingest.store.ownership import is_owned


@dataclass(frozen=True)
class RequestReport:
    """One command's worth of history: its `id`, what it asked for (epoch s; None: all, up to what is there), when, when
    the runner took it up, and the calls that it still needs.
    """

    id: int
    since: int
    until: int | None
    systems: Sequence[str]
    streams: Sequence[str]
    share: float | None
    made_at: int
    taken_at: int | None
    calls: int


def open_requests(context: Context, db: sqlite3.Connection) -> list[RequestReport]:
    """What is asked for and not read yet, oldest first."""
    works, _ = the_works(context, db)
    groups = groupby(sorted(backfills.active(db), key=lambda stored: stored.group), key=lambda stored: stored.group)
    found = [_report(context, number, list(stored), works) for number, stored in groups]
    return [report for report in found if report.calls or report.taken_at is None]


def _report(context: Context, number: int, group: Sequence[StoredRequest], works: Sequence[Work]) -> RequestReport:
    now, first = context.clock.now(), group[0]
    wanted = {work.key: part for stored in group for work in works if (part := _part(work, stored, now))}
    untils = [stored.request.until for stored in group]
    return RequestReport(
        number,
        min(stored.request.since for stored in group),
        None if None in untils else max(at for at in untils if at is not None),
        sorted({system for system, _ in wanted}),
        sorted({stream for _, stream in wanted}),
        first.request.share,
        first.made_at,
        first.taken_at,
        estimate.count(list(wanted.values()), now, context.settings.ages),
    )


def _part(work: Work, stored: StoredRequest, now: int) -> Work | None:
    """The part of a pair that a request asks for."""
    request = stored.request
    is_meant = request.system in (None, work.system) and request.stream in (None, work.stream.name)
    if not work.stream.grain or not is_meant:
        return None
    span = Span(request.since, now if request.until is None else request.until)
    until = min(span.end, work.until or span.end)
    floor = span.start if stored.taken_at is None else max(work.floor, span.start)
    return work._replace(floor=floor, wanted=replace(work.wanted, until=until))


def show(context: Context, *, as_json: bool) -> None:
    """Print what is asked for."""
    with known_state(context) as db:
        reports = open_requests(context, db)
    if as_json:
        context.show_json([asdict(report) for report in reports])
        return
    if not reports:
        click.echo("No history is asked for beyond what the configuration wants, or all of it has been read.")
        return
    numbers = Column("calls left", justify="right")
    table = Table("id", "asked", "since", "until", "systems", "streams", numbers, box=box.SIMPLE)
    for report in reports:
        since = "all" if report.since == 0 else _day(report.since)
        until = "now" if report.until is None else _day(report.until - 1)
        names = ", ".join(report.systems[:3]) + (", …" if len(report.systems) > 3 else "")
        streams = ", ".join(report.streams)
        table.add_row(str(report.id), _day(report.made_at), since, until, names, streams, f"{report.calls:,}")
    print_table(stdout(), table, "id", "asked", "since", "until", "systems")
    if not is_owned(context.settings.state_dir):
        context.show("No service is running here to read it: start `ingest run`")


def _day(at: int) -> str:
    """A day in UTC, such as 2026-11-20."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def cancel(context: Context, words: str) -> None:
    """Cancel one request by its number, or the only one."""
    with known_state(context) as db:
        numbers = [report.id for report in open_requests(context, db)]
    number = _chosen(words, numbers)
    opened = context.state()
    try:
        with opened.transaction() as db:
            for stored in backfills.active(db):
                if stored.group == number:
                    backfills.cancel(db, stored.number, context.clock.now())
    finally:
        opened.close()
    context.show(f"Request {number} is taken back; what was read stays. How it stands: `ingest status`")


def _chosen(words: str, numbers: Sequence[int]) -> int:
    """The request that is meant. Raises `UsageError` when that is not known."""
    if not words and len(numbers) == 1:
        return numbers[0]
    if words.isdecimal() and int(words) in numbers:
        return int(words)
    listed = f"; there {'is' if len(numbers) == 1 else 'are'} {', '.join(map(str, numbers))}" if numbers else ""
    if words:
        raise click.UsageError(f"--cancel {words}: no such request{listed}")
    raise click.UsageError(f"--cancel needs the number of one of {many(len(numbers), 'request')}{listed}")
