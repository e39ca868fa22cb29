"""What could not be read of replies, row by row: kept until the cloud says something readable in its place."""

import sqlite3

from ingest.plan.state import OddRow, OddRows


def load(db: sqlite3.Connection) -> dict[tuple[str, str], OddRows]:
    """Everything, by system and stream."""
    found: dict[tuple[str, str], dict[tuple[int, str], OddRow]] = {}
    rows = db.execute("SELECT system, stream, time, reason, sample, first_at, last_at FROM odd_rows ORDER BY time")
    for system, stream, time, reason, sample, first_at, last_at in rows:
        found.setdefault((system, stream), {})[time, reason] = OddRow(reason, sample, first_at, last_at)
    return dict(found)


def save(db: sqlite3.Connection, system: str, stream: str, old: OddRows, new: OddRows) -> None:
    """Replace those of a pair; only what differs is written."""
    if gone := old.keys() - new.keys():
        db.executemany(
            "DELETE FROM odd_rows WHERE system = ? AND stream = ? AND time = ? AND reason = ?",
            [(system, stream, *key) for key in gone],
        )
    fresh = [
        (system, stream, *key, row.sample, row.first_at, row.last_at) for key, row in new.items() if old.get(key) != row
    ]
    if fresh:
        db.executemany("INSERT OR REPLACE INTO odd_rows VALUES (?, ?, ?, ?, ?, ?, ?)", fresh)
