"""Commands of consent: auth url, login, code, status, logout. They work beside a runner, which notices new tokens."""

import json
import os
import sys
import time
import webbrowser
from collections.abc import Callable
from dataclasses import asdict

import click

from ingest.auth.consent import LONG, ConsentFlow, only_account
from ingest.auth.standing import Standing, standing
from ingest.auth.token_files import TokenFiles
from ingest.cli.context import Context
from ingest.core.errors import AuthNeeded, ConfigError, IngestError
from ingest.enphase import oauth
from ingest.enphase.oauth import VENDOR_PAGE, ConsentAnswer, TokenPair
from ingest.service import build, onboarding

LOOK_S = 0.5
REVOKE = (
    "At Enphase the consent itself stands until the owner withdraws it: in Enlighten, tab Account, API Access, "
    '"Show applications that have API access", "Revoke access".'
)
ACCOUNT = click.argument("account", required=False)


@click.group()
def auth() -> None:
    """Consent of the owners of systems: give, renew, look at, forget."""


@auth.command()
@ACCOUNT
@click.pass_obj
def url(context: Context, account: str | None) -> None:
    """Print the link on which the owner of ACCOUNT consents. It may be sent to him; the answer goes to `auth code`."""
    account = consenting(context, account)
    if context.settings.api.version == "v2":
        click.echo(_v2_link(context))
        say(f"The page ends with a user_id; write it into {context.settings.config_path}:")
        say(f"  accounts: {{{account}: {{user_id: ...}}}}")
        return
    link, _ = _flow(context).ask(account, LONG)
    click.echo(link)
    say(f"Good for 7 days and one answer. When approved, paste the code: `{context.remedy(f'auth code {account}')}`")


@auth.command()
@ACCOUNT
@click.option("--browser/--no-browser", default=None, help="Open a browser. Default: where there is a screen.")
@click.option("--wait", type=click.IntRange(1, 3600), default=600, show_default=True, metavar="S",
              help="Seconds to wait for the browser to come back.")  # fmt: skip
@click.pass_obj
def login(context: Context, account: str | None, *, browser: bool | None, wait: int) -> None:
    """Authorize ACCOUNT: open the consent page, and catch the answer or ask for the code."""
    account = only_account(_kinds(context), account)
    log_in(context, account, browser=browser, wait=wait)


@auth.command(context_settings={"ignore_unknown_options": True})
@ACCOUNT
@click.argument("answer", metavar="[CODE_OR_URL]", required=False)
@click.pass_obj
def code(context: Context, account: str | None, answer: str | None) -> None:
    """Authorize ACCOUNT with a code, or with the whole address that the browser ended at; asked for when not given."""
    if account is not None and answer is None and account not in _kinds(context):
        account, answer = None, account
    account = consenting(context, account)
    if context.settings.api.version == "v2":
        raise ConfigError(f"API v2 has no code: write the user_id of its page into {context.settings.config_path}")
    flow = _flow(context)
    welcome(flow, account, flow.pasted(account, answer if answer is not None else ask_for_code(context, account)))


@auth.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_obj
def status(context: Context, *, as_json: bool) -> None:
    """How each account stands, and the days left until a person must consent again. Spends no call."""
    remedy = lambda account: context.remedy(f"auth login {account}")  # noqa: E731
    found = standing(context.settings, context.clock.now(), remedy)
    if as_json:
        click.echo(json.dumps({"accounts": [asdict(one) for one in found]}, ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.account}: {_in_words(one)}")


@auth.command()
@ACCOUNT
@click.pass_obj
def logout(context: Context, account: str | None) -> None:
    """Forget the tokens of ACCOUNT, and say where the owner can revoke his consent. The data already read are kept."""
    account = only_account(_kinds(context), account)
    if TokenFiles(context.settings.state_dir / "tokens").forget(account):
        click.echo(f"The tokens of account {account} are deleted; data already read are kept.")
    else:
        click.echo(f"Account {account} has no tokens here.")
    kind = _kinds(context)[account]
    if kind == "consent":
        click.echo(REVOKE)
        click.echo(f"To authorize again: `{context.remedy(f'auth login {account}')}`")
    else:
        path = context.settings.config_path
        click.echo(
            f"Its credentials are in {path}, and a runner logs in by them again; remove accounts.{account} there."
        )


def log_in(context: Context, account: str, *, browser: bool | None = None, wait: int = 600) -> None:
    """Authorize an account, whatever its kind; ends with the systems seen or raises an `IngestError`."""
    kind = _kinds(context)[account]
    if context.settings.api.version == "v2":
        raise ConfigError(f"account {account} needs no login: API v2 knows it by its user_id, which never ends")
    flow = _flow(context)
    if kind == "login":
        welcome(flow, account, flow.authorizer.log_in(account))
        return
    place = oauth.local_port(flow.authorizer.app)
    if place is None:
        link, _ = flow.ask(account)
        _show(link, browser=browser)
        welcome(flow, account, flow.pasted(account, ask_for_code(context, account)))
        return
    token = _catch(flow, account, place, browser=browser, wait=wait)
    if token is None:
        raise AuthNeeded(
            f"account {account}: no answer came within {wait} s; begin again with "
            f"`{context.remedy(f'auth login {account}')}`, or paste the address that the browser ended at into "
            f"`{context.remedy(f'auth code {account}')}`"
        )
    welcome(flow, account, token)


def _catch(
    flow: ConsentFlow, account: str, place: tuple[str, int, str], *, browser: bool | None, wait: int
) -> TokenPair | None:
    """Wait for the browser to come back to a port of this machine; None when it did not."""
    from ingest.cli.redirect import Catcher  # noqa: PLC0415 - only this needs a web server

    answered: list[TokenPair | IngestError] = []

    def conclude(answer: ConsentAnswer) -> str:
        if flow.redeem(answer) != account:
            raise AuthNeeded("this answers the question of another account")
        try:
            answered.append(flow.conclude(account, answer))
        except IngestError as error:
            answered.append(error)
            raise
        return f"Account {account} is authorized. You may close this page; the systems are listed in the terminal."

    before = flow.authorizer.files.stamp(account)
    try:
        catcher = Catcher(*place, conclude)
    except OSError:
        return _wait_for_page(flow, account, before, browser=browser, wait=wait)
    with catcher:
        link, _ = flow.ask(account)
        _show(link, browser=browser)
        say("Waiting for the browser to come back ... (Ctrl-C ends this)")
        catcher.serve(wait, lambda: bool(answered))
    if answered and isinstance(answered[0], IngestError):
        raise answered[0]
    return answered[0] if answered and isinstance(answered[0], TokenPair) else None


def _wait_for_page(
    flow: ConsentFlow, account: str, before: tuple[int, int], *, browser: bool | None, wait: int
) -> TokenPair | None:
    """The status page of a runner listens where the browser returns to: it takes the answer, and the file tells us."""
    link, _ = flow.ask(account)
    _show(link, browser=browser)
    say(f"{flow.authorizer.app.redirect_uri} is served already, by the status page I think: it takes the answer.")
    end = time.monotonic() + wait
    while time.monotonic() < end:
        if flow.authorizer.files.stamp(account) != before:
            kept = flow.authorizer.kept(account)
            return kept.current if kept is not None and not kept.dead else None
        time.sleep(LOOK_S)
    return None


def welcome(flow: ConsentFlow, account: str, token: TokenPair) -> None:
    """Say that it worked, which systems are seen, and when the first poll is."""
    click.echo(f"Account {account} is authorized.")
    say("Asking the cloud which systems there are: 1 call.")
    seen = flow.see(account, token)
    for name in seen.systems:
        click.echo(f"  {name}")
    if seen.trouble:
        click.echo(f"{seen.trouble[:1].upper()}{seen.trouble[1:]}.")
    if seen.first_poll:
        click.echo(seen.first_poll)


def ask_for_code(context: Context, account: str) -> str:
    """The code, from the terminal or from whatever is piped in."""
    if sys.stdin.isatty():
        return str(click.prompt("Paste the code, or the whole address of the page that shows it", err=True))
    line = sys.stdin.readline()
    if not line.strip():
        raise AuthNeeded(f"account {account}: no code was given; run `{context.remedy(f'auth code {account}')}`")
    return line


def consenting(context: Context, named: str | None) -> str:
    """The account meant, of those that an owner consents to. Raises `ConfigError`."""
    kinds = _kinds(context)
    asked = {name: kind for name, kind in kinds.items() if kind == "consent"}
    account = only_account(asked if named is None and len(asked) == 1 else kinds, named)
    if context.settings.api.version != "v2" and kinds[account] != "consent":
        raise ConfigError(
            f"account {account} logs in by its username and password, and needs no consent; to try the login: "
            f"`{context.remedy(f'auth login {account}')}`"
        )
    return account


def say(text: str) -> None:
    """Progress, on stderr."""
    click.echo(text, err=True)


def _kinds(context: Context) -> dict[str, str]:
    return {name: account.kind for name, account in context.settings.accounts.items()}


def _flow(context: Context) -> ConsentFlow:
    settings = context.settings
    if settings.is_simulated:
        raise ConfigError(
            f"{settings.config_path} is about the built-in simulator, which consents by itself; for your own system "
            f"run `{context.remedy('init')}`"
        )
    flow = onboarding.flow(settings, context.clock, build.network(context.clock), context.remedy)
    if (settings.state_dir / "state.db").exists():
        context.state().close()
    return flow


def _v2_link(context: Context) -> str:
    api = context.settings.api
    if not api.client_id:
        raise ConfigError(f"{context.settings.config_path}: api.client_id must hold the App ID of the v2 portal")
    own = "" if api.redirect_uri == VENDOR_PAGE else api.redirect_uri
    return oauth.enlighten_url(api.base_url, api.client_id, own)


def _show(link: str, *, browser: bool | None) -> None:
    say("Open this page, log in as the owner of the system, and approve:")
    say(f"\n  {link}\n")
    if has_screen() if browser is None else browser:
        _open(link)


def has_screen() -> bool:
    """Whether a browser that is opened can be seen; a browser in the terminal would take it away from us."""
    named = any(os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
    return sys.stderr.isatty() and (named or sys.platform == "darwin")


def _open(link: str, opener: Callable[[str], bool] = webbrowser.open) -> None:
    try:
        opened = opener(link)
    except (OSError, webbrowser.Error):
        opened = False
    if not opened:
        say("(No browser could be opened from here; open the link by hand.)")


def _in_words(one: Standing) -> str:
    if one.kind == "user":
        return "API v2, by its user_id, which never ends"
    if one.sentence:
        return one.sentence
    alone = "; logs in again by itself" if one.kind == "login" else ""
    if one.days_left is None:
        return f"not logged in yet{alone}" if one.state == "missing" else f"{one.state}{alone}"
    return f"authorized, {one.days_left:.1f} days left if it were never renewed{alone or '; a runner renews it daily'}"
