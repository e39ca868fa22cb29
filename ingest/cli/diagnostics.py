"""The command that gathers what a bug report needs."""

import contextlib
import json
from pathlib import Path

import click

from ingest import logs
from ingest.auth.private_file import write_private
from ingest.cli.context import Context
from ingest.cli.output import check_output
from ingest.core.errors import IngestError
from ingest.service import identity
from ingest.store.database import Store
from ingest.store.whole_file import whole_file


@click.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of stdout.")
@click.pass_obj
def diagnostics(context: Context, output: Path | None) -> None:
    """One redacted file for a bug report: version, configuration, status, checks, errors. Spends no call."""
    text = json.dumps(_document(context), indent=1, ensure_ascii=False, default=str)
    if output is None:
        click.echo(text)
        return
    check_output(context, output)
    try:
        with whole_file(output) as fresh:
            write_private(fresh, text + "\n")
    except OSError as error:
        raise IngestError(f"{output}: {error.strerror}; choose another file with -o") from None
    click.echo(f"{output}: no secrets are in it; read it before you publish it (docs/diagnostics.md)")


def _document(context: Context) -> dict[str, object]:
    """The document; where the configuration or the state cannot be read, that is what it says."""
    from ingest.service import diagnostics as service  # noqa: PLC0415 - it needs all that is checked

    try:
        settings = context.settings
    except IngestError as error:
        return {"program": service.program(), "configuration_error": logs.redact(str(error))}
    store, why = _store(context)
    try:
        return service.document(settings, context.clock, store, why)
    finally:
        if store is not None:
            store.close()


def _store(context: Context) -> tuple[Store | None, str]:
    """The state, also where it belongs to another application; and why it cannot be used as it is."""
    try:
        return context.state(), ""
    except IngestError as error:
        why = str(error)
    store = None
    with contextlib.suppress(IngestError):
        if (context.settings.state_dir / "state.db").exists():
            store = identity.open_store(context.settings, None)
    return store, why
