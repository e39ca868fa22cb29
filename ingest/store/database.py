"""`state.db`: opened, owned by one runner, migrated, and written in transactions."""

import contextlib
import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from ingest.core.errors import ConfigError, StateError
from ingest.store import compaction, migrations
from ingest.store.ownership import is_owned, own_folder
from ingest.store.whole_file import whole_file

BUSY_S = 30.0
FULL = "the disk is full; free some space. Nothing was lost: a service goes on by itself, a command is called again"
LOG_BYTES = 2**22
"""With so many bytes of changes the log is folded into the file: a page that changed often is written once."""
MIN_FREE = 2**17
"""With less room than this (bytes) not even an empty state can be opened."""


@contextlib.contextmanager
def plain_words(path: Path) -> Iterator[None]:
    """SQLite's errors as sentences with a remedy."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise state_failed(error, path) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StateError(f"{path}: {FULL}") from error
        raise StateError(f"{path}: {error.strerror}; make the folder writable for this user") from error


def state_failed(error: sqlite3.DatabaseError, path: Path) -> StateError:
    """An error of SQLite about the file at `path`, as a sentence with a remedy."""
    return StateError(f"{path}: {_remedy(error, path)}")


def _remedy(error: sqlite3.DatabaseError, path: Path) -> str:
    text = str(error)
    if "full" in text or ("I/O error" in text and _is_full(path)):
        return FULL
    if "readonly" in text or "unable to open" in text:
        return f"cannot be written ({text}); give this user write access to {path.parent}"
    if "locked" in text:
        return "another program holds the file; close it and try again"
    if "malformed" in text or "not a database" in text:
        return f"is damaged ({text}). Nothing was overwritten; put a backup in its place with `ingest restore FILE`"
    if "I/O error" in text:
        return f"the disk failed ({text}); what the system says of it is in `dmesg`. Nothing was overwritten"
    return f"the state file failed: {text}"


def _is_full(path: Path) -> bool:
    """Whether the disk is full: where no room is left for SQLite's shared memory, it speaks of an I/O error."""
    return path.parent.is_dir() and shutil.disk_usage(path.parent).free < MIN_FREE


def has_state(folder: Path) -> bool:
    """Whether there is a state in a folder. Raises `StateError` when that cannot be seen."""
    try:
        return (folder / "state.db").exists()
    except OSError as error:
        raise StateError(
            f"{folder}: {error.strerror}; be the user whom it belongs to, or choose another folder with --state-dir"
        ) from error


def is_state_folder(folder: Path) -> bool:
    """Whether a folder is that of a state, of whichever installation; a backup may have the name of the state file."""
    try:
        return (folder / "state.db").exists() and ((folder / "runner.lock").exists() or (folder / "tokens").is_dir())
    except OSError:
        return False


class Store:
    """An open `state.db`. `own=True` takes the runner's lock; else it is opened for reading, and for requests of
    history. Where nothing can be written it is opened for reading only.

    Raises `StateError` when the file cannot be used, `StateLocked` when another runner owns it, `ConfigError` when it
    belongs to another application or API.
    """

    def __init__(self, folder: Path, *, own: bool = False) -> None:
        self.folder = folder
        self.path = folder / "state.db"
        self._lock: int | None = None
        self._durable = False
        self.read_only = not own and has_state(folder) and not os.access(folder, os.W_OK)
        with plain_words(self.path):
            if not self.read_only:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if own:
                self._lock = own_folder(folder)
            try:
                self.db = self._open()
            except BaseException:
                self._release()
                raise

    def _connect(self) -> sqlite3.Connection:
        """A connection; where nothing can be written nobody writes, so a file without its log may be read as it is."""
        if not self.read_only:
            with contextlib.suppress(FileExistsError):  # made by SQLite, it could be read by all
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            return sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        logged = Path(f"{self.path}-wal").exists()
        address = f"{self.path.absolute().as_uri()}?{'mode=ro' if logged else 'immutable=1'}"
        return sqlite3.connect(address, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)

    def _open(self) -> sqlite3.Connection:
        with compaction.opening(self.folder):
            db = self._connect()
            try:
                self._check_version(db)
                if not self.read_only:
                    self._prepare(db)
            except BaseException:
                db.close()
                raise
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        found = migrations.version(db)
        if 0 < found < migrations.VERSION and self._lock is None and is_owned(self.folder):
            raise StateError(
                f"{self.path}: an older version of the program is at work on it; restart the service first, then this "
                "one finds the state as it knows it. Nothing was changed"
            )
        migrations.choose_page(db)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        (page,) = db.execute("PRAGMA page_size").fetchone()
        db.execute(f"PRAGMA wal_autocheckpoint = {LOG_BYTES // page}")
        if found < migrations.VERSION:
            self._migrate(db)

    def compact(self) -> None:
        """Make the archive of the owner compact where that is due, and possible."""
        if compaction.compact(self.path, self.db):
            self.db.close()
            self.db = self._open()

    def _check_version(self, db: sqlite3.Connection) -> None:
        found = migrations.version(db)
        if not found and db.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise StateError(
                f"{self.path}: is a database of another program; choose another folder with `state_dir` in the "
                "configuration or --state-dir. Nothing was changed"
            )
        if found > migrations.VERSION:
            raise StateError(
                f"{self.path}: was written by a newer version of the program (format {found}, this one knows "
                f"{migrations.VERSION}); install the newer version. Nothing was changed"
            )
        if self.read_only and found < migrations.VERSION:
            raise StateError(f"{self.path}: is of an older version, and cannot be written; copy it to where it can be")

    def _migrate(self, db: sqlite3.Connection) -> None:
        found = migrations.version(db)
        if found and {*range(found + 1, migrations.VERSION + 1)} - migrations.LEAVING_ALL:
            self._copy(db, self.folder / f"state.before-{migrations.VERSION}.db")
        migrations.migrate(db)

    def _copy(self, db: sqlite3.Connection, target: Path) -> None:
        target.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(target)) as copy:
            db.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        target.chmod(0o600)

    @contextlib.contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """All or nothing. A `durable` one is on the disk when it ends, also if the power fails."""
        with plain_words(self.path):
            if durable != self._durable:
                self.db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def moment(self) -> Iterator[sqlite3.Connection]:
        """The state as it is at one moment, also while others write."""
        self.db.execute("BEGIN")
        try:
            yield self.db
        finally:
            self.db.execute("ROLLBACK")

    def reader(self) -> sqlite3.Connection:
        """A connection of its own for reading in another thread; the caller closes it."""
        with plain_words(self.path):
            db = self._connect()
            db.execute("PRAGMA query_only = ON")
            return db

    def claim(self, base_url: str, application: str) -> None:
        """Bind the state to an API address and an application, or raise `ConfigError` if it belongs to another."""
        identity = {"base_url": base_url, "application": application}
        opened = contextlib.nullcontext(self.db) if self.read_only else self.transaction()
        with plain_words(self.path), opened as db:
            held = dict(db.execute("SELECT key, value FROM meta WHERE key IN ('base_url', 'application')"))
            if not (db.execute("SELECT 1 FROM systems").fetchone() or db.execute("SELECT 1 FROM points").fetchone()):
                held = {}  # nothing of anybody's is in it yet: a wrong client_id can still be corrected
            for key, value in identity.items():
                if key in held and held[key] != value:
                    raise ConfigError(self._foreign(key, held[key], value))
                if not self.read_only and key not in held:
                    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _foreign(self, key: str, held: str, wanted: str) -> str:
        what = f"data of {held}, not of {wanted}" if key == "base_url" else "data of another application (client_id)"
        return (
            f"{self.folder}: this state holds {what}; the two must not mix. Choose another folder with `state_dir` "
            "in the configuration or --state-dir, or go back to the former settings"
        )

    def check(self) -> str:
        """SQLite's own check of the file: "ok", or what is wrong with it."""
        with plain_words(self.path):
            return str(self.db.execute("PRAGMA quick_check(1)").fetchone()[0])

    def optimize(self) -> None:
        """Let SQLite look after its indexes, once a day."""
        with plain_words(self.path):
            self.db.execute("PRAGMA optimize")

    def backup(self, target: Path, tokens: Mapping[str, str]) -> None:
        """One consistent copy, also while a runner is at work, with the text of token files where they are given."""
        with plain_words(target), whole_file(target) as fresh:
            self._copy(self.db, fresh)
            with contextlib.closing(sqlite3.connect(fresh)) as copy:
                copy.execute("CREATE TABLE tokens (account TEXT PRIMARY KEY, text TEXT NOT NULL)")
                copy.executemany("INSERT INTO tokens VALUES (?, ?)", tokens.items())
                copy.commit()

    def close(self) -> None:
        """Fold the write-ahead log back and release the ownership."""
        self.db.close()
        self._release()

    def touch(self, now: int) -> None:
        """Say that the owner is at work at `now` (epoch s); it costs no write of the database."""
        if self._lock is not None:
            os.utime(self._lock, (now, now))

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def in_memory() -> sqlite3.Connection:
    """An empty state that is gone when it is closed: for looking where there is nothing yet."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrations.migrate(db)
    return db
