"""What a sink is sent at once: rows of the archive and their lines. The next batch is made while one is on its way.

What is made ahead is sent only where nothing changed before it was read that is not sent yet: whoever asks for a place
has asked for what changed just before, and what changed later is sent after it.
"""

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

from ingest.core.series_rows import encode_lines
from ingest.store import archive, journal, outbox, own
from ingest.store.archive import Filter
from ingest.store.journal import Row


class Place(NamedTuple):
    """Where a batch begins: after the change `cursor`, of what is `wanted` again after (series, time), or of what the
    pipeline says of itself after the number `own`.
    """

    cursor: int = 0
    wanted: Filter | None = None
    series: int = 0
    time: int = 0
    own: int | None = None


@dataclass(frozen=True)
class Batch:
    """Some rows from `begin` on, and where the next begin. `written` are those to be written, with their lines; what a
    database holds of those in `gone` is deleted before, each with its series key.
    """

    begin: Place
    end: Place
    rows: list[Row]
    written: list[Row]
    lines: list[str]
    gone: list[tuple[Row, str]]
    is_full: bool


class Batches:
    """Reads batches of a size over one connection, which nobody else uses while one is prepared."""

    def __init__(self, db: sqlite3.Connection, size: int) -> None:
        self._db, self._size = db, size
        self._keys: dict[int, str] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._ahead: Future[Batch] | None = None

    def at(self, place: Place) -> Batch:
        """The batch that begins at a place; it may be the one that was prepared."""
        ahead, self._ahead = self._ahead, None
        ready = ahead.result() if ahead else None
        if ready and ready.begin == place:
            return ready
        batch = self._make(place)
        if not batch.rows:
            self._ahead = ahead  # nothing changed since: it is still what comes next
        return batch

    def prepare(self, place: Place) -> None:
        """Begin to make the batch at a place."""
        self._ahead = self._pool.submit(self._make, place)

    def _make(self, place: Place) -> Batch:
        rows, end = self._read(place), place
        if rows:
            end = _after(place, rows[-1])
        if any(row[0] not in self._keys for row in rows):
            self._keys.update(archive.series_keys(self._db))
        keys, written = self._keys, [row for row in rows if row[2]]
        lines = encode_lines((keys[series], time, row) for series, time, row, _ in written)
        gone = [(row, keys[row[0]]) for row in outbox.rows_to_delete(self._db, rows)] if rows else []
        return Batch(place, end, rows, written, lines, gone, len(rows) == self._size)

    def _read(self, place: Place) -> list[Row]:
        if place.own is not None:
            return own.after(self._db, place.own, self._size)
        if place.wanted is None:
            return journal.changes(self._db, place.cursor, self._size)
        return archive.after(self._db, place.wanted, place.series, place.time, self._size)

    def close(self) -> None:
        """Wait for what is being made."""
        self._pool.shutdown()


def _after(place: Place, last: Row) -> Place:
    """Where that begins which follows the last row of what begins at a place."""
    series, time, _, seq = last
    if place.own is not None:
        return Place(own=seq)
    return Place(seq) if place.wanted is None else place._replace(series=series, time=time)
