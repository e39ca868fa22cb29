"""The authorizations of the accounts, read from their files; no token is ever shown."""

import sqlite3

from ingest.auth.standing import Standing, standing
from ingest.config import Settings
from ingest.core.errors import AuthBusy
from ingest.report.model import TokenReport
from ingest.store import meta


def tokens(settings: Settings, db: sqlite3.Connection, now: int) -> list[TokenReport]:
    """How each account is authorized, for how long, and why it cannot be renewed at present."""
    return [_token(db, entry) for entry in standing(settings, now)]


def note_renewal(db: sqlite3.Connection, account: str, now: int, error: Exception | None) -> None:
    """Write down, inside the caller's transaction, what hindered a renewal; None when it succeeded."""
    since = _renewal(db, account)[0] or now
    meta.write(db, f"renewal.{account}", f"{since} {error}" if isinstance(error, AuthBusy) else "")


def _renewal(db: sqlite3.Connection, account: str) -> tuple[int | None, str]:
    since, _, error = (meta.read(db, f"renewal.{account}") or "").partition(" ")
    return (int(since), error) if since else (None, "")


def _token(db: sqlite3.Connection, entry: Standing) -> TokenReport:
    state, reason = entry.state, ""
    if entry.kind == "user":
        state = "user"
    elif entry.kind == "login" and state != "unreadable":
        state = "login"
    elif state in ("dead", "lapsed"):
        state, reason = "dead", "it lapsed" if entry.state == "lapsed" else "it was withdrawn, or lapsed"
    elif state == "unreadable":
        reason = entry.sentence
    left = None if entry.days_left is None else round(entry.days_left, 1)
    since, renewal = _renewal(db, entry.account)
    return TokenReport(entry.account, state, left, entry.refresh_ends_at, reason, entry.access_ends_at, renewal, since)
