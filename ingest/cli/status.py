"""Commands that look: status and check. They spend no call and change nothing."""

import click
from rich.console import Console
from rich.table import Table

from ingest.cli.context import Context
from ingest.cli.fleet_table import fleet
from ingest.cli.known_systems import known_places, known_system
from ingest.cli.tables import print_table, stdout
from ingest.config import Settings, message_name
from ingest.core.errors import ConfigError
from ingest.core.units import DAY
from ingest.core.words import local_words, many, percent
from ingest.report import Report, SystemReport, build_report, span_words
from ingest.report.fleet import FEW
from ingest.report.gaps import NO_METER_WORDS, QUIET
from ingest.report.problems import summary

SHOWN, SHOWN_PROBLEMS = 20, 10
"""How many systems, and how many problems, are on the first screen where there are more."""


@click.command()
@click.option("--system", metavar="ID", help="Only this system; or a home, by its name.")
@click.option("--problems", is_flag=True, help="Only what is wrong; ends with 1 when anything is.")
@click.option("--all", "everything", is_flag=True, help="Every system of many, one row each; else the worst of them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_obj
def status(context: Context, system: str | None, *, problems: bool, everything: bool, as_json: bool) -> None:
    """Up to when each system and stream is complete, gaps and why, quota, sinks, errors in words."""
    store = context.state()
    try:
        found = build_report(context.settings, store.db, context.clock.now(), system)
        known_system([*(row.system for row in found.places), *known_places(store, context)], system)
    finally:
        store.close()
    if as_json:
        context.show_json(found.document())
    elif problems:
        context.show("\n".join(problem.text for problem in found.problems) or "All is well.")
    else:
        _print(found, context, None if everything else SHOWN)
    if problems and found.problems:
        raise click.exceptions.Exit(1)


def _print(found: Report, context: Context, most: int | None) -> None:
    console = stdout()
    if found.simulated:
        console.print("SIMULATED DATA", style="bold")
    many_systems = len(found.systems) > FEW
    shown = found.problems[: SHOWN_PROBLEMS if many_systems and most else None]
    text = [problem.text for problem in shown] or [f"{summary(found)}."]
    if more := len(found.problems) - len(shown):
        text.append(f"And {many(more, 'other thing')}: `ingest status --problems`")
    console.print(context.localized("\n".join(text)), markup=False)
    if many_systems:
        for part in fleet(found, most):
            if isinstance(part, str):
                console.print(context.localized(part), markup=False)
            else:
                print_table(console, part)
    else:
        _systems(found, console)
    for line in (*_quota_lines(found), *_token_lines(found), *_sink_lines(found)):
        console.print(line, markup=False)
    console.print(f"Archive: {many(found.points, 'point')} in {found.state_dir}", markup=False)


def _systems(found: Report, console: Console) -> None:
    """Each home, and each system with its streams, and what is odd of them."""
    for home in found.homes:
        console.print(f"{_heading(home)}: {' + '.join(home.members)}", markup=False)
        if home.lacking:
            console.print(f"  {home.lacking}", markup=False)
    for system in found.systems:
        print_table(console, _system_table(system), "stream", "complete until")
        for stream in system.streams:
            for odd in stream.odd:
                console.print(
                    f"  {stream.stream}: {odd.count:,} not readable: {odd.reason}: {odd.sample}", markup=False
                )
        for day in system.differences[:3]:
            console.print(
                f"  {day.day}: the cloud's total of {day.series} is {day.vendor_wh:,.0f} Wh, its intervals add up to "
                f"{day.held_wh:,.0f} Wh, also when read again: never delivered"
            )


def _quota_lines(found: Report) -> list[str]:
    quota = found.quota
    lines = [
        f"Calls this month: {quota.used_month:,} of {quota.per_month:,} ({quota.history_month:,} for history, "
        f"{quota.reserve:,} in reserve); left: {quota.left:,}; at this pace {quota.forecast_month:,} by its end"
    ]
    if quota.runs_out_at and quota.left > 0:
        lines.append(f"At the pace of the last day they run out on {local_words(quota.runs_out_at, 'UTC')[:10]} (UTC)")
    if found.backfill.calls:
        left = f", done in about {span_words(found.backfill.done_at - found.now)}" if found.backfill.done_at else ""
        lines.append(
            f"History: {percent(found.backfill.ratio)}% read; {many(found.backfill.calls, 'call')} to make{left}"
        )
    return lines


def _token_lines(found: Report) -> list[str]:
    words = {"missing": "not authorized yet", "dead": "no longer authorized", "login": "logs in by itself"}
    lines = []
    for token in found.tokens:
        left = f"authorized for {token.days_left:.0f} more days, renewed by itself" if token.days_left else ""
        if token.state != "user":
            lines.append(f"Account {token.account}: {left or words.get(token.state, token.reason)}")
    return lines


def _sink_lines(found: Report) -> list[str]:
    lines = []
    for sink in found.sinks:
        again = f", {sink.again:,} to be sent again" if sink.again else ""
        lines.append(f"Sink {sink.sink}: {many(sink.sent, 'point')} sent, {sink.backlog:,} waiting{again}")
        if sink.too_old:
            lines.append(f"  {many(sink.too_old, 'point')} older than the database keeps")
    return lines


def _heading(system: SystemReport) -> str:
    heading = f"Home {system.name}" if system.members else f"{system.name} ({system.system})"
    if system.power_w is not None and system.age_s is not None:
        heading += f"  {system.power_w:,.0f} W, {span_words(system.age_s)} ago"
    if system.today_wh is not None:
        heading += f"; today {system.today_wh / 1000:,.1f} kWh"
    return heading


def _system_table(system: SystemReport) -> Table:
    heading = _heading(system)
    table = Table("stream", "complete until", "read", "revised", "open", title=heading, title_justify="left")
    for stream in system.streams:
        missing = [gap for gap in stream.gaps if gap.reason not in QUIET]
        absent = next((gap for gap in stream.gaps if gap.reason == NO_METER_WORDS), None)
        last = absent or (stream.gaps[-1] if stream.gaps else None)
        length = sum(gap.end - gap.start for gap in missing)
        text = f"{many(len(missing), 'gap')} of {_length(length)}: {missing[-1].reason}" if missing else ""
        until = "-" if stream.complete_until is None else local_words(stream.complete_until, system.timezone)
        share = "-" if absent else f"{percent(stream.ratio)}%"
        row = (stream.stream, until, share, f"{stream.revised:,}", text or (last.reason if last else ""))
        table.add_row(*row)
    return table


def _length(seconds: int) -> str:
    return f"{seconds / DAY:,.0f} days" if seconds > 3 * DAY else span_words(seconds)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_obj
def check(context: Context, *, as_json: bool) -> None:
    """Validate the configuration, offline; print where everything is."""
    settings = context.settings
    _check_addresses(settings)
    found = {
        "config": str(settings.config_path),
        "state_dir": str(settings.state_dir),
        "api": settings.api.base_url,
        "version": settings.api.version,
        "plan": settings.api.plan.name,
        "accounts": list(settings.accounts),
        "systems": "all" if settings.systems is None else [entry.id for entry in settings.systems],
        **({"homes": settings.home_members} if settings.homes else {}),
        "sinks": {name: sink.type for name, sink in settings.sinks.items()},
    }
    notes = {"missing": settings.missing_credentials(), "unused": settings.unused()}
    if as_json:
        context.show_json(found | notes)
        return
    for name, value in found.items():
        click.echo(f"{name}: {value}")
    for name, words in (("missing", "not filled in yet"), ("unused", "not used by this version")):
        if notes[name]:
            click.echo(f"{words}: {', '.join(notes[name])}")
    click.echo("The configuration is valid.")


def _check_addresses(settings: Settings) -> None:
    """Raise `ConfigError` for an address of `notify` to which no message can ever be sent; it may hold a secret."""
    if not settings.notify:
        return
    from ingest.notify.messages import UNKNOWN_ADDRESS, is_known  # noqa: PLC0415 - it knows some hundred services

    labels = settings.receivers()
    for address in [secret.get_secret_value() for entry in settings.notify for secret in entry.to]:
        if not is_known(address):
            raise ConfigError(f"{settings.config_path}: {labels[message_name(address)]}: {UNKNOWN_ADDRESS}")
