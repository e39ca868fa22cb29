"""Where a command may write a file: never over what the program lives on, nor onto what is not a plain file."""

import sys
from pathlib import Path

import click

from ingest.cli.context import Context
from ingest.core.errors import IngestError


def check_output(context: Context, path: Path) -> None:
    """Raise `IngestError` unless a file may be written at `path`."""
    settings, whole = context.settings, path.resolve()
    if whole.is_relative_to(settings.state_dir.resolve()):
        raise IngestError(f"{path}: is in the state folder, which the program alone writes to; choose another place")
    if whole == settings.config_path.resolve():
        raise IngestError(f"{path}: is the configuration; choose another file")
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise IngestError(f"{path}: is not a plain file; choose another name")


def confirm_overwrite(path: Path, *, force: bool) -> None:
    """Ask before a file is replaced; where nobody can be asked, raise `IngestError`."""
    if force or not path.exists():
        return
    if not sys.stdin.isatty():
        raise IngestError(f"{path}: is there already; choose another name, or replace it with --force")
    click.confirm(f"{path} is there already. Replace it?", abort=True, err=True)
