"""The command line. `main` turns the program's own errors into one sentence and the exit code that belongs to it."""

import errno
import os
import sqlite3
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NoReturn

import click

import ingest
from ingest import logs
from ingest.cli.context import Context
from ingest.core.errors import IngestError
from ingest.service.garbage import seldom_searched
from ingest.store.database import state_failed

COMMAND_MODULES = {
    "init": "init",
    "run": "run",
    "once": "run",
    "simulate": "run",
    "auth": "auth",
    "plan": "plan",
    "backfill": "backfill",
    "export": "data",
    "replay": "data",
    "backup": "data",
    "restore": "data",
    "status": "status",
    "check": "status",
    "doctor": "doctor",
    "setup-database": "database",
    "systems": "systems",
    "devices": "systems",
    "find": "systems",
    "api": "api",
    "verify": "verify",
    "notify": "notify",
    "completion": "completion",
    "man": "completion",
    "diagnostics": "diagnostics",
}
"""The module of each command, imported when that is called: on a Raspberry Pi, all of them take seconds."""


COMPLETE = "_INGEST_COMPLETE"
"""The variable in which a shell says what it wants to be completed."""


class Commands(click.Group):
    """The commands in the order in which a newcomer meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names, for the help."""
        return list(COMMAND_MODULES)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The same, with the nearest word where there is no such command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], COMMAND_MODULES, 1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """The command; what SQLite says of the state while it is read, in words. Raises `StateError` for that."""
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            ours = [param for param in self.params if error.option_name in param.opts]
            if not ours:
                raise
            called = " ".join(filter(None, ("ingest", error.option_name, ours[0].metavar, ctx.invoked_subcommand)))
            raise click.UsageError(f"{error.option_name} stands before the command: {called}", error.ctx) from None
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as error:
            raise state_failed(error, ctx.obj.settings.state_dir / "state.db") from error

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a name."""
        if cmd_name not in COMMAND_MODULES:
            return None
        module = import_module(f"ingest.cli.{COMMAND_MODULES[cmd_name]}")
        found: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(ingest.__version__, prog_name="ingest")
@click.option("--config", metavar="FILE", help="The configuration file. Default: $INGEST_CONFIG, config/local.yaml, "
              "config/ingest.yaml.")  # fmt: skip
@click.option("--state-dir", metavar="DIR", help="Where data and tokens are kept. Default: as configured.")
@click.option("-v", "--verbose", is_flag=True, help="Log every call; secrets are never shown.")
@click.pass_context
def cli(ctx: click.Context, config: str | None, state_dir: str | None, verbose: bool) -> None:  # noqa: FBT001
    """Your own copy of your Enphase solar data, kept in sync with the cloud, within your API quota."""
    ctx.obj = context = ctx.obj or Context()
    context.config, context.state_dir, context.verbose = config, state_dir, verbose
    logs.setup(verbose, wording=context.localized)


def main() -> None:
    """Run the program: `ingest`."""
    if COMPLETE in os.environ:
        from click.shell_completion import shell_complete  # noqa: PLC0415 - a shell asks for the words that fit

        sys.exit(shell_complete(cli, {}, "ingest", COMPLETE, os.environ[COMPLETE]))
    context = Context()
    try:
        with seldom_searched(), cli.make_context("ingest", sys.argv[1:], obj=context) as ctx:
            cli.invoke(ctx)
        sys.stdout.flush()
    except IngestError as error:
        context.say(f"ingest: {logs.redact(str(error))}")
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("ingest: stopped", err=True)
        sys.exit(130)
    except click.exceptions.Exit as ending:
        sys.exit(ending.exit_code)
    except PermissionError as error:
        click.echo(f"ingest: {error.filename}: {error.strerror}; give this user access to it", err=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _no_room(error)


def _no_room(error: OSError) -> NoReturn:
    """Nothing more can be written; what waits for stdout is dropped, for it would fail again."""
    where = error.filename or "the output"
    click.echo(f"ingest: {where}: {error.strerror}; free some space, or write to another place", err=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)
