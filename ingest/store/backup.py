"""Restoring a backup."""

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

from ingest.core.errors import StateError
from ingest.store import migrations
from ingest.store.database import Store, plain_words
from ingest.store.ownership import own_folder


def restore(source: Path, folder: Path) -> dict[str, str]:
    """Put a backup in the place of the state; returns the token files that were in it, by account.

    The former state is kept beside it. Raises `StateLocked` while a runner is at work, `StateError` when the file is
    not a whole backup; nothing is changed then.
    """
    target, fresh = folder / "state.db", folder / "state.db.new"
    tokens = _tokens_of(source)
    with plain_words(target), contextlib.ExitStack() as stack:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        stack.callback(os.close, own_folder(folder))
        stack.callback(fresh.unlink, missing_ok=True)
        shutil.copyfile(source, fresh)
        fresh.chmod(0o600)
        with contextlib.closing(sqlite3.connect(fresh)) as db:
            db.execute("DROP TABLE tokens")
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'proofs'").fetchone():
                db.execute("DELETE FROM proofs")  # what the databases held then they may hold no more
            db.execute("DELETE FROM meta WHERE key GLOB 'verified.*'")  # nor is the next look the second of two
            db.commit()
        if target.exists():
            _set_aside(folder)
            for tail in ("-wal", "-shm"):
                Path(f"{target}{tail}").unlink(missing_ok=True)
        fresh.replace(target)
    return tokens


def _set_aside(folder: Path) -> None:
    """Keep the former state: one whole file where it can be read, else its files as they are."""
    target, beside = folder / "state.db", folder / "state.before-restore.db"
    try:
        with contextlib.closing(Store(folder)) as old:
            old.backup(beside, {})
    except StateError:
        for tail in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(f"{target}{tail}", f"{beside}{tail}")


def _tokens_of(source: Path) -> dict[str, str]:
    """The token files in a backup. Raises `StateError` when it is none."""
    try:
        with contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as db:
            if migrations.version(db) > migrations.VERSION:
                raise StateError(f"{source}: was made by a newer version of the program; install that one first")
            tokens = dict(db.execute("SELECT account, text FROM tokens").fetchall())
            db.execute("SELECT 1 FROM points").fetchone()
            if db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
                return tokens
    except sqlite3.DatabaseError:
        pass
    raise StateError(
        f"{source}: is not a whole backup; name a file that `ingest backup -o FILE` made. Nothing was changed"
    )
