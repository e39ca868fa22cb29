"""Named values that survive a restart."""

import sqlite3


def read(db: sqlite3.Connection, key: str) -> str | None:
    """The value kept under a name; None when there is none."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else None


def write(db: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a value under a name."""
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
