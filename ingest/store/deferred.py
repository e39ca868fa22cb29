"""Spans of a pair that are asked for later."""

import sqlite3
from collections.abc import Sequence

from ingest.core.span import Span
from ingest.plan.state import Deferral


def load(db: sqlite3.Connection) -> dict[tuple[str, str], tuple[Deferral, ...]]:
    """Everything, by system and stream."""
    found: dict[tuple[str, str], list[Deferral]] = {}
    rows = db.execute("SELECT system, stream, start, end, until, fails, reason FROM deferred")
    for system, stream, start, end, *rest in rows:
        found.setdefault((system, stream), []).append(Deferral(Span(start, end), *rest))
    return {key: tuple(entries) for key, entries in found.items()}


def save(db: sqlite3.Connection, system: str, stream: str, old: Sequence[Deferral], new: Sequence[Deferral]) -> None:
    """Replace those of a pair."""
    if tuple(old) == tuple(new):
        return
    db.execute("DELETE FROM deferred WHERE system = ? AND stream = ?", (system, stream))
    db.executemany(
        "INSERT OR REPLACE INTO deferred VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(system, stream, *entry.span, entry.until, entry.fails, entry.reason) for entry in new],
    )
