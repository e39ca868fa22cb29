"""Named values that survive a restart."""

import sqlite3
from collections.abc import Mapping


def read(db: sqlite3.Connection, key: str) -> str | None:
    """The value kept under a name; None when there is none."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else None


def write(db: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a value under a name."""
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def write_all(db: sqlite3.Connection, values: Mapping[str, str]) -> None:
    """Keep several values, by name."""
    for key, value in values.items():
        write(db, key, value)


def read_all(db: sqlite3.Connection, prefix: str) -> dict[str, str]:
    """The values whose names begin with a prefix, by the rest of their names."""
    rows = db.execute("SELECT key, value FROM meta WHERE key >= ? AND key < ?", (prefix, f"{prefix}\uffff"))
    return {key.removeprefix(prefix): value for key, value in rows}
