"""The command that makes one documented call of the cloud, and prints what it answers."""

import contextlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ingest.auth.token_files import TokenFiles
from ingest.cli.context import Context
from ingest.core.errors import ConfigError
from ingest.core.words import many
from ingest.enphase.endpoints import ENDPOINTS, Endpoint, endpoint_of, has_tokens, root
from ingest.enphase.requests import ApiTarget
from ingest.service import build, identity
from ingest.service.single_call import MAX_PAGES, SIZE, SingleCall, joined
from ingest.store import progress

if TYPE_CHECKING:
    from ingest.store.database import Store

FILLED_IN = ("key", "user_id", "access_token")
"""Parameters that the program fills in itself."""
JSONP = "callback"
"""A parameter of v2 that wraps the reply in JavaScript."""


class _Asked(NamedTuple):
    """What a person asks for."""

    endpoint: Endpoint
    path: str
    account: str
    system: str
    params: list[tuple[str, str]]


@click.command("api")
@click.argument("path")
@click.argument("parameters", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--account", metavar="NAME", help="The account to ask through. Default: that of the system.")
@click.option("--system", metavar="ID", help="What stands for {system}. Default: the only system there is.")
@click.option("--paginate", is_flag=True, help="Read every page of a list, for a call each.")
@click.option("--dry-run", is_flag=True, help="Say what it costs, and make no call.")
@click.pass_obj
def api(
    context: Context,
    path: str,
    parameters: Sequence[str],
    account: str | None,
    system: str | None,
    *,
    paginate: bool,
    dry_run: bool,
) -> None:
    """Make one documented call, counted as any other, and print the JSON that it answers.

    PATH is below /api/v4/ (of v2 /api/v2/, of v1 /api/), such as systems/{system}/devices. Nothing but GET is
    sent, so no call changes or controls anything.
    """
    with cloud_caller(context) as caller:
        asked = _asked(context, caller.store, path, parameters, account, system)
        if dry_run:
            _price(context, caller, asked, paginate=paginate)
            return
        if paginate:
            asked.params.extend(() if dict(asked.params).keys() & {"size", "limit"} else [_page_size(caller, asked)])
            pages = list(caller.pages(asked.account, asked.system, asked.endpoint, asked.path, asked.params))
            reply = joined(pages)
        else:
            reply = caller.ask(asked.account, asked.system, asked.endpoint, asked.path, asked.params)
    show_reply(reply)


def show_reply(reply: Any) -> None:
    """Print a reply as it came, indented."""
    click.echo(json.dumps(reply, ensure_ascii=False, indent=2))


@contextlib.contextmanager
def cloud_caller(context: Context) -> Iterator[SingleCall]:
    """What makes the calls of a command. Raises `ConfigError` when credentials are missing."""
    settings, clock = context.settings, context.clock
    with contextlib.ExitStack() as stack:
        transport, cloud = build.network(clock), context.cloud
        store = stack.enter_context(contextlib.closing(identity.open_store(settings, cloud)))
        auth = build.authorizer(settings, cloud, clock, transport) if has_tokens(settings.version) else None
        if settings.is_simulated:
            server = stack.enter_context(build.simulator(settings))
            cloud = identity.simulated_cloud(server.url)
            auth = build.authorizer(settings, cloud, clock, transport)
            auth.files = TokenFiles(Path(stack.enter_context(tempfile.TemporaryDirectory())))
            build.consent_to_simulator(auth, settings.accounts, server.cloud.consent)
        target = ApiTarget(settings.version, cloud.base_url, cloud.key)
        yield SingleCall(settings, target, store, clock, transport, auth, build.user_ids(settings))


def _asked(
    context: Context, store: "Store", path: str, parameters: Sequence[str], account: str | None, system: str | None
) -> _Asked:
    """What the words of the command mean. Raises `ConfigError` or `UsageError`."""
    version = context.settings.version
    path = path.strip().strip("/").removeprefix(f"{root(version)}/")
    known = {row.system: row.account for row in progress.systems(store.db).values()}
    if "{system}" in path:
        system = system or _only_system(context, known)
        path = path.replace("{system}", system)
    endpoint = endpoint_of(version, path)
    if endpoint is None:
        near = get_close_matches(path, [endpoint.path for endpoint in ENDPOINTS[version]], 1, 0.3)
        hint = f"; the nearest is `{near[0]}`" if near else ""
        raise click.UsageError(f"API {version} has no documented call {path!r}{hint}. All are in docs/streams.md")
    if endpoint.refusal:
        raise click.UsageError(f"{path!r} is never asked: {endpoint.refusal}")
    mine = system or next((part for part in path.split("/") if part in known), "")
    return _Asked(endpoint, path, _account(context, account or known.get(mine)), mine, _parameters(parameters))


def _only_system(context: Context, known: dict[str, str]) -> str:
    entries = [str(entry.id) for entry in context.settings.systems or ()] or list(known)
    if len(entries) != 1:
        found = ", ".join(entries) or "none yet"
        raise click.UsageError(f"{{system}} needs --system ID; known: {found}")
    return entries[0]


def _account(context: Context, name: str | None) -> str:
    accounts = list(context.settings.accounts)
    if name is None and len(accounts) == 1:
        return accounts[0]
    if name not in accounts:
        what = "name one with --account" if name is None else f"no account is called {name!r}"
        raise ConfigError(f"{context.settings.config_path}: {what}; there are: {', '.join(accounts)}")
    return name


def _parameters(words: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals):
            raise click.UsageError(f"{word!r} is no KEY=VALUE")
        if name in FILLED_IN:
            raise click.UsageError(f"{name!r} is filled in by the program; leave it out")
        if name == JSONP:
            click.echo("callback is left out: the reply is JSON, not JavaScript", err=True)
            continue
        found.append((name, value))
    return found


def _page_size(caller: SingleCall, asked: _Asked) -> tuple[str, str]:
    """The largest page of an endpoint, for the fewest calls."""
    if not has_tokens(caller.api.version) or "/ev_charger/" in asked.path:
        return "limit", str(SIZE)
    return "size", "20" if asked.path.endswith("micros/telemetry") else str(SIZE)


def _price(context: Context, caller: SingleCall, asked: _Asked, *, paginate: bool) -> None:
    """What a call costs: of the month, and in money beyond its free ones."""
    settings, left = context.settings, caller.left()
    calls = f"1 call a page, {MAX_PAGES} pages at most" if paginate else "1 call"
    click.echo(f"GET /api/{caller.api.version}/{asked.path} through account {asked.account}: {calls}")
    click.echo(f"{many(left, 'call')} of {settings.plan.per_month:,} are left this month")
    if settings.price and settings.plan.per_month - left >= settings.api.plan.free_calls:
        click.echo(f"The free calls are used up: USD {settings.price} a call")
    click.echo(f'Needs the access control "{asked.endpoint.group}"')
