"""What hinders the renewal of tokens."""

import sqlite3

from ingest.core.errors import AuthBusy
from ingest.store import meta


def note_renewal(db: sqlite3.Connection, account: str, now: int, error: Exception | None) -> None:
    """Write down, inside the caller's transaction, what hindered a renewal; None when it succeeded."""
    since = hindered(db, account)[0] or now
    meta.write(db, f"renewal.{account}", f"{since} {error}" if isinstance(error, AuthBusy) else "")


def hindered(db: sqlite3.Connection, account: str) -> tuple[int | None, str]:
    """Since when (epoch s) the tokens of an account cannot be renewed, and why; None and empty where they can."""
    since, _, error = (meta.read(db, f"renewal.{account}") or "").partition(" ")
    return (int(since), error) if since else (None, "")
