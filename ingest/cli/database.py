"""The command that makes a database as the pipeline and Grafana need it."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ingest import config, logs
from ingest.core.errors import ConfigError, IngestError
from ingest.deliver.answers import NO_USE, UNREACHABLE, reason
from ingest.deliver.connection import parse_address
from ingest.deliver.influx_http import InfluxHttp
from ingest.deliver.setup import Setup, WantedDatabase
from ingest.deliver.setup_v1 import SetupV1
from ingest.deliver.setup_v2 import SetupV2
from ingest.service.secret_file import SecretPath

FILE = click.Path(dir_okay=False, path_type=Path)
YES = ("yes", "true", "1")


def _option(name: str, words: str, default: str | None = None) -> Callable[[Any], Any]:
    """An option that an environment variable, INFLUXDB_…, may stand for; an empty one counts as not given."""
    variable = f"INFLUXDB_{name.removeprefix('--').replace('-', '_').upper()}"
    kind = FILE if name.endswith("-file") else str
    return click.option(
        name, envvar=variable, show_envvar=True, type=kind, default=default, show_default=True, help=words
    )


@click.command("setup-database")
@_option("--url", "Address of the InfluxDB, 1.x or 2.x.", "http://localhost:8086")
@_option("--org", "2.x: organization.", "home")
@_option("--bucket", "Bucket, or database of 1.x.", "enphase")
@_option("--retention", "How long points are kept, such as 1825d; 0 is for ever.", "0")
@_option("--retention-may-delete", "yes: take over a shorter retention, which deletes what is older.", "no")
@_option("--admin-token-file", "2.x: file with the token of an administrator.")
@_option("--admin-user", "1.x: an administrator, where the server asks for a login.")
@_option(
    "--admin-password-file", "File with the administrator's password; 2.x: of the first user, where none is there yet."
)
@_option("--token-file", "File for the pipeline's token (1.x: password), which is made.")
@_option("--reader", "A user who may only read, for Grafana.")
@_option("--reader-password-file", "File with the password of that user.")
@click.option("--check", is_flag=True, help="Change nothing; ends with 1 when something differs.")
def setup_database(*, check: bool, **given: Any) -> None:
    """Make an InfluxDB as the pipeline and Grafana need it, and mend what differs.

    Database, retention, the reading user, the pipeline's token. May be run at any time and by two at once, and be
    killed at any instant. Secrets come from files, and are never printed.
    """
    secret = SecretPath(_needed(given, "token_file"))
    with contextlib.ExitStack() as stack:
        if not check:
            stack.enter_context(secret.alone())
        setup = stack.enter_context(contextlib.closing(_setup(given, secret, check=check)))
        changes = 0
        for change in setup.run():
            changes += 1
            sentence = change.found if check else change.done
            click.echo(logs.redact(f"{'! ' if change.is_open or check else '✓ '}{sentence}"))
    if not changes:
        click.echo(f"✓ {given['bucket']} at {given['url']} is as it should be")
    elif check:
        raise click.exceptions.Exit(1)


def _setup(given: dict[str, Any], secret: SecretPath, *, check: bool) -> Setup:
    url = parse_address(given["url"]).url
    wanted = _wanted(given)
    if _is_v1(url):
        name = given["admin_user"]
        admin = (name, _content(given, "admin_password_file")) if name else None
        return SetupV1(url, admin, wanted, secret, check=check)
    if not given["org"]:
        raise ConfigError("setup-database: InfluxDB 2 has organizations: name one with --org")
    _needed(given, "admin_token_file")
    return SetupV2(url, _content(given, "admin_token_file"), wanted, secret, check=check)


def _wanted(given: dict[str, Any]) -> WantedDatabase:
    try:
        retention = config.seconds(given["retention"] or "0")
    except ValueError as error:
        raise ConfigError(f"setup-database: --retention {given['retention']!r} {error}; 0 is for ever") from None
    if given["reader"]:
        _needed(given, "reader_password_file")
    return WantedDatabase(
        bucket=_needed(given, "bucket"),
        org=given["org"] or "",
        retention=retention,
        may_delete=str(given["retention_may_delete"]).lower() in YES,
        reader=given["reader"] or "",
        reader_password=_content(given, "reader_password_file"),
        admin_password=_content(given, "admin_password_file"),
    )


def _is_v1(url: str) -> bool:
    http = InfluxHttp(url)
    try:
        answer = http.request("GET", "/ping")
    finally:
        http.close()
    if answer.status in (UNREACHABLE, NO_USE):
        raise IngestError(f"the database at {url} {reason(answer.body)}")
    if answer.status not in (200, 204):
        raise IngestError(f"the database at {url} answers {answer.status} to /ping; is it an InfluxDB, and running?")
    return (answer.version or "").removeprefix("v").startswith("1.")


def _needed(given: dict[str, Any], name: str) -> Any:
    if not given[name]:
        option = f"--{name.replace('_', '-')}"
        raise ConfigError(
            f"setup-database: needs {option} (or INFLUXDB_{name.upper()}); see `ingest setup-database --help`"
        )
    return given[name]


def _content(given: dict[str, Any], name: str) -> str:
    """The text of the file of an option, known to the log as a secret; empty without the option."""
    path: Path | None = given[name]
    if path is None:
        return ""
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "holds no text"
        raise ConfigError(f"{path}: {why}; --{name.replace('_', '-')} names this file") from None
    if not text:
        raise ConfigError(f"{path}: is empty; --{name.replace('_', '-')} names this file")
    logs.register_secret(text)
    return text
