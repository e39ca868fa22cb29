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
from pathlib import Path

from ingest.core.errors import StateError
from ingest.logs import event
from ingest.store import meta, migrations
from ingest.store.packing import NAMES, Packer, unpacker

log = logging.getLogger(__name__)

FRESH = "state.compact.db"
PACKED, OF = "packed", "packed_of"
ROWS = 20_000
"""So many rows are written at once."""
SHARE = 0.8
"""The new file is smaller than this part of the old one."""
AIRY = 45
"""A file with more bytes a point is worth it: history is read newest first, which leaves SQLite's pages half empty."""
SMALL, LARGE = 2**24, 3_000_000
"""A file of fewer bytes is never worth it; more points take so long that polling would wait for a minute."""
STEPS = 20
WAIT_MS = 2_000


def is_due(db: sqlite3.Connection) -> bool:
    """Whether rows of a former version may be in the archive, or much air is in its file since it was last packed."""
    packed = meta.read(db, PACKED)
    if packed is None:
        return True
    points, seq = int(meta.read(db, "points") or 0), int(meta.read(db, "seq") or 1)
    (size,) = db.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()
    return SMALL < size > AIRY * points and points < LARGE and seq - int(packed) > points // 2


def compact(path: Path, db: sqlite3.Connection) -> bool:
    """Put a compact file in the place of the one at `path`, which `db` has open and the caller owns; returns whether
    that was done. The connection is to be closed then: the file that it has open is there no more.

    Left for the next start where there is no room for the new file, or another program has the old one open.
    """
    fresh, need = path.with_name(FRESH), int(path.stat().st_size * SHARE)
    room = shutil.disk_usage(path.parent).free + (fresh.stat().st_size if fresh.exists() else 0)
    if room < need:
        event(log, logging.WARNING, "archive_not_compacted", reason="no room", free_mb=room >> 20, needed_mb=need >> 20)
        return False
    with contextlib.closing(_begun(fresh, db)) as new:
        _pack(db, new)
    with opening(path.parent, fcntl.LOCK_EX):  # who would open the file meanwhile opens the new one
        if not _alone(db):
            event(log, logging.INFO, "archive_not_compacted", reason="another program has the file open")
            return False
        with contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as new:
            _copy_rest(db, new)
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.replace(path)
    event(log, logging.INFO, "archive_compacted", mb=path.stat().st_size >> 20)
    return True


@contextlib.contextmanager
def opening(folder: Path, how: int) -> Iterator[None]:
    """Hold the lock (`fcntl.LOCK_SH` or `LOCK_EX`) of those who open the file in a folder; a file system that has no
    such locks has no two programs that use it.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


def _begun(fresh: Path, db: sqlite3.Connection) -> sqlite3.Connection:
    """The new file, as far as it has got, or anew where the archive has changed since."""
    of = meta.read(db, "seq") or "1"
    for _ in range(2):
        os.close(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        new = sqlite3.connect(fresh, isolation_level=None)
        try:
            if not migrations.version(new):
                migrations.migrate(new)
                meta.write(new, OF, of)
            if migrations.version(new) == migrations.VERSION and meta.read(new, OF) == of:
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
    packer, unpack = Packer(meta.read(new, NAMES) or ""), unpacker(db)
    while rows := db.execute(
        "SELECT series, time, fields, seq FROM points WHERE (series, time) > (?, ?) ORDER BY series, time LIMIT ?",
        (*at, ROWS),
    ).fetchall():
        new.execute("BEGIN")
        packed = ((series, time, packer.pack(unpack(kept)), seq) for series, time, kept, seq in rows)
        new.executemany("INSERT INTO points VALUES (?, ?, ?, ?)", packed)
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
    meta.write_all(new, {NAMES: names, PACKED: meta.read(db, "seq") or "1"})
    new.execute("COMMIT")
