"""An archive of a former version, or full of air, is made compact: rows are packed into a new file beside it, a part at
a time, which takes the place of the old one when it is whole. Interrupted, it goes on at the next start.
"""

import contextlib
import fcntl
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from ingest.core.errors import StateError
from ingest.logs import event
from ingest.store import archive, bulk, journal, meta, migrations
from ingest.store.packing import NAMES, Packer, Unpacker

log = logging.getLogger(__name__)

FRESH = "state.compact.db"
PACKED, OF = "packed", "packed_of"
OPEN = "another program has the file open"
ROWS = 20_000
"""How many rows are written at once."""
SHARE, ROOM = 0.8, 1.1
"""The new file is smaller than this part of the old one, where that is of a former version; where its rows are packed
already, that much is asked for.
"""
SPARSE_BYTES_PER_POINT = 45
"""A file with more bytes a point is worth it: history is read newest first, which leaves SQLite's pages half empty."""
SMALL, LARGE = 2**24, 10_000_000
"""A file of fewer bytes is never worth it; more points take so long that polling would wait for minutes. Ten years of a
home with every stream are five million.
"""
STEPS = 20
"""How many lines of the log say how far it is."""
WAIT_MS = 2_000
"""Milliseconds that another program is given to close the file."""


def is_due(db: sqlite3.Connection) -> bool:
    """Whether rows of a former version may be in the archive, its pages are large as these had them, or much air is in
    its file since it was last packed.
    """
    packed, points = meta.read(db, PACKED), archive.size(db)
    if packed is None:
        return points < LARGE
    pages, page = db.execute("SELECT page_count, page_size FROM pragma_page_count, pragma_page_size").fetchone()
    if page > migrations.PAGE:
        return points < LARGE
    changed = journal.next_seq(db) - int(packed)
    return SMALL < pages * page > SPARSE_BYTES_PER_POINT * points and points < LARGE and changed > points // 2


def compact(path: Path, db: sqlite3.Connection) -> bool:
    """Put a compact file in the place of the one at `path`, where that is due, which `db` has open and the caller owns;
    returns whether that was done: the connection is to be closed then, because its open file has been replaced.

    Whatever hinders it, the old file is used as it is until the next start.
    """
    path = path.resolve()
    fresh = path.with_name(FRESH)
    if not is_due(db):
        _remove(fresh)
        return False
    try:
        hindrance = _hindrance(path, fresh, db) or _swap(path, fresh, db)
    except (sqlite3.Error, OSError, StateError) as error:
        hindrance = str(error)
        _remove(fresh)
    if not hindrance:
        event(log, logging.INFO, "archive_compacted", mb=path.stat().st_size >> 20)
        return True
    if db.in_transaction:
        db.execute("ROLLBACK")
    db.execute("PRAGMA journal_mode = WAL")
    level = logging.WARNING if meta.read(db, PACKED) is None else logging.INFO  # the latter is tried at each start
    event(log, level, "archive_not_compacted", reason=hindrance)
    return False


def _hindrance(path: Path, fresh: Path, db: sqlite3.Connection) -> str:
    """Why there is no use to begin; empty where there is."""
    share = SHARE if meta.read(db, PACKED) is None else ROOM
    need, free = int(path.stat().st_size * share), shutil.disk_usage(path.parent).free
    if free + (fresh.stat().st_size if fresh.exists() else 0) < need:
        _remove(fresh)
        return f"no room: {free >> 20} MB are free, {need >> 20} MB are needed"
    if not _alone(db):
        return OPEN
    db.execute("PRAGMA journal_mode = WAL")
    return ""


def _swap(path: Path, fresh: Path, db: sqlite3.Connection) -> str:
    """Pack and put in place; why that could not be, if so."""
    with contextlib.closing(_begun(fresh, db)) as new:
        _pack(db, new)
    with opening(path.parent):  # who would open the file meanwhile opens the new one
        if not _alone(db):
            return OPEN
        with contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as new:
            _copy_rest(db, new)
        old = path.stat()
        os.chown(fresh, old.st_uid, old.st_gid)
        fresh.chmod(old.st_mode & 0o777)
        _on_disk(fresh)
        fresh.replace(path)
        with contextlib.suppress(OSError):  # from here on the new file is the state, whatever happens
            _on_disk(path.parent)  # before a log of it is
    return ""


def _on_disk(place: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(fresh: Path) -> None:
    """Remove a new file that nobody goes on with."""
    for name in (fresh, fresh.with_name(f"{FRESH}-journal")):
        with contextlib.suppress(OSError):
            name.unlink(missing_ok=True)


@contextlib.contextmanager
def opening(folder: Path) -> Iterator[None]:
    """Hold the lock of those who open the file in a folder: one after the other, and none while it changes its place.
    A file system that has no such locks is one that SQLite does not work on.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _begun(fresh: Path, db: sqlite3.Connection) -> sqlite3.Connection:
    """The new file, as far as it has got, or anew where the archive has changed since."""
    (left,) = db.execute("SELECT coalesce(sum(until), 0) FROM departures").fetchone()
    of = f"{journal.next_seq(db)} {left}"  # what leaves is no change
    for _ in range(2):
        os.close(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        new = sqlite3.connect(fresh, isolation_level=None)
        try:
            if not migrations.version(new):
                migrations.migrate(new)
                meta.write(new, OF, of)
            (page,) = new.execute("PRAGMA page_size").fetchone()
            if (migrations.version(new), page, meta.read(new, OF)) == (migrations.VERSION, migrations.PAGE, of):
                return new
        except sqlite3.DatabaseError:  # not even a file of ours
            pass
        new.close()
        fresh.unlink()
    raise StateError(f"{fresh}: cannot be written; remove it")


def _pack(db: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Write the rows that the new file does not have yet, in the order of series and time."""
    total, done = _count(db), _count(new)
    at = new.execute("SELECT series, time FROM points ORDER BY series DESC, time DESC LIMIT 1").fetchone() or (-1, 0)
    packer, unpack = Packer(meta.read(new, NAMES) or ""), Unpacker(db)
    while rows := db.execute(
        "SELECT series, time, fields, seq FROM points WHERE (series, time) > (?, ?) ORDER BY series, time LIMIT ?",
        (*at, ROWS),
    ).fetchall():
        new.execute("BEGIN")
        for _, some in groupby(rows, key=itemgetter(0)):
            series, times, kept, seqs = zip(*some, strict=True)
            packed = [*packer.pack_texts([*unpack.all(kept)])]
            bulk.insert_columns(new, "INSERT INTO points", (series, times, packed, seqs))
        meta.write(new, NAMES, packer.names)
        new.execute("COMMIT")
        before, done, at = done, done + len(rows), rows[-1][:2]
        if done * STEPS // total > before * STEPS // total:
            event(log, logging.INFO, "compacting_archive", percent=done * 100 // total, points=done, of=total)


def _count(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM points").fetchone()[0])


def _alone(db: sqlite3.Connection) -> bool:
    """Fold the write-ahead log into the file, which nobody else may have open for that."""
    (usual,) = db.execute("PRAGMA busy_timeout").fetchone()
    db.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
    try:
        return str(db.execute("PRAGMA journal_mode = DELETE").fetchone()[0]) == "delete"
    except sqlite3.OperationalError:
        return False
    finally:
        db.execute(f"PRAGMA busy_timeout = {usual}")


def _copy_rest(db: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Everything but the points, in one transaction."""
    names = meta.read(new, NAMES) or ""
    tables = [name for (name,) in new.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    new.execute("BEGIN")
    for table in tables:
        if table != "points":
            columns = ", ".join(name for _, name, *_ in new.execute(f'PRAGMA table_info("{table}")'))
            marks = ", ".join("?" * (columns.count(",") + 1))
            new.execute(f'DELETE FROM "{table}"')  # noqa: S608 - our own tables
            rows = db.execute(f'SELECT {columns} FROM "{table}"')  # noqa: S608
            new.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', rows)  # noqa: S608
    if meta.read(db, PACKED) is None:  # a former version that was at work beside it entered no changes
        new.execute("DELETE FROM runs")
        since = (journal.forgotten(db),)
        journal.note_rows(new, db.execute("SELECT seq, series, time FROM points WHERE seq > ? ORDER BY seq", since))
    meta.write_all(new, {NAMES: names, PACKED: str(journal.next_seq(db))})
    new.execute("COMMIT")
