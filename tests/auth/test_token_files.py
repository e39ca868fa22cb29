"""TokenPair files: private, never half written, and spent by one at a time."""

import json
import multiprocessing
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from ingest.auth.token_files import StoredTokens, TokenFiles
from ingest.core.errors import StateError
from ingest.enphase.oauth import TokenPair

OLD = StoredTokens(TokenPair("a1", "r1", 1000, 2000))
NEW = StoredTokens(TokenPair("a2", "r2", 3000, 4000), OLD.current)


@pytest.fixture(name="files")
def _files(tmp_path: Path) -> TokenFiles:
    return TokenFiles(tmp_path / "tokens")


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("stored", [OLD, NEW, StoredTokens(OLD.current, dead="the owner said no")])
def test_what_was_written_is_read(files: TokenFiles, stored: StoredTokens) -> None:
    files.write("home", stored)
    assert stored == files.read("home")


def test_an_account_without_a_file_has_no_tokens(files: TokenFiles) -> None:
    assert files.read("home") is None


def test_accounts_do_not_share_a_file(files: TokenFiles) -> None:
    files.write("home", OLD)
    files.write("home.new", NEW)
    assert (files.read("home"), files.read("home.new")) == (OLD, NEW)


def test_nobody_else_can_read_the_files(files: TokenFiles) -> None:
    with files.lock("home"):
        files.write("home", OLD)
    assert _mode(files.folder) == 0o700
    assert {0o600} == {_mode(path) for path in files.folder.iterdir()}


def test_a_file_that_others_can_read_is_closed_to_them(files: TokenFiles) -> None:
    files.write("home", OLD)
    files.path("home").chmod(0o644)
    assert files.read("home") == OLD
    assert _mode(files.path("home")) == 0o600


def test_a_folder_that_others_can_read_is_closed_to_them(files: TokenFiles) -> None:
    files.folder.mkdir(mode=0o755)
    files.write("home", OLD)
    assert _mode(files.folder) == 0o700


GOOD = {"access": "a", "refresh": "r", "issued_at": 1, "expires_at": 2}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        "{}",
        '{"current": null}',
        '{"current": {"access": "a"}}',
        json.dumps({"current": GOOD | {"more": 1}}),
        json.dumps({"current": GOOD | {"access": None}}),
        json.dumps({"current": GOOD | {"expires_at": "tomorrow"}}),
        json.dumps({"current": GOOD, "previous": 7}),
    ],
)
def test_a_broken_file_is_named_and_left_as_it_is(files: TokenFiles, text: str) -> None:
    files.write("home", OLD)
    files.path("home").write_text(text)
    with pytest.raises(StateError) as caught:
        files.read("home")
    assert str(files.path("home")) in str(caught.value)
    assert text == files.path("home").read_text()


def test_a_file_of_bytes_is_broken(files: TokenFiles) -> None:
    files.write("home", OLD)
    files.path("home").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StateError, match="not a token file"):
        files.read("home")


def test_forgetting_deletes_the_file(files: TokenFiles) -> None:
    files.write("home", OLD)
    assert files.forget("home")
    assert files.read("home") is None
    assert not files.forget("home")


# ── crashes ───────────────────────────────────────────────────────────────────────────────────────────


class Crash(BaseException):
    """The power goes."""


def _crash(*_: Any, **__: Any) -> Any:
    raise Crash


def _full_disk(*_: Any, **__: Any) -> Any:
    raise OSError(28, "No space left on device")


CALLS = [(os, "open"), (os, "write"), (os, "fsync"), (os, "close"), (Path, "replace")]


@pytest.mark.parametrize(("owner", "name"), CALLS, ids=lambda part: part if isinstance(part, str) else "")
def test_a_crash_at_any_step_leaves_the_old_or_the_new_pair(
    files: TokenFiles, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    files.write("home", OLD)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, _crash)
        with pytest.raises(Crash):
            files.write("home", NEW)
    assert files.read("home") in (OLD, NEW)


@pytest.mark.parametrize(("owner", "name"), CALLS, ids=lambda part: part if isinstance(part, str) else "")
def test_a_failure_of_the_disk_is_told_and_leaves_the_old_or_the_new_pair(
    files: TokenFiles, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    files.write("home", OLD)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, _full_disk)
        with pytest.raises(StateError, match="No space left on device"):
            files.write("home", NEW)
    assert files.read("home") in (OLD, NEW)


def test_the_second_sync_makes_the_new_name_last(files: TokenFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    really = os.fsync

    def fsync(handle: int) -> None:
        synced.append(files.path("home").exists())
        really(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    files.write("home", OLD)
    assert synced == [False, True]


def test_a_disk_that_takes_little_at_a_time_gets_the_whole_pair(
    files: TokenFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: really(handle, data[:7]))
    files.write("home", NEW)
    assert files.read("home") == NEW


def test_what_a_crash_left_behind_is_written_over(files: TokenFiles) -> None:
    files.write("home", OLD)
    files.path("home").with_suffix(".new").write_text("x" * 10_000)
    files.write("home", NEW)
    assert files.read("home") == NEW


@pytest.mark.parametrize("act", ["lock", "write"])
def test_a_folder_that_cannot_be_is_told_by_its_path(tmp_path: Path, act: str) -> None:
    (tmp_path / "tokens").write_text("a file")
    files = TokenFiles(tmp_path / "tokens")
    with pytest.raises(StateError, match=str(tmp_path / "tokens")):
        _act(files, act)


@pytest.mark.parametrize("act", ["lock", "write", "read", "forget"])
def test_a_file_that_cannot_be_opened_is_told_by_its_path(
    files: TokenFiles, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    files.write("home", OLD)
    for owner, name in [(os, "open"), (Path, "read_text"), (Path, "unlink")]:
        monkeypatch.setattr(owner, name, _full_disk)
    with pytest.raises(StateError, match=str(files.folder / "home")):
        _act(files, act)


def _act(files: TokenFiles, act: str) -> None:
    if act == "lock":
        with files.lock("home"):
            pass
    elif act == "write":
        files.write("home", OLD)
    elif act == "read":
        files.read("home")
    else:
        files.forget("home")


# ── the lock ──────────────────────────────────────────────────────────────────────────────────────────


def test_two_threads_never_hold_the_lock_together(files: TokenFiles) -> None:
    inside: list[int] = []
    seen: list[int] = []

    def spend() -> None:
        for _ in range(50):
            with files.lock("home"):
                inside.append(1)
                seen.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=spend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 200


def _hold(folder: Path, holds: Any, go_on: Any) -> None:
    with TokenFiles(folder).lock("home"):
        holds.set()
        go_on.wait(30)


def test_another_process_waits_for_the_lock(files: TokenFiles) -> None:
    spawn = multiprocessing.get_context("spawn")
    holds, go_on = spawn.Event(), spawn.Event()
    other = spawn.Process(target=_hold, args=(files.folder, holds, go_on))
    other.start()
    assert holds.wait(30)
    got = threading.Event()

    def wait() -> None:
        with files.lock("home"):
            got.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not got.wait(0.2)
    go_on.set()
    assert got.wait(30)
    waiting.join()
    other.join()
    assert other.exitcode == 0


def test_the_lock_of_one_account_does_not_hold_up_another(files: TokenFiles) -> None:
    with files.lock("home"), files.lock("cabin"):
        files.write("cabin", OLD)
    assert files.read("cabin") == OLD


def test_the_lock_is_free_after_a_failure(files: TokenFiles) -> None:
    with pytest.raises(Crash), files.lock("home"):
        raise Crash
    with files.lock("home"):
        assert files.read("home") is None
