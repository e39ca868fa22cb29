"""The file of a secret that the set-up of a database makes and the pipeline reads."""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from ingest.auth.private_file import write_private
from ingest.core.errors import IngestError


class SecretPath:
    """A secret in a file of its own; beside it, hidden, a mark of this installation, which is also the lock."""

    def __init__(self, path: Path) -> None:
        self._path, self._mark_path = path, path.with_name(f".{path.name}.mark")

    def read(self) -> str:
        """The secret, empty when there is none yet."""
        return self._text(self._path)

    def write(self, secret: str) -> None:
        """Put a new one in its place, all or nothing. A file that others may read, as containers need, stays so."""
        with self._plain_words():
            mode = self._path.stat().st_mode & 0o777 if self._path.exists() else 0o600
            write_private(self._path, secret)
            self._path.chmod(mode)

    def mark(self) -> str:
        """A word of this installation alone; empty before the first set-up."""
        return self._text(self._mark_path)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others with the same file out, and see that there is a mark."""
        with self._plain_words():
            handle = os.open(self._mark_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if not self.mark():
                os.pwrite(handle, secrets.token_hex(8).encode(), 0)
                os.fsync(handle)
            yield
        finally:
            os.close(handle)

    def _text(self, path: Path) -> str:
        with self._plain_words():
            return path.read_text("utf-8").strip() if path.exists() else ""

    @contextlib.contextmanager
    def _plain_words(self) -> Iterator[None]:
        try:
            yield
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "holds no text"
            raise IngestError(f"{self._path}: {why}; this user must be able to write there") from error
