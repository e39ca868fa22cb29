"""One redacted document for a bug report: what is installed, configured, stored and wrong."""

import contextlib
import platform
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib import metadata
from typing import Any

import ingest
from ingest import logs
from ingest.auth.token_files import TokenFiles
from ingest.config import Settings
from ingest.config.redacted import redacted
from ingest.core.errors import IngestError, StateError
from ingest.enphase.oauth import user_id
from ingest.report import build_report
from ingest.service.clock import Clock
from ingest.service.doctor import Doctor
from ingest.store import archive, ledger, migrations, progress
from ingest.store.database import Store, has_state, state_failed

LAST_CALLS = 50
"""How many calls that failed are listed."""
LONGEST_SAMPLE = 8_192
"""Characters of a reply that are shown; the state keeps more."""


def document(settings: Settings, clock: Clock, store: Store | None, state_error: str = "") -> dict[str, Any]:
    """Everything about an installation that helps to find a fault. Holds no secret, and no name of a system.
    `state_error` says why the state cannot be used as it is; one that fails when it is read is told the same way.
    """
    for secret in (*_tokens(settings), *_identities(settings)):
        logs.register_secret(secret)
    doctor = Doctor(settings, clock, store, broken=_broken(settings, state_error))
    found: dict[str, Any] = {
        "program": program(),
        "configuration": redacted(settings),
        "doctor": [asdict(check) for check in doctor.checks()],
    }
    names: dict[str, str] = {}
    if store is not None:
        try:
            rows = progress.systems(store.db).values()
            names = {row.name: f"System {row.system}" for row in rows if len(row.name) > 2}
            found["status"] = build_report(settings, store.db, clock.now()).document()
            found["state"] = _state(store.db, settings.ledger_name)
        except sqlite3.DatabaseError as error:
            state_error = state_error or str(state_failed(error, store.path))
    if state_error:
        found["state_error"] = state_error
    document: dict[str, Any] = cleaned(found, names)
    return document


def _broken(settings: Settings, state_error: str) -> str:
    """What is wrong with the state; nothing where there is none yet."""
    with contextlib.suppress(StateError):
        if not has_state(settings.state_dir):
            return ""
    return state_error


def program() -> dict[str, Any]:
    """What is installed, and what it runs on."""
    needed = metadata.requires("enphase-ingest") or []
    packages = sorted(
        {line.split(";")[0].split("<")[0].split(">")[0].strip() for line in needed if "extra" not in line}
    )
    return {
        "version": ingest.__version__,
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "platform": platform.platform(),
        "packages": {name: metadata.version(name) for name in packages},
    }


def _state(db: sqlite3.Connection, app: str) -> dict[str, Any]:
    pairs = [pair for pair in progress.pairs(db).values() if pair.state]
    return {
        "format": migrations.version(db),
        "points": archive.size(db),
        "rows": migrations.rows(db),
        "verdicts": ledger.by_verdict(db, app),
        "last_failed_calls": ledger.last_failed(db, app, LAST_CALLS),
        "failing": [{"system": pair.system, "stream": pair.stream, "state": pair.state, "reason": pair.reason,
                     "fails": pair.fails, "rest_until": pair.rest_until} for pair in pairs],
        "unreadable_replies": [
            {"system": system, "stream": stream, "at": at, "reason": reason,
             "body": body.decode("utf-8", "replace")[:LONGEST_SAMPLE]}
            for system, stream, at, reason, body in progress.samples(db)
        ],
    }  # fmt: skip


def _tokens(settings: Settings) -> Iterator[str]:
    """Every token on the disk, also earlier ones, and those of accounts that left the configuration."""
    files = TokenFiles(settings.state_dir / "tokens")
    for path in files.folder.glob("*.json"):
        try:
            stored = files.read(path.stem)
        except IngestError:
            continue
        for pair in (stored and stored.current, stored and stored.previous):
            if pair:
                yield from (pair.access, pair.refresh)


def _identities(settings: Settings) -> Iterator[str]:
    """Who the application and its users are: no secrets in a log, but nothing to publish either."""
    yield settings.api.client_id or ""
    for account in settings.accounts.values():
        yield account.username or ""
        yield user_id(account.enlighten_id) if account.enlighten_id else ""


def cleaned(value: Any, names: Mapping[str, str]) -> Any:
    """The same with every text redacted, and the names of systems replaced by their numbers."""
    if isinstance(value, dict):
        return {cleaned(key, names): cleaned(item, names) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(item, names) for item in value]
    if not isinstance(value, str):
        return value
    text = logs.redact(value)
    for name, replacement in names.items():
        text = text.replace(name, replacement)
    return text
