"""The command line. `main` turns the program's own errors into one sentence and the exit code that belongs to it."""

import sys

import click

import ingest
from ingest import logs
from ingest.cli import auth, data, init, look, plan, service
from ingest.cli.context import Context
from ingest.core.errors import IngestError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(ingest.__version__, prog_name="ingest")
@click.option("--config", metavar="FILE", help="The configuration file. Default: $INGEST_CONFIG, config/local.yaml, "
              "config/ingest.yaml.")  # fmt: skip
@click.option("--state-dir", metavar="DIR", help="Where data and tokens are kept. Default: as configured.")
@click.option("-v", "--verbose", is_flag=True, help="Log every call; secrets are never shown.")
@click.pass_context
def cli(ctx: click.Context, config: str | None, state_dir: str | None, verbose: bool) -> None:  # noqa: FBT001
    """Your own copy of your Enphase solar data, kept true to the cloud within its quota."""
    logs.setup(verbose)
    ctx.obj = context = ctx.obj or Context()
    context.config, context.state_dir, context.verbose = config, state_dir, verbose


for command in (*init.COMMANDS, *service.COMMANDS, *auth.COMMANDS, *plan.COMMANDS, *data.COMMANDS, *look.COMMANDS):
    cli.add_command(command)


def main() -> None:
    """Run the program: `ingest`."""
    context = Context()
    try:
        with cli.make_context("ingest", sys.argv[1:], obj=context) as ctx:
            cli.invoke(ctx)
    except IngestError as error:
        click.echo(f"ingest: {logs.redact(context.localized(str(error)))}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("ingest: stopped", err=True)
        sys.exit(130)
    except click.exceptions.Exit as ending:
        sys.exit(ending.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
