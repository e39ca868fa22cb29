"""The authorizations of the accounts, read from their files; no token is ever shown."""

import sqlite3

from ingest.auth.standing import Standing, standing
from ingest.config import Settings
from ingest.report.model import TokenReport
from ingest.store.renewals import hindered


def tokens(settings: Settings, db: sqlite3.Connection, now: int) -> list[TokenReport]:
    """How each account is authorized, for how long, and why it cannot be renewed at present."""
    return [_token(db, entry) for entry in standing(settings, now)]


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
    since, renewal = hindered(db, entry.account)
    return TokenReport(entry.account, state, left, entry.refresh_ends_at, reason, entry.access_ends_at, renewal, since)
