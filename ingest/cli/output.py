"""Where a command may write a file: never over what the program lives on, nor onto what is not a plain file."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from ingest import config
from ingest.cli.context import Context
from ingest.config import Parquet
from ingest.core.errors import ConfigError, IngestError
from ingest.store.database import is_state_folder


def check_output(context: Context, path: Path) -> None:
    """Raise `IngestError` unless a file may be written at `path`."""
    check_folder(context, path)
    whole = path.resolve()
    with_name = {file.resolve(): what for file, what in _files(context)}
    if whole in with_name:
        raise IngestError(f"{path}: is {with_name[whole]}; choose another file")
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise IngestError(f"{path}: is not a plain file; choose another name")


def check_folder(context: Context, path: Path) -> None:
    """Raise `IngestError` where a path is in a folder that the program alone writes to, this state or any other."""
    whole = path.resolve()
    for folder, what in _folders(context):
        if whole.is_relative_to(folder.resolve()):
            raise IngestError(f"{path}: is in {what}, which the program alone writes to; choose another place")
    if any(is_state_folder(folder) for folder in (whole, *whole.parents)):
        raise IngestError(f"{path}: is in a state folder, which the program alone writes to; choose another place")


def _folders(context: Context) -> Iterator[tuple[Path, str]]:
    """The folders of this installation, as far as its configuration can be read."""
    try:
        settings = context.settings
    except ConfigError:
        return
    yield settings.state_dir, "the state folder"
    for name, sink in settings.sinks.items():
        if isinstance(sink, Parquet) and "://" not in sink.path:
            yield Path(sink.path), f"the data set of sink {name}"


def _files(context: Context) -> Iterator[tuple[Path, str]]:
    """The configuration, also one that cannot be used as it is, and the secrets that it names."""
    try:
        path = config.find(context.config, os.environ)
        yield path, "the configuration"
        yield from ((file, "a secret of the configuration") for file in config.secret_files(path, os.environ))
    except ConfigError:
        return


def confirm_overwrite(path: Path, *, force: bool) -> None:
    """Ask before a file is replaced; where nobody can be asked, raise `IngestError`."""
    if force or not path.exists():
        return
    if not sys.stdin.isatty():
        raise IngestError(f"{path}: is there already; choose another name, or replace it with --force")
    click.confirm(f"{path} is there already. Replace it?", abort=True, err=True)
