"""`init`: a few questions, `config/local.yaml`, the consent, and what comes of it. Secrets are typed unseen."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from ingest import config
from ingest.auth.standing import standing
from ingest.cli.config_file import Local
from ingest.cli.context import Context
from ingest.cli.login import log_in
from ingest.cli.output import check_folder
from ingest.cli.questions import Questions
from ingest.cli.stack import write_stack
from ingest.core.errors import ConfigError
from ingest.enphase.endpoints import has_tokens
from ingest.store.database import has_state

HEADLINE = "# Written by `ingest init`; run it again to change this, or edit it. All keys: config/ingest.yaml"
PORTAL = "https://developer-v4.enphase.com"


@click.command()
@click.option("--base-url", metavar="URL", help="Address of the API: a simulated cloud, or a proxy.")
@click.option("--redirect-uri", metavar="URL", help="Where the browser returns to. Default: a page of Enphase.")
@click.option("--stack", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Write the Docker stack, the boards and the examples to a folder, and end.")  # fmt: skip
@click.option("--browser/--no-browser", default=None, help="Open a browser. Default: where there is a screen.")
@click.pass_context
def init(
    ctx: click.Context, base_url: str | None, redirect_uri: str | None, stack: Path | None, *, browser: bool | None
) -> None:
    """Connect your own system: a few questions, then the consent. Run it again to change the answers."""
    before: Context = ctx.obj
    if stack is not None:
        check_folder(before, stack)
        write_stack(stack)
        before.show(f"Written: {stack.absolute()}. In there: `scripts/secrets.sh`, then `docker compose up -d`; or "
                    "`ingest run` for a demonstration. docs/stack.md has the rest.")  # fmt: skip
        return
    named = where(before.config, os.environ)
    if named.exists() and not named.is_file():
        raise ConfigError(f"{named}: is not a plain file; name another one with --config")
    local = Local.open(named)
    there = next(place for place in (local.path, *local.path.parents) if place.exists())
    if not os.access(there, os.W_OK):
        raise ConfigError(
            f"{local.path} cannot be written by this user. In Docker, connect with `scripts/secrets.sh`, then "
            "`docker compose up -d`; elsewhere name a file of yours with --config"
        )
    before.say(f"This writes {local.path}. Credentials: {PORTAL}, page Applications; the clicks are in docs/auth.md.")
    if local.tree:
        before.say("It is there already: Enter keeps what is shown.")
    questions = Questions(local.tree)
    while True:
        questions.ask(base_url, redirect_uri)
        try:
            local.check()
        except ConfigError as error:
            before.say(f"\n{error}\nOnce more, please; Enter keeps an answer.\n")
            if not sys.stdin.isatty():
                raise
        else:
            break
    former = local.write(HEADLINE)
    click.echo(f"Written: {local.path} (readable by you only).")
    if former:
        click.echo(f"The file that was there is kept as {former}")
    context = Context(before.config, before.state_dir, before.verbose, before.clock)
    ctx.obj = context
    authorize(context, browser=browser)
    finish(ctx, context)


def where(named: str | None, environ: Mapping[str, str]) -> Path:
    """The file to write: the one that is named, else `config/local.yaml` here, or in the checkout of the program."""
    if chosen := named or environ.get("INGEST_CONFIG"):
        return Path(chosen).absolute()
    checkout = Path(config.__file__).parents[2]
    local, shipped = config.NAMES
    here = next((folder for folder in (Path(), checkout) if (folder / shipped).exists() or (folder / local).exists()),
                Path())  # fmt: skip
    return (here / local).absolute()


def authorize(context: Context, *, browser: bool | None) -> None:
    """The consent of every account that lacks one."""
    settings = context.settings
    if settings.is_simulated or not has_tokens(settings.version):
        return
    for one in standing(settings, context.clock.now()):
        if one.state == "ok":
            context.show(f"Account {one.account} is authorized already; a new consent: "
                       f"`ingest auth login {one.account}`")  # fmt: skip
        else:
            click.echo(f"\nAccount {one.account}:")
            log_in(context, one.account, browser=browser)


def finish(ctx: click.Context, context: Context) -> None:
    """The plan, where there is enough to make one, and the next command."""
    root = ctx.find_root().command
    plan = root.get_command(ctx, "plan") if isinstance(root, click.Group) else None
    if plan is not None and has_state(context.settings.state_dir):
        click.echo("")
        ctx.invoke(plan)
    context.show("\nStart it: `ingest run`")
