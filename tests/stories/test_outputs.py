"""What commands write, and what they end with: nothing that the program lives on is ever destroyed by a name."""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.stories.program import INGEST, ROOT, Program, Vendor, read_some
from tests.stories.test_bad_state import HOUSE, bound
from tests.world import START


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor([HOUSE], START) as started:
        yield started


@pytest.fixture(scope="module")
def filled(vendor: Vendor, tmp_path_factory: pytest.TempPathFactory) -> Program:
    return read_some(vendor, tmp_path_factory.mktemp("filled"), calls=8)


@pytest.fixture
def program(filled: Program, tmp_path: Path) -> Program:
    return filled.copy(tmp_path / "program")


def test_an_export_that_fails_leaves_the_former_file(program: Program, tmp_path: Path) -> None:
    target = tmp_path / "points.lp"
    target.write_text("of yesterday")
    program.run("export", "--format", "lp", "--system", "1", "-o", str(target), code=2)
    assert target.read_text() == "of yesterday"
    program.run("export", "--format", "lp", "-o", str(target))
    assert "production_micro" in target.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["points.lp", "program"]


def test_a_backup_asks_before_it_overwrites(program: Program, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    target.write_text("precious")
    assert "--force" in program.run("backup", "-o", str(target), code=1).sentence
    assert target.read_text() == "precious"
    program.run("backup", "--force", "-o", str(target))
    assert target.read_bytes().startswith(b"SQLite format 3")
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_backup_goes_to_stdout(program: Program, tmp_path: Path) -> None:
    with (tmp_path / "piped.db").open("wb") as file:
        program.write()
        command = [*INGEST, "--config", str(program.config), "backup", "-o", "-"]
        subprocess.run(command, stdout=file, check=True, cwd=ROOT)
    program.run("restore", str(tmp_path / "piped.db"))
    assert not [path for path in program.state.iterdir() if path.name.startswith("tmp")]


@pytest.mark.parametrize("content", ["text", "another database", "the state itself", "nothing"])
def test_a_file_that_is_no_backup_is_not_restored(program: Program, tmp_path: Path, content: str) -> None:
    path = tmp_path / "file"
    if content == "text":
        path.write_text("hello " * 1000)
    elif content == "nothing":
        path.touch()
    elif content == "the state itself":
        shutil.copy(program.state / "state.db", path)
    else:
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA user_version = 2")
            db.execute("CREATE TABLE things (a)")
    before = (program.state / "state.db").read_bytes()
    sentence = program.run("restore", str(path), code=1).sentence
    assert "is not a whole backup" in sentence
    assert "backup -o FILE" in sentence
    assert (program.state / "state.db").read_bytes() == before


def test_restore_names_the_next_step(program: Program, tmp_path: Path) -> None:
    program.run("backup", "-o", str(tmp_path / "b.db"))
    assert "run`" in program.run("restore", str(tmp_path / "b.db")).out


# ── exit codes ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "command", [("status",), ("export", "--format", "lp"), ("replay", "--sink", "db"), ("backfill", "--since", "2y")]
)
def test_a_system_of_nobody_ends_with_2(program: Program, command: tuple[str, ...]) -> None:
    program.document["sinks"] = {"db": {"type": "influxdb_v1", "url": "http://127.0.0.1:9", "database": "d"}}
    assert "no system 77" in program.run(*command, "--system", "77", code=2).sentence


def test_problems_end_with_1(program: Program) -> None:
    found = program.json("status")["problems"]
    assert found
    assert program.run("status", "--problems", code=1).out
    program.run("status")


def test_auth_status_ends_with_3_while_a_person_is_needed(program: Program) -> None:
    program.run("auth", "status")
    (program.state / "tokens" / "home.json").unlink()
    assert "not authorized yet" in program.run("auth", "status", code=3).out


@pytest.mark.parametrize(
    "document",
    [
        {"api": {"key": "k"}},
        {"sinks": {"a": {"type": "influxdb", "url": "http://x", "token": "abc", "org": "o", "bucket": "b"}}},
        {"accounts": {"a": {"username": "me", "password": "pw"}}},
    ],
)
def test_a_secret_too_short_to_be_hidden_is_refused(program: Program, document: dict[str, object]) -> None:
    program.document |= document
    assert "is shorter than 4 characters" in program.run("check", code=2).sentence


def test_replay_says_how_much_will_be_sent(program: Program) -> None:
    program.document["sinks"] = {"db": {"type": "influxdb_v1", "url": "http://127.0.0.1:9", "database": "d"}}
    said = program.run("replay", "--sink", "db", "--stream", "stats").out
    points = program.run("export", "--format", "lp", "--stream", "stats").out.count("\n")
    assert re.match(rf"{points:,} points will be sent to db again", said), said
    (line,) = [line for line in program.run("status").out.splitlines() if line.startswith("Sink db: ")]
    assert line.endswith(f"{points:,} to be sent again"), line
    (sink,) = program.json("status")["sinks"]
    assert sink["again"] == points


# ── other users, other disks ──────────────────────────────────────────────────────────────────────────


def test_a_state_in_a_folder_that_was_there_is_private(filled: Program, vendor: Vendor, tmp_path: Path) -> None:
    state = tmp_path / "open"
    state.mkdir(mode=0o755)
    state.chmod(0o755)
    shutil.copytree(filled.state / "tokens", state / "tokens")
    made = Program(tmp_path / "program", api=vendor.api, state_dir=str(state))
    made.run("once", "--max-calls", "1")
    assert {path.name: oct(path.stat().st_mode & 0o077) for path in state.glob("state.db*")} == {"state.db": "0o0"}


@pytest.mark.parametrize("command", [("status",), ("plan",), ("export", "--format", "lp"), ("once",), ("doctor",)])
def test_a_folder_of_another_user_is_a_sentence(program: Program, command: tuple[str, ...]) -> None:
    wrap = bound()
    if not wrap:
        pytest.skip("needs root, to give a folder to another user")
    os.chown(program.state, 65534, 65534)
    program.state.chmod(0o700)
    done = program.run(*command, code=1, wrap=wrap)
    assert str(program.state) in done.err + done.out


@pytest.mark.parametrize("log", [False, True], ids=["closed", "with a log"])
def test_a_disk_that_cannot_be_written_is_still_read(program: Program, *, log: bool) -> None:
    wrap = bound()
    expected = program.run("export", "--format", "lp").out
    holder = sqlite3.connect(program.state / "state.db")
    if log:
        holder.execute("PRAGMA journal_mode = WAL")
        holder.execute("INSERT OR REPLACE INTO meta VALUES ('x', 'y')")
        holder.commit()
    else:
        holder.close()
        for tail in ("-wal", "-shm"):
            Path(f"{program.state / 'state.db'}{tail}").unlink(missing_ok=True)
    modes = {path: path.stat().st_mode for path in (*program.state.rglob("*"), program.state)}
    for path in modes:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        assert program.run("export", "--format", "lp", wrap=wrap).out == expected
        assert "Archive: " in program.run("status", wrap=wrap).out
        assert "write access" in program.run("backfill", "--since", "2y", code=1, wrap=wrap).sentence
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
        holder.close()
