"""What the pipeline says of itself, apart from the data: in the order in which it was said, and kept for some time.

Among the data a few rows an hour would change a page for each series, and more for their number and their order; here
they stand one behind the other.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from ingest.core.point import Point, encode_fields, series_key
from ingest.core.units import DAY
from ingest.store import archive, meta
from ingest.store.archive import Filter
from ingest.store.journal import Row
from ingest.store.packing import Packer, Unpacker

MEASUREMENT = "ingest"
Said = tuple[str, int, str]
"""Series key, time and row of a point."""
_NAMES = "own_names"
"""Under which `meta` has the names of the fields; those of the archive, `packing.NAMES`, may be numbered anew."""


def said(point: Point) -> Said:
    """A point as it is kept."""
    return series_key(point.measurement, point.tags), point.time, encode_fields(point.fields)


def write(db: sqlite3.Connection, rows: Sequence[Said]) -> None:
    """Add points."""
    ids = archive.series_ids(db, [key for key, _, _ in rows])
    for key, _, _ in rows:
        if key not in ids:
            ids[key] = archive.new_series(db, key)
    enter(db, ((None, ids[key], time, row) for key, time, row in rows))


def enter(db: sqlite3.Connection, rows: Iterable[tuple[int | None, int, int, str]]) -> None:
    """Add rows: number (None: the next), series, time, row."""
    packer = Packer(before := meta.read(db, _NAMES) or "")
    packed = ((seq, series, time, packer.pack(row)) for seq, series, time, row in rows)
    db.executemany("INSERT INTO own VALUES (?, ?, ?, ?)", packed)
    if packer.names != before:
        meta.write(db, _NAMES, packer.names)


def newest(db: sqlite3.Connection) -> list[Said]:
    """The newest point of each series that said anything in the last two days of all."""
    last = db.execute("SELECT time FROM own ORDER BY seq DESC LIMIT 1").fetchone() or (0,)
    older = "SELECT seq FROM own WHERE time < ? ORDER BY seq DESC LIMIT 1"
    rows = db.execute(
        "SELECT key, time, fields FROM own JOIN series ON id = series WHERE seq > ? ORDER BY seq",
        db.execute(older, (last[0] - 2 * DAY,)).fetchone() or (0,),
    )
    unpack = Unpacker(db, _NAMES)
    return [(key, time, unpack(kept)) for key, time, kept in {row[0]: row for row in rows}.values()]


def forget(db: sqlite3.Connection, before: int) -> None:
    """Drop what was said before a moment, a day's worth at once: each time it costs a page."""
    oldest = db.execute("SELECT time FROM own ORDER BY seq LIMIT 1").fetchone()
    if oldest and oldest[0] < before - DAY:
        kept = "SELECT seq FROM own WHERE time >= ? ORDER BY seq LIMIT 1"
        db.execute(f"DELETE FROM own WHERE seq < ({kept})", (before,))  # noqa: S608


def after(db: sqlite3.Connection, seq: int, limit: int) -> list[Row]:
    """The next rows after a number."""
    rows = db.execute("SELECT series, time, fields, seq FROM own WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit))
    unpack = Unpacker(db, _NAMES)
    return [(series, time, unpack(kept), number) for series, time, kept, number in rows.fetchall()]


def select(db: sqlite3.Connection, wanted: Filter) -> Iterator[Said]:
    """The points of the wanted series, sorted by tags and time."""
    where, values = archive.series_where(wanted)
    series = f"SELECT id, key FROM series{where}"  # noqa: S608
    rows = db.execute(
        f"SELECT key, time, fields FROM own JOIN ({series}) ON id = series ORDER BY key, time",  # noqa: S608
        values,
    )
    unpack = Unpacker(db, _NAMES)
    yield from ((key, time, unpack(kept)) for key, time, kept in rows)
