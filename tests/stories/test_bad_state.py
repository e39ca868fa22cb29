"""A state that cannot be used: a sentence that says what to do, an exit code, and nothing overwritten."""

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.core.errors import StateError
from ingest.core.http import Reply, Request
from ingest.store import migrations
from ingest.store.database import Store
from tests.cli.command import call
from tests.disks import own_disk
from tests.stories import stored
from tests.stories.program import Program, Vendor, read_some
from tests.stories.test_convergence import differences
from tests.world import DAY, HOUR, START, World
from tests.worlds import HOME

HOUSE = replace(HOME, system_id=9000)
LIMITED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")
"""Even for root, permissions count."""


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor([HOUSE], START) as started:
        yield started


@pytest.fixture(scope="module")
def filled(vendor: Vendor, tmp_path_factory: pytest.TempPathFactory) -> Program:
    return read_some(vendor, tmp_path_factory.mktemp("filled"), calls=8)


@pytest.fixture
def program(filled: Program, tmp_path: Path) -> Program:
    """An installation of its own for each test."""
    return filled.copy(tmp_path / "program")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def remove(path: Path) -> None:
    """A database with all its files."""
    for tail in ("", "-wal", "-shm"):
        Path(f"{path}{tail}").unlink(missing_ok=True)


def refused(program: Program) -> str:
    """The one sentence of every command on a state that cannot be used; nothing is changed by them."""
    path = program.state / "state.db"
    before = digest(path)
    commands = (("once",), ("status",), ("export", "--format", "lp"))
    found = {program.run(*command, code=1).sentence for command in commands}
    assert digest(path) == before, "the file was changed"
    assert len(found) == 1, found
    return found.pop()


def test_a_second_runner_is_turned_away_and_everything_else_works_beside_the_first(
    program: Program, vendor: Vendor, tmp_path: Path
) -> None:
    calls = len(vendor.cloud.calls)
    with contextlib.closing(Store(program.state, own=True)):
        for command in ("once", "run"):
            sentence = program.run(command, code=4).sentence
            assert str(program.state) in sentence
            assert "--state-dir" in sentence
        assert program.json("status")["points"] > 0
        assert program.run("export", "--format", "csv").out
        program.run("backup", "-o", str(tmp_path / "backup.db"))
        assert program.run("restore", str(tmp_path / "backup.db"), code=4).sentence
    assert len(vendor.cloud.calls) == calls
    program.run("once", "--max-calls", "1")


def test_a_file_that_another_program_holds_is_waited_for_and_then_named(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.store.database.BUSY_S", 0.1)
    with contextlib.closing(sqlite3.connect(program.state / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with contextlib.closing(Store(program.state)) as store:
            with pytest.raises(StateError, match="another program holds the file"), store.transaction():
                pass
            other.execute("ROLLBACK")
            with store.transaction() as db:
                db.execute("DELETE FROM samples")


# ── permissions ───────────────────────────────────────────────────────────────────────────────────────


def bound() -> tuple[str, ...]:
    """How a command is run to whom permissions apply; skips where that cannot be had."""
    if os.geteuid():
        return ()
    if not shutil.which("setpriv") or subprocess.run([*LIMITED, "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs setpriv, or a user other than root")
    return LIMITED


def test_a_folder_that_cannot_be_written_is_named(program: Program) -> None:
    wrap = bound()
    for path in (*program.state.iterdir(), program.state):
        path.chmod(0o500 if path.is_dir() else 0o400)
    sentence = program.run("once", code=1, wrap=wrap).sentence
    assert str(program.state) in sentence
    assert "writable" in sentence
    program.state.chmod(0o700)


def test_a_file_that_cannot_be_written_is_named(program: Program) -> None:
    wrap = bound()
    (program.state / "state.db").chmod(0o400)
    before = digest(program.state / "state.db")
    sentence = program.run("once", code=1, wrap=wrap).sentence
    assert "state.db" in sentence
    assert "write access" in sentence
    assert digest(program.state / "state.db") == before


def test_a_folder_that_cannot_be_made_is_named(program: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    program.document["state_dir"] = str(tmp_path / "file" / "state")
    assert str(tmp_path / "file") in program.run("once", code=1).sentence


# ── damage ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_is_no_database_is_left_alone(program: Program) -> None:
    remove(program.state / "state.db")
    (program.state / "state.db").write_text("my diary, volume 7\n" * 1000)
    assert "damaged" in refused(program)


def test_a_damaged_header_is_left_alone(program: Program) -> None:
    path = program.state / "state.db"
    path.write_bytes(os.urandom(64) + path.read_bytes()[64:])
    assert "damaged" in refused(program)


COMMANDS = (
    *(("run",), ("once",), ("plan",), ("plan", "--json"), ("status",), ("status", "--json"), ("status", "--problems")),
    *(("devices",), ("find", "1"), ("export", "--format", "lp"), ("export", "--format", "csv")),
    *(("backfill", "--since", "9d"), ("backfill", "--list"), ("replay", "--sink", "lake"), ("verify",)),
)
"""Commands that read the state, each of which must say that it cannot."""


def damage_inside(path: Path) -> None:
    """Ruin every table but those that are read when the file is opened."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        roots = db.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name NOT IN ('meta', 'systems')").fetchall()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    data = bytearray(path.read_bytes())
    for (page,) in roots:
        data[(page - 1) * size : page * size] = b"\xa5" * size
    path.write_bytes(data)


def test_damage_inside_is_a_sentence_and_no_traceback(program: Program, vendor: Vendor, tmp_path: Path) -> None:
    program.document["sinks"] = {"lake": {"type": "parquet", "path": str(tmp_path / "lake")}}
    damage_inside(program.state / "state.db")
    program.write()
    program.config.chmod(0o600)
    with contextlib.closing(Store(program.state)):
        pass
    assert "damaged" in program.run("status", code=1).sentence
    for words in COMMANDS:
        ended = call(program, vendor, *words)
        assert isinstance(ended.exception, StateError), (words, ended.exception)
        assert "restore" in str(ended.exception), words
    doctor = call(program, vendor, "doctor", "--offline", "--json")
    bad = {check["name"]: check["found"] for check in json.loads(doctor.stdout) if check["result"] == "bad"}
    assert [*bad] == ["state"], bad
    assert "damaged" in bad["state"]
    found = json.loads(call(program, vendor, "diagnostics").stdout)
    assert "damaged" in found["state_error"]
    assert found["configuration"]


def test_checks_of_a_state_that_cannot_be_opened_name_it_alone(program: Program, vendor: Vendor) -> None:
    path = program.state / "state.db"
    path.write_bytes(os.urandom(64) + path.read_bytes()[64:])
    program.write()
    program.config.chmod(0o600)
    doctor = call(program, vendor, "doctor", "--offline", "--json")
    assert doctor.exit_code == 1
    checks = {check["name"]: check for check in json.loads(doctor.stdout)}
    assert [name for name, check in checks.items() if check["result"] == "bad"] == ["state"], checks
    assert "damaged" in checks["state"]["found"]
    assert checks["time zones"]["result"] == "skipped"


def test_a_backup_mends_a_damaged_state(program: Program, tmp_path: Path) -> None:
    held = program.run("export", "--format", "lp").out
    program.run("backup", "-o", str(tmp_path / "good.db"))
    ruin = os.urandom(50_000)
    remove(program.state / "state.db")
    (program.state / "state.db").write_bytes(ruin)
    assert "restore" in refused(program)
    program.run("restore", str(tmp_path / "good.db"))
    assert program.run("export", "--format", "lp").out == held
    assert (program.state / "state.before-restore.db").read_bytes() == ruin
    program.run("once", "--max-calls", "1")


def test_a_state_of_a_newer_version_is_left_alone(program: Program) -> None:
    with contextlib.closing(sqlite3.connect(program.state / "state.db")) as db:
        db.execute(f"PRAGMA user_version = {migrations.VERSION + 1}")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sentence = refused(program)
    assert "newer version" in sentence
    assert "Nothing was changed" in sentence


def test_a_database_of_another_program_is_left_alone(program: Program) -> None:
    path = program.state / "state.db"
    remove(path)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
        db.commit()
    assert "another program" in refused(program)


@pytest.mark.parametrize(
    "part", [0.0, 0.3, 0.999, *(pytest.param(part, marks=pytest.mark.long) for part in (0.01, 0.7))]
)
def test_a_torn_log_loses_no_more_than_its_end(tmp_path: Path, part: float) -> None:
    """The power fails: the write-ahead log is on the disk only up to some byte. The database is filled anew."""
    world = World(tmp_path, [HOUSE])
    world.run(DAY)
    folder = world.settings.state_dir
    whole, log = (folder / "state.db").read_bytes(), (folder / "state.db-wal").read_bytes()
    world.end()
    assert len(log) > 100_000
    remove(folder / "state.db")
    (folder / "state.db").write_bytes(whole)
    (folder / "state.db-wal").write_bytes(log[: int(len(log) * part)])
    world.database.rows.clear()
    world.begin()
    assert world.store.check() == "ok"
    with world.store.transaction() as db:
        db.execute("UPDATE sinks SET fingerprint = ''")
    world.crash()
    until = int(world.time.true)
    world.run(5 * DAY)
    assert differences(world, HOUSE, START - 4 * DAY, until)[:3] == []
    world.end()


def test_an_archive_that_cannot_be_read_for_a_moment_does_not_end_delivery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, [HOUSE])
    world.run(12 * HOUR)

    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr("ingest.store.journal.changes", broken)
        world.run(HOUR)
    (error,) = world.store.db.execute("SELECT error FROM sinks").fetchone()
    assert "disk I/O error" in error
    world.run(12 * HOUR)
    assert world.store.db.execute("SELECT error FROM sinks").fetchone() == ("",)
    assert world.store.db.execute("SELECT count(*) FROM points").fetchone() == (len(world.database.rows),)
    world.end()


# ── no space ──────────────────────────────────────────────────────────────────────────────────────────


class Filling:
    """A transport during whose next call of `path` the disk fills up."""

    def __init__(self, world: World, path: str) -> None:
        self.world, self.path, self.inner, self.struck = world, path, world.wire, False

    def send(self, request: Request) -> Reply:
        reply = self.inner.send(request)
        if self.path in request.url and not self.struck:
            self.struck = True
            (pages,) = self.world.store.db.execute("PRAGMA page_count").fetchone()
            self.world.store.db.execute(f"PRAGMA max_page_count = {pages}")
        return reply


def test_what_was_fetched_when_the_disk_filled_up_is_kept_and_written_later(tmp_path: Path) -> None:
    world = World(tmp_path, [HOUSE])
    world.run(10 * HOUR)
    world.pipeline.transport = Filling(world, "/telemetry/")
    while not world.pipeline._unrecorded:
        world.step(world.time.true + HOUR)
    calls, held = len(world.cloud.calls), world.store.db.execute("SELECT count(*) FROM points").fetchone()
    bought = world.cloud.calls[-1]
    world.run(DAY)
    assert len(world.cloud.calls) == calls, "calls whose outcome could not be kept"
    assert world.pipeline._unrecorded
    assert world.store.db.execute("SELECT count(*) FROM points").fetchone() == held
    world.store.db.execute("PRAGMA max_page_count = 1073741823")
    world.pipeline.record()
    assert not world.pipeline._unrecorded
    assert world.store.db.execute("SELECT count(*) FROM points").fetchone() > held, "the reply that was waiting"
    until = int(world.time.true)
    world.run(5 * DAY)
    again = [call for call in world.cloud.calls[calls:] if (call.path, call.params) == (bought.path, bought.params)]
    assert again == [], "the same call was bought again"
    assert differences(world, HOUSE, START - 4 * DAY, until)[:3] == []
    world.end()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of 8 MB."""
    with own_disk(tmp_path / "disk", "8m") as folder:
        yield folder


def test_a_disk_that_is_really_full_is_a_sentence_and_costs_nothing(
    filled: Program, vendor: Vendor, small_disk: Path
) -> None:
    state = small_disk / "state"
    shutil.copytree(filled.state, state)
    program = Program(small_disk / "program", api=vendor.api, state_dir=str(state))
    program.write()
    points = stored.ask(state, "SELECT count(*) FROM points")
    with (small_disk / "ballast").open("wb") as ballast, contextlib.suppress(OSError):
        while True:
            os.write(ballast.fileno(), bytes(4096))
    calls = len(vendor.cloud.calls)
    vendor.at += HOUR
    assert "the disk is full" in program.run("once", code=1).err
    assert len(vendor.cloud.calls) <= calls + 1
    (small_disk / "ballast").unlink()
    program.run("once")
    assert stored.ask(state, "SELECT count(*) FROM points") > points
    assert stored.ask(state, "PRAGMA quick_check") == [("ok",)]
