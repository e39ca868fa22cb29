"""Token files: one for each account, 0600 in a folder 0700, written so that a pair once received is never lost.

A pair is written to a new file, synced, and renamed over the old one; the pair before it stays inside. Whoever wants
to spend a refresh token holds the file's lock and has read the file again inside it.
"""

import contextlib
import fcntl
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ingest.core.errors import StateError
from ingest.enphase.oauth import TokenPair

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredTokens:
    """What the file of an account holds: the pair in use and the one before it.

    `dead` is the vendor's word when the refresh token was refused for good; a new consent clears it.
    """

    current: TokenPair
    previous: TokenPair | None = None
    dead: str = ""


class TokenFiles:
    """The folder of token files. Raises `StateError` when a file cannot be read or written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, account: str) -> Path:
        """The file of an account."""
        return self.folder / f"{account}.json"

    @contextlib.contextmanager
    def lock(self, account: str) -> Iterator[None]:
        """Wait until this process alone may spend and write the tokens of an account."""
        self._make_folder()
        path = self.folder / f"{account}.lock"
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(f"{path}: {error.strerror}; give this user access to the file") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def read(self, account: str) -> StoredTokens | None:
        """The pair of an account; None when there is none yet."""
        path = self.path(account)
        try:
            self._tighten(path)
            return _stored(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(f"{path}: {error.strerror}; give this user access to the file") from None
        except _BROKEN:
            raise StateError(f"{path}: is not a token file; move it away and authorize {account} again") from None

    def stamp(self, account: str) -> tuple[int, int]:
        """Changes whenever the file of an account is written anew or deleted; cheap."""
        try:
            found = self.path(account).stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino

    def recover(self, account: str) -> StoredTokens | None:
        """The pair of an account; one that a crash left whole, but not yet in its place, is put there first.

        The caller holds the lock.
        """
        stored = self.read(account)
        fresh = self._fresh(account)
        try:
            left = _stored(fresh.read_text("utf-8")) if stored is not None and fresh.exists() else None
        except (OSError, *_BROKEN):
            left = None
        if left is None or stored is None or left.previous != stored.current:
            return stored
        self.write(account, left)
        log.warning("event=recovered path=%s", self.path(account))
        return left

    def write(self, account: str, stored: StoredTokens) -> None:
        """Put a pair on the disk for good: it survives a crash or a loss of power from here on."""
        self._put(account, json.dumps(asdict(stored)))

    def _put(self, account: str, text: str) -> None:
        self._make_folder()
        path = self.path(account)
        fresh = self._fresh(account)
        try:
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                data = text.encode()
                while data:  # a disk that is almost full takes a part
                    data = data[os.write(handle, data) :]
                os.fsync(handle)
            finally:
                os.close(handle)
            fresh.replace(path)
            self._sync_folder()
        except OSError as error:
            raise StateError(f"{path}: {error.strerror}; tokens cannot be kept, so none are spent") from None

    def text(self, account: str) -> str:
        """The file of an account as it is, for a backup; empty when there is none."""
        with self.lock(account):
            path = self.path(account)
            return path.read_text("utf-8") if path.exists() else ""

    def put_text(self, account: str, text: str) -> None:
        """Put a file from a backup in place, unless there is a newer one."""
        with self.lock(account):
            if not self.path(account).exists():
                self._put(account, text)

    def forget(self, account: str) -> bool:
        """Delete the tokens of an account, and what a crash left of them; False when there were none."""
        path = self.path(account)
        found = False
        with self.lock(account):
            try:
                self._fresh(account).unlink(missing_ok=True)
                path.unlink()
                found = True
                self._sync_folder()
            except FileNotFoundError:
                return found
            except OSError as error:
                raise StateError(f"{path}: {error.strerror}; delete the file by hand") from None
        return found

    def _fresh(self, account: str) -> Path:
        return self.path(account).with_suffix(".new")

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._tighten(self.folder, 0o700)
        except OSError as error:
            raise StateError(f"{self.folder}: {error.strerror}; tokens cannot be kept there") from None

    def _tighten(self, path: Path, mode: int = 0o600) -> None:
        if path.stat().st_mode & 0o077:
            path.chmod(mode)
            log.warning("event=tightened path=%s mode=%o", path, mode)

    def _sync_folder(self) -> None:
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


_BROKEN = (ValueError, TypeError, KeyError, AttributeError)


def _stored(text: str) -> StoredTokens:
    """The content of a file; one of `_BROKEN` when it is not whole."""
    body = json.loads(text)
    previous = _token(body["previous"]) if body.get("previous") else None
    return StoredTokens(_token(body["current"]), previous, str(body.get("dead", "")))


def _token(body: dict[str, object]) -> TokenPair:
    """A token as it was written; TypeError when anything in it is of another kind."""
    token = TokenPair(**body)  # type: ignore[arg-type]
    words, times = (token.access, token.refresh), (token.issued_at, token.expires_at)
    if not all(isinstance(word, str) for word in words) or not all(type(time) is int for time in times):
        raise TypeError("not a pair of tokens")
    return token
