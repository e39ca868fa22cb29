"""Commands of consent: auth url, login, code, status, logout. They work beside a runner, which notices new tokens."""

from dataclasses import asdict

import click

from ingest.auth.consent import LONG, only_account
from ingest.auth.standing import Standing, standing
from ingest.auth.token_files import TokenFiles
from ingest.cli.context import Context
from ingest.cli.login import ask_for_code, consent_flow, log_in, look
from ingest.core.errors import AuthNeeded, ConfigError
from ingest.enphase import oauth
from ingest.enphase.endpoints import has_tokens
from ingest.enphase.oauth import VENDOR_PAGE

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
    """Print the link on which the owner of ACCOUNT consents. It may be sent to them; the answer goes to `auth code`."""
    account = consenting(context, account)
    if not has_tokens(context.settings.version):
        click.echo(_v2_link(context))
        context.say(f"The page ends with a user_id; write it into {context.settings.config_path}:")
        context.say(f"  accounts: {{{account}: {{user_id: ...}}}}")
        return
    link, _ = consent_flow(context).ask(account, LONG)
    click.echo(link)
    context.say(f"Good for 7 days and one answer. When approved, paste the code: `ingest auth code {account}`")


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
    if not has_tokens(context.settings.version):
        version, path = context.settings.version, context.settings.config_path
        raise ConfigError(f"API {version} has no code: write the user_id of its page into {path}")
    flow = consent_flow(context)
    look(context, flow, account, flow.pasted(account, answer if answer is not None else ask_for_code(account)))


@auth.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_obj
def status(context: Context, *, as_json: bool) -> None:
    """How each account stands, and the days left until a person must consent again; ends with 3 when one must now."""
    found = standing(context.settings, context.clock.now())
    if as_json:
        context.show_json({"accounts": [asdict(one) for one in found]})
    else:
        for one in found:
            context.show(f"{one.account}: {_in_words(one)}")
    if any(one.sentence and one.state != "ok" for one in found) and not context.settings.is_simulated:
        raise click.exceptions.Exit(AuthNeeded.exit_code)


@auth.command()
@ACCOUNT
@click.pass_obj
def logout(context: Context, account: str | None) -> None:
    """Forget the tokens of ACCOUNT, and say where the owner can revoke the consent. The data already read are kept."""
    account = only_account(_kinds(context), account)
    if TokenFiles(context.settings.state_dir / "tokens").forget(account):
        click.echo(f"The tokens of account {account} are deleted; data already read are kept.")
    else:
        click.echo(f"Account {account} has no tokens here.")
    kind = _kinds(context)[account]
    if kind == "consent":
        click.echo(REVOKE)
        context.show(f"To authorize again: `ingest auth login {account}`")
    else:
        path = context.settings.config_path
        click.echo(
            f"Its credentials are in {path}, and a runner logs in by them again; remove accounts.{account} there."
        )


def consenting(context: Context, named: str | None) -> str:
    """The account meant, of those that an owner consents to. Raises `ConfigError`."""
    kinds = _kinds(context)
    asked = {name: kind for name, kind in kinds.items() if kind == "consent"}
    account = only_account(asked if named is None and len(asked) == 1 else kinds, named)
    if has_tokens(context.settings.version) and kinds[account] != "consent":
        raise ConfigError(
            f"account {account} logs in by its username and password, and needs no consent; to try the login: "
            f"`ingest auth login {account}`"
        )
    return account


def _kinds(context: Context) -> dict[str, str]:
    return {name: account.kind for name, account in context.settings.accounts.items()}


def _v2_link(context: Context) -> str:
    api = context.settings.api
    if not api.client_id:
        raise ConfigError(f"{context.settings.config_path}: api.client_id must hold the App ID of the v2 portal")
    own = "" if api.redirect_uri == VENDOR_PAGE else api.redirect_uri
    return oauth.enlighten_url(api.base_url, api.client_id, own)


def _in_words(one: Standing) -> str:
    if one.kind == "user":
        return "by its user_id, which never ends"
    if one.sentence:
        return one.sentence
    alone = "; logs in again by itself" if one.kind == "login" else ""
    if one.days_left is None:
        return f"not logged in yet{alone}" if one.state == "missing" else f"{one.state}{alone}"
    return f"authorized, {one.days_left:.1f} days left if it were never renewed{alone or '; a runner renews it daily'}"
