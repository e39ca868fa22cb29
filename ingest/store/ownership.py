"""Who owns a state folder: the runner that holds the lock of its `runner.lock`."""

import contextlib
import fcntl
import os
import time
from pathlib import Path

from ingest.core.errors import StateLocked

ATTEMPTS, BETWEEN_S = 5, 0.01
"""Whoever asks whether there is an owner (`is_owned`) holds its lock for some microseconds."""


def last_touch(folder: Path) -> int | None:
    """When the owner of a state folder last reported that it runs (epoch s); None if none ever ran."""
    try:
        return int((folder / "runner.lock").stat().st_mtime)
    except OSError:
        return None


def is_owned(folder: Path) -> bool:
    """Whether a `run` or `once` owns a state folder now. Raises `OSError` where its lock cannot be read."""
    try:
        lock = os.open(folder / "runner.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def own_folder(folder: Path) -> int:
    """Take the ownership of a state folder: the handle of its lock. Raises `StateLocked`."""
    lock = os.open(folder / "runner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for _ in range(ATTEMPTS):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        time.sleep(BETWEEN_S)
    os.close(lock)
    raise StateLocked(
        f"{folder}: another `run` or `once` is at work here; stop it first, or give this one another --state-dir"
    )
