"""How a person authorizes an account from a terminal: by a browser that comes back here, or by a pasted code."""

import contextlib
import os
import sys
import threading
import webbrowser
from collections.abc import Callable

import click

from ingest.auth.consent import ConsentFlow, Seen
from ingest.cli.context import Context
from ingest.cli.waiting import wait_for
from ingest.core.errors import AuthNeeded, ConfigError, IngestError
from ingest.core.words import many
from ingest.enphase import oauth
from ingest.enphase.endpoints import has_tokens
from ingest.enphase.oauth import TokenPair
from ingest.service import build, onboarding
from ingest.service.access_check import AccessCheck
from ingest.store.database import has_state

LOOK_S = 0.5


def consent_flow(context: Context) -> ConsentFlow:
    """Where the accounts of the settings are authorized. Raises `ConfigError`."""
    settings = context.settings
    if settings.is_simulated:
        raise ConfigError(
            f"{settings.config_path} is about the built-in simulator, which consents by itself; for your own system "
            "run `ingest init`"
        )
    flow = onboarding.flow(settings, context.clock, build.network(context.clock))
    if has_state(settings.state_dir):
        context.state().close()
    return flow


def log_in(context: Context, account: str, *, browser: bool | None = None, wait: int = 600) -> None:
    """Authorize an account, whatever its kind; ends with the systems seen or raises an `IngestError`."""
    if not has_tokens(context.settings.version):
        version = context.settings.version
        raise ConfigError(f"account {account} needs no login: API {version} knows it by its user_id, which never ends")
    flow = consent_flow(context)
    if context.settings.accounts[account].kind == "login":
        look(context, flow, account, flow.authorizer.log_in(account))
    elif place := oauth.local_port(flow.authorizer.app):
        welcome(context, account, _come_back(context, flow, account, place, browser=browser, wait=wait))
    else:
        _open(context, flow, account, browser=browser)
        look(context, flow, account, flow.pasted(account, ask_for_code(account)))
    ask_groups(context, flow, account)


def ask_groups(context: Context, flow: ConsentFlow, account: str) -> None:
    """Find out which access controls are ticked, while the portal is still open: one call each."""
    stored = flow.authorizer.stored(account)
    asker = AccessCheck(context.settings, context.cloud, context.clock, build.network(context.clock))
    if stored is None or not asker.streams():
        return
    context.say(f"Asking the cloud whether each access control is ticked: {many(len(asker.streams()), 'call')}.")
    with contextlib.closing(context.state()) as store:
        for check in asker.look(store, account, stored.current.access):
            context.show(f"  {check.name}: {check.found}" + (f". {check.remedy}" if check.remedy else ""))


def _come_back(
    context: Context, flow: ConsentFlow, account: str, place: tuple[str, int, str], *, browser: bool | None, wait: int
) -> Seen:
    """What was seen once the browser came back to a port of this machine.

    The pages of consent are served there. Where the status page of a runner is, it takes the answer: the file of tokens
    tells us.
    """
    from ingest.web import Server, authorize, bare  # noqa: PLC0415 - only this needs a web server

    results: list[Seen | IngestError] = []
    arrived = threading.Event()

    def ended(whose: str, result: Seen | IngestError) -> None:
        if whose == account:
            results.append(result)
            arrived.set()

    host = "127.0.0.1" if place[0] == "localhost" else place[0]
    files = flow.authorizer.files
    before = files.stamp(account)
    app = bare(context.command)
    app.register_blueprint(authorize.blueprint(flow, ended, home=""))
    try:
        page = Server(app, host, place[1]).start()
    except OSError:
        page = None
        context.say(f"The status page is served at {flow.authorizer.app.redirect_uri} already: it takes the answer.")
    try:
        _open(context, flow, account, browser=browser)
        context.say("Waiting for the browser to come back ... (Ctrl-C ends this)")
        by_runner = wait_for(lambda: page is None and files.stamp(account) != before, arrived, LOOK_S, wait)
    finally:
        if page:
            page.stop()
    if by_runner and (stored := flow.authorizer.stored(account)) and not stored.dead:
        return flow.see(account, stored.current)
    if not results:
        raise AuthNeeded(
            f"account {account}: no answer came within {wait} s; begin again with `ingest auth login {account}`, or "
            f"paste the address that the browser ended at into `ingest auth code {account}`"
        )
    if isinstance(results[0], IngestError):
        raise results[0]
    return results[0]


def look(context: Context, flow: ConsentFlow, account: str, token: TokenPair) -> None:
    """Ask which systems a new token opens, and say so."""
    context.say("Asking the cloud which systems there are: 1 call.")
    welcome(context, account, flow.see(account, token))


def welcome(context: Context, account: str, seen: Seen) -> None:
    """Say that it worked, which systems are seen, and when the first poll is."""
    click.echo(f"Account {account} is authorized.")
    for name in seen.systems:
        click.echo(f"  {name}")
    if seen.trouble:
        context.show(f"{seen.trouble[:1].upper()}{seen.trouble[1:]}.")
    if seen.first_poll:
        context.show(seen.first_poll)


def ask_for_code(account: str) -> str:
    """The code, from the terminal or from whatever is piped in."""
    if sys.stdin.isatty():
        return str(click.prompt("Paste the code, or the whole address of the page that shows it", err=True))
    line = sys.stdin.readline()
    if not line.strip():
        raise AuthNeeded(f"account {account}: no code was given; run `ingest auth code {account}`")
    return line


def _open(context: Context, flow: ConsentFlow, account: str, *, browser: bool | None) -> None:
    """Show the link to the consent page, and open it where that can be seen."""
    link, _ = flow.ask(account)
    context.say("Open this page, log in as the owner of the system, and approve:")
    context.say(f"\n  {link}\n")
    if (has_screen() if browser is None else browser) and not _opened(link):
        context.say("(No browser could be opened from here; open the link by hand.)")


def has_screen() -> bool:
    """Whether a browser that is opened can be seen; a browser in the terminal would take it away from us."""
    named = any(os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
    return sys.stderr.isatty() and (named or sys.platform == "darwin")


def _opened(link: str, opener: Callable[[str], bool] = webbrowser.open) -> bool:
    try:
        return opener(link)
    except (OSError, webbrowser.Error):
        return False
