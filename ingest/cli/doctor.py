"""The command that checks an installation."""

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from ingest.auth.token_files import TokenFiles
from ingest.cli.context import Context
from ingest.core.errors import IngestError
from ingest.service import build, identity
from ingest.store.database import has_state

if TYPE_CHECKING:
    from ingest.service.check import Check
    from ingest.service.doctor import Doctor

MARKS = {"ok": "[green]✓[/]", "bad": "[red]✗[/]", "skipped": "[dim]-[/]"}


@click.command()
@click.option("--offline", is_flag=True, help="Ask neither the cloud nor for a call.")
@click.option("--groups", is_flag=True, help="Spend a call on each access control that is needed, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_obj
def doctor(context: Context, *, offline: bool, groups: bool, as_json: bool) -> None:
    """Check everything, each thing by its name and with its remedy."""
    from ingest.service.check import BAD, Check  # noqa: PLC0415 - only what checks everything needs all of it

    found: list[Check] = []
    console = Console(highlight=False, soft_wrap=True)
    try:
        settings = context.settings
    except IngestError as error:
        found.append(Check("configuration", BAD, str(error), "Fix the named line, then `ingest check`"))
    else:
        with contextlib.ExitStack() as stack:
            one = _doctor(context, stack, offline=offline)
            one.groups = groups
            if one.calls() and not settings.is_simulated:
                click.echo(f"This spends {one.calls()} of the month's calls.", err=True)
            for check in one.checks():
                found.append(check)
                if not as_json:
                    _print(console, check, context)
    if as_json:
        context.show_json([asdict(check) for check in found])
    elif len(found) == 1:
        _print(console, found[0], context)
    if any(check.result == BAD for check in found):
        raise click.exceptions.Exit(1)


def _print(console: Console, check: "Check", context: Context) -> None:
    console.print(MARKS.get(check.result, "[yellow]![/]"), end=" ")
    console.print(context.localized(f"{check.name}: {check.found}"), markup=False)
    if check.remedy:
        console.print(context.localized(f"  {check.remedy}"), markup=False)


def _doctor(context: Context, stack: contextlib.ExitStack, *, offline: bool) -> "Doctor":
    from ingest.service.doctor import CloudLine, Doctor  # noqa: PLC0415

    settings, clock = context.settings, context.clock
    one = Doctor(settings, clock)
    asks = not offline and not settings.missing_credentials()
    if has_state(settings.state_dir):
        cloud = None if settings.missing_credentials() else context.cloud
        try:
            one.store = stack.enter_context(contextlib.closing(identity.open_store(settings, cloud)))
        except IngestError as error:
            one.broken = str(error)
    if not asks or one.broken:  # calls that could not be counted are not made
        return one
    transport = build.network(clock)
    if not settings.is_simulated:
        one.line = CloudLine(identity.cloud_of(settings), transport, _grants(context))
        return one
    server = stack.enter_context(build.simulator(settings))
    cloud = identity.simulated_cloud(server.url)
    auth = build.authorizer(settings, cloud, clock, transport)
    auth.files = TokenFiles(Path(stack.enter_context(tempfile.TemporaryDirectory())))
    one.line = CloudLine(cloud, transport, lambda account: auth.by_code(account, server.cloud.consent()).access)
    return one


def _grants(context: Context) -> Callable[[str], str]:
    """What each account is called with: what is on the disk, not renewed for this."""
    users = build.user_ids(context.settings)
    files = TokenFiles(context.settings.state_dir / "tokens")

    def grant(account: str) -> str:
        if account in users:
            return users[account]
        stored = files.read(account)
        return "" if stored is None else stored.current.access

    return grant
