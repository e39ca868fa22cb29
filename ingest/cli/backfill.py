"""History that is asked for: the command `backfill`. The runner reads it; this spends no call."""

import sqlite3
from dataclasses import asdict, replace

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ingest.cli import backfill_requests
from ingest.cli.context import Context
from ingest.cli.data import measurements
from ingest.cli.plan import history_words, known_state, the_works
from ingest.cli.time_arguments import WHEN, check_range, moment
from ingest.config import share
from ingest.core.days import zone
from ingest.core.errors import ConfigError, IngestError
from ingest.core.span import Span
from ingest.enphase.streams import BY_NAME
from ingest.plan import estimate
from ingest.plan.inventory import Inventory
from ingest.plan.windows import refused_debts
from ingest.plan.work import Wanted, Work
from ingest.report.calls import outlook
from ingest.store import backfills, snapshot
from ingest.store.backfills import BackfillRequest
from ingest.store.ownership import is_owned

PAUSE_S = 2.0
READ = "Queued. The runner reads it; its progress: `ingest backfill --list`"
DONE = "All of it has been read."
UNREAD = "Queued. No service is running here to read it: start `ingest run`"


@click.command()
@click.option("--since", metavar=WHEN, help="A date (a local day), an age such as 2y, or all.")
@click.option("--until", metavar=WHEN, help="The same; a date is included. Default: up to what is there.")
@click.option("--system", metavar="ID")
@click.option("--stream", metavar="NAME")
@click.option(
    "--share", "part", metavar="60%", help="Of what is left of the month, until it is done. Default: as configured."
)
@click.option("--dry-run", is_flag=True, help="Only say what it takes, in calls, days and money.")
@click.option("--wait", is_flag=True, help="Show the progress until it is done.")
@click.option("--list", "listed", is_flag=True, help="Show what is asked for and not read yet.")
@click.option("--cancel", metavar="[ID]", is_flag=False, flag_value="", help="Take it back; what was read stays.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, with --dry-run or --list.")
@click.pass_obj
def backfill(  # noqa: PLR0913 - one argument an option
    context: Context,
    since: str | None,
    until: str | None,
    system: str | None,
    stream: str | None,
    part: str | None,
    cancel: str | None,
    *,
    dry_run: bool,
    wait: bool,
    listed: bool,
    as_json: bool,
) -> None:
    """Ask for history. The runner reads it with the calls that live polling leaves; survives interruption."""
    if listed:
        backfill_requests.show(context, as_json=as_json)
        return
    if cancel is not None:
        backfill_requests.cancel(context, cancel)
        return
    if since is None:
        raise click.UsageError("Missing option '--since'; or give --list or --cancel")
    measurements(stream)
    try:
        fraction = None if part is None else share(part)
    except ValueError as error:
        raise click.UsageError(f"--share {part!r} {error}") from None
    with known_state(context) as db:
        asked = _asked(context, db, since, until, system, stream)
        works, _ = the_works(context, db)
        frame = outlook(context.settings, works, db, context.clock.now())
        wanted = [_with(work, asked[work.key]) for work in works if work.key in asked]
        settings, now = context.settings, context.clock.now()
        cost = estimate.estimate(wanted, now, settings.ages, frame.backfill, settings.rules)
    if as_json and dry_run:
        context.show_json(asdict(cost))
        return
    click.echo(history_words(cost, context.settings.price, context))
    if dry_run:
        return
    _store_requests(context, asked, fraction)
    if wait:
        _wait(context, asked, cost.calls)
    else:
        context.show(READ if is_owned(context.settings.state_dir) else UNREAD)


def _asked(
    context: Context, db: sqlite3.Connection, since: str, until: str | None, system: str | None, stream: str | None
) -> dict[tuple[str, str], Span]:
    """The span of history asked for, by pair; days are those of each system."""
    inventory, now = Inventory(context.settings, snapshot.load(db)), context.clock.now()
    known: list[Wanted] = [entry for entry in inventory.wanted() if system in (None, entry.system)]
    if not known:
        if system:
            raise ConfigError(f"no system {system} is polled here")
        raise IngestError("no system is known yet; start `ingest run` first")
    check_range(since, until, [entry.timezone for entry in known], now)
    found = {}
    for entry in known:
        timezone = zone(entry.timezone).key
        start = moment(since, timezone, now) or 0
        end = moment(until, timezone, now, end=True)
        for name in entry.streams:
            if BY_NAME[name].grain and stream in (None, name):
                found[entry.system, name] = Span(start, now if end is None else min(end, now))
    if not found:
        raise IngestError(f"stream {stream} has no history: it is a snapshot, or is not polled here")
    return found


def _with(work: Work, span: Span) -> Work:
    until = min(span.end, work.until or span.end)
    return work._replace(floor=min(work.floor, span.start), wanted=replace(work.wanted, until=until))


def _store_requests(context: Context, asked: dict[tuple[str, str], Span], fraction: float | None) -> None:
    opened, now, group = context.state(), context.clock.now(), 0
    try:
        with opened.transaction() as db:
            for (system, stream), span in asked.items():
                request = BackfillRequest(span.start, span.end, system, stream, fraction)
                number = backfills.ask(db, request, now, group)
                group = group or number
    finally:
        opened.close()


def _wait(context: Context, asked: dict[tuple[str, str], Span], calls: int) -> None:
    """A bar of the calls that history still needs. Interrupting it does not interrupt the work."""
    if not is_owned(context.settings.state_dir):
        raise IngestError(UNREAD)
    columns = (TextColumn("history"), BarColumn(), MofNCompleteColumn(), TextColumn("calls"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("history", total=calls)
        left = calls
        while left:
            left = _left(context, asked)
            bar.update(task, completed=max(0, calls - left), total=max(calls, left))
            if left:
                context.clock.sleep(PAUSE_S)
    click.echo("All of it has been read, but for the days that `status` names." if _refused(context, asked) else DONE)


def _refused(context: Context, asked: dict[tuple[str, str], Span]) -> bool:
    """Whether anything that was asked for is refused by the cloud."""
    with known_state(context) as db:
        works, _ = the_works(context, db)
        now, ages = context.clock.now(), context.settings.ages
        return any(refused_debts(_with(work, asked[work.key]), now, ages) for work in works if work.key in asked)


def _left(context: Context, asked: dict[tuple[str, str], Span]) -> int:
    with known_state(context) as db:
        works, _ = the_works(context, db)
        wanted = [_with(work, asked[work.key]) for work in works if work.key in asked]
        return estimate.count(wanted, context.clock.now(), context.settings.ages)
