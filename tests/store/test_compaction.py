"""The archive of a former version is made compact in its place: whole, whatever interrupts it."""

import logging
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ingest.core.errors import StateError, StateLocked
from ingest.core.point import Point, decode_fields
from ingest.plan.keeping import Cut
from ingest.store import archive, compaction, departures, journal, migrations, outbox, removal
from ingest.store.archive import Filter
from ingest.store.database import Store
from ingest.store.ownership import own_folder
from ingest.store.packing import Unpacker
from tests.store import former

OPEN = """
import os, signal, sqlite3, sys
from pathlib import Path
from ingest.store import compaction
from ingest.store.database import Store

def end(*_):
    os.kill(os.getpid(), signal.SIGKILL)

left, connect = int(sys.argv[2]) if sys.argv[2].isdigit() else -1, sqlite3.connect

def count(_):
    global left
    left -= 1
    if left == 0:
        end()

def connected(*args, **kwargs):
    db = connect(*args, **kwargs)
    db.set_trace_callback(count)
    return db

compaction.ROWS, sqlite3.connect, replace = int(sys.argv[3]), connected, Path.replace
if sys.argv[2] == "before":
    Path.replace = end
if sys.argv[2] == "after":
    Path.replace = lambda *args: (replace(*args), end())
Store(Path(sys.argv[1]), own=True).compact()
"""
"""Opens a state as its owner, and is killed at a statement, or where the files change places."""
ROWS = 20_000
TEN_YEARS = 3653 * 1_300
"""Points of a home with every stream: 1,300 a day."""
TABLES = {"series": "*", "calls": "*", "systems": "*", "sinks": "name, fingerprint, cursor, sent"}


def content(path: Path) -> dict[str, Any]:
    """All that is in a state, as it is meant."""
    with closing(sqlite3.connect(path)) as db:
        unpack = Unpacker(db)
        points = db.execute("SELECT series, time, fields, seq FROM points ORDER BY series, time")
        found: dict[str, Any] = {"points": [(*key, decode_fields(unpack(row)), seq) for *key, row, seq in points]}
        return found | {name: db.execute(f"SELECT {some} FROM {name}").fetchall() for name, some in TABLES.items()}  # noqa: S608


def owner(folder: Path) -> Store:
    """What `run` and `once` do at their start."""
    store = Store(folder, own=True)
    store.compact()
    return store


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("rows", "at_once", "most"),
    [(ROWS, 200, 240), *([(TEN_YEARS, compaction.ROWS, 5_200)] if os.environ.get("INGEST_LONG") else [])],
)
def test_it_is_interrupted_at_random_and_ends_equal(rows: int, at_once: int, most: int, tmp_path: Path) -> None:
    cursor = rows - 1_000
    former.write(tmp_path, rows, cursor)
    before, large = content(tmp_path / "state.db"), (tmp_path / "state.db").stat().st_size
    fresh = tmp_path / compaction.FRESH
    seed = random.randrange(10**9)
    print("seed", seed)
    chance, kills, parts = random.Random(seed), 0, set()
    while kills < 20 and killed(tmp_path, str(chance.randrange(1, most)), at_once):
        kills += 1
        parts.add(fresh.stat().st_size if fresh.exists() else 0)
        if kills % 5 == 0:
            assert content(tmp_path / "state.db") == before, "the former file is kept until the new one is whole"
    store = owner(tmp_path)
    assert not fresh.exists()
    assert store.check() == "ok"
    assert journal.changes(store.db, 0, rows) == journal.changes(store.db, cursor, rows)
    assert len(journal.changes(store.db, cursor, rows)) == rows - cursor
    assert outbox.register(store.db, "db", "f").cursor == cursor
    store.close()
    assert content(tmp_path / "state.db") == before
    assert kills > 9
    assert len(parts) > 4, "it goes on where it was"
    assert (tmp_path / "state.db").stat().st_size < 0.6 * large
    assert (tmp_path / "state.db").stat().st_mode & 0o777 == 0o600


def killed(folder: Path, where: str, at_once: int = 200) -> bool:
    """Whether the owner was killed; else it has come to its end."""
    command = [sys.executable, "-c", OPEN, str(folder), where, str(at_once)]
    return subprocess.run(command, check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_kill_where_the_files_change_places_loses_nothing(where: str, tmp_path: Path) -> None:
    former.write(tmp_path, 600, 0)
    before = content(tmp_path / "state.db")
    assert killed(tmp_path, where)
    assert content(tmp_path / "state.db") == before
    with closing(owner(tmp_path)) as store:
        assert not compaction.is_due(store.db)
    assert content(tmp_path / "state.db") == before
    assert not (tmp_path / compaction.FRESH).exists()


def test_while_another_program_has_it_open_it_stays_as_it_is(tmp_path: Path) -> None:
    former.write(tmp_path, 300, 0)
    before = content(tmp_path / "state.db")
    with closing(sqlite3.connect(tmp_path / "state.db")) as other:
        other.execute("SELECT count(*) FROM points").fetchone()
        store = owner(tmp_path)
        assert compaction.is_due(store.db)
        assert store.db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        store.close()
    assert content(tmp_path / "state.db") == before
    store = owner(tmp_path)
    assert not compaction.is_due(store.db)
    store.close()
    assert content(tmp_path / "state.db") == before


def test_where_there_is_no_room_it_says_so_and_goes_on_with_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    former.write(tmp_path, 300, 0)
    before = content(tmp_path / "state.db")
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=4096))
    with caplog.at_level(logging.WARNING):
        store = owner(tmp_path)
    assert "no room" in str([record.__dict__ for record in caplog.records])
    assert not (tmp_path / compaction.FRESH).exists()
    assert content(tmp_path / "state.db") == before
    store.close()


def test_one_who_only_looks_leaves_it_to_the_owner(tmp_path: Path) -> None:
    former.write(tmp_path, 300, 0)
    looking = Store(tmp_path)
    assert compaction.is_due(looking.db)
    looking.close()
    service = owner(tmp_path)
    with pytest.raises(StateLocked):
        Store(tmp_path, own=True)
    later = Store(tmp_path)
    assert not compaction.is_due(later.db)
    later.close()
    service.close()


def test_what_a_command_writes_while_the_file_changes_its_place_is_in_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former.write(tmp_path, 300, 0)
    begun, copy = threading.Event(), compaction._copy_rest

    def wish() -> None:
        begun.set()
        with closing(Store(tmp_path)) as store, store.transaction() as db:
            db.execute("INSERT INTO wishes (kind, body, made_at) VALUES ('k', 'b', 1)")

    command = threading.Thread(target=wish)

    def copied(db: sqlite3.Connection, new: sqlite3.Connection) -> None:
        copy(db, new)
        command.start()
        assert begun.wait(30)
        command.join(0.2)
        assert command.is_alive(), "it waits for the new file"

    monkeypatch.setattr(compaction, "_copy_rest", copied)
    with closing(owner(tmp_path)) as store:
        command.join(30)
        assert store.db.execute("SELECT kind FROM wishes").fetchall() == [("k",)]


def test_a_new_file_of_another_archive_is_begun_anew(tmp_path: Path) -> None:
    former.write(tmp_path, 300, 0, seed=1)
    former.write(tmp_path / "other", 600, 0, seed=2)
    other = owner(tmp_path / "other")
    other.close()
    (tmp_path / "other" / "state.db").rename(tmp_path / compaction.FRESH)
    before = content(tmp_path / "state.db")
    owner(tmp_path).close()
    assert content(tmp_path / "state.db") == before
    (tmp_path / "third").mkdir()
    former.write(tmp_path / "third", 300, 0)
    (tmp_path / "third" / compaction.FRESH).write_bytes(b"no database at all, but long enough to be read as one" * 50)
    before = content(tmp_path / "third" / "state.db")
    owner(tmp_path / "third").close()
    assert content(tmp_path / "third" / "state.db") == before


def test_what_has_left_since_it_was_interrupted_does_not_come_back(tmp_path: Path) -> None:
    former.write(tmp_path, 3000, 0)
    with closing(sqlite3.connect(tmp_path / "state.db")) as db:
        migrations.migrate(db)
        (system,) = db.execute("SELECT system FROM series WHERE measurement = 'production_micro' LIMIT 1").fetchone()
    assert killed(tmp_path, "1200")
    with closing(sqlite3.connect(tmp_path / compaction.FRESH)) as db:
        assert db.execute("SELECT count(*) FROM points").fetchone()[0] > 500, "it had begun"
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as db:
        first = removal.oldest(db, system, 0)
        assert first is not None
        departures.fix(db, [system], Cut("2030-01-01", 2**40, 2**40))
        assert removal.remove(db, system, first + 3600, 2**40)
    before = content(tmp_path / "state.db")
    owner(tmp_path).close()
    assert content(tmp_path / "state.db")["points"] == before["points"]


def test_a_file_that_history_left_full_of_air_is_packed_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "SMALL", 2**20)
    monkeypatch.setattr(compaction, "SPARSE_BYTES_PER_POINT", 38)
    path = tmp_path / "state.db"
    with closing(owner(tmp_path)) as store:
        for week in range(40):
            for name in ("consumption", "grid", "production_micro"):
                times = range(former.START - week * 200_000, former.START - week * 200_000 + 200_000, 300)
                with store.transaction() as db:
                    archive.upsert(
                        db, [Point(name, (), at, {"energy_wh": at % 997 / 1, "power_w": 0.0}) for at in times]
                    )
        with store.transaction() as db:
            gone = db.execute("DELETE FROM points WHERE series = (SELECT id FROM series WHERE key = 'grid')").rowcount
            db.execute("UPDATE meta SET value = value - ? WHERE key = 'points'", (gone,))
        outbox.forget_proved(store, [])
        rows = list(archive.select(store.db, Filter()))
    airy = path.stat().st_size
    with closing(owner(tmp_path)) as store:
        assert list(archive.select(store.db, Filter())) == rows
        assert path.stat().st_size < 0.8 * airy
        assert path.stat().st_size < 45 * len(rows)
        assert not compaction.is_due(store.db), "once"
        store.db.execute("UPDATE meta SET value = '0' WHERE key = 'packed'")
        assert not compaction.is_due(store.db), "there is nothing to gain"


@pytest.mark.parametrize("fault", ["full", "taken", "owner"])
def test_whatever_hinders_it_the_program_goes_on_with_the_old_file(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    former.write(tmp_path, 300, 0)
    before = content(tmp_path / "state.db")

    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full") if fault == "full" else OSError(16, "busy")

    place = {"full": (compaction, "_copy_rest"), "taken": (Path, "replace"), "owner": (os, "chown")}[fault]
    monkeypatch.setattr(*place, broken)
    with caplog.at_level(logging.WARNING), closing(owner(tmp_path)) as store:
        assert "archive_not_compacted" in caplog.text
        assert store.db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        with store.transaction() as db:
            archive.upsert(db, [Point("energy", (), 5, {"wh": 1.0})])
        assert not (tmp_path / compaction.FRESH).exists(), "it would take up room"
        with store.transaction() as db:
            db.execute("DELETE FROM points WHERE time = 5")
            db.execute("DELETE FROM series WHERE key = 'energy'")
    assert content(tmp_path / "state.db") == before
    monkeypatch.undo()
    owner(tmp_path).close()
    assert content(tmp_path / "state.db") == before


def test_whose_the_file_is_and_who_may_read_it_stays(tmp_path: Path) -> None:
    former.write(tmp_path, 300, 0)
    other = tmp_path / "elsewhere"
    other.mkdir()
    path = (tmp_path / "state.db").rename(other / "real.db")
    path.chmod(0o640)
    os.chown(path, 1234, 1234)
    (tmp_path / "state.db").symlink_to(path)
    owner(tmp_path).close()
    assert (tmp_path / "state.db").is_symlink()
    found = path.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (1234, 1234, 0o640)
    with closing(Store(tmp_path)) as store:
        assert not compaction.is_due(store.db)


def test_a_folder_that_cannot_be_synced_leaves_no_one_with_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former.write(tmp_path, 300, 0)
    sync = compaction._on_disk

    def synced(place: Path) -> None:
        if place.is_dir():
            raise OSError(22, "this file system cannot")
        sync(place)

    monkeypatch.setattr(compaction, "_on_disk", synced)
    with closing(owner(tmp_path)) as store, store.transaction() as db:
        archive.upsert(db, [Point("energy", (), 5, {"wh": 1.0})])
    with closing(Store(tmp_path)) as later:
        assert [row for _, _, row in archive.select(later.db, Filter(("energy",)))] == ["wh:1;"]


def test_a_large_archive_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "LARGE", 300)
    former.write(tmp_path, 300, 0)
    before = content(tmp_path / "state.db")
    owner(tmp_path).close()
    assert content(tmp_path / "state.db") == before
    with closing(Store(tmp_path)) as store:
        assert store.db.execute("SELECT fields FROM points WHERE series = 1").fetchone()[0].startswith("devices_rep")


def test_a_command_of_a_newer_version_leaves_the_state_to_the_older_service(tmp_path: Path) -> None:
    former.write(tmp_path, 300, 0)
    lock = own_folder(tmp_path)
    with pytest.raises(StateError, match="restart the service first"):
        Store(tmp_path)
    os.close(lock)
    with closing(sqlite3.connect(tmp_path / "state.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (former.VERSION,)
    Store(tmp_path).close()


def test_a_state_is_copied_first_unless_the_step_leaves_all_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former.write(tmp_path, 300, 0)
    Store(tmp_path).close()
    assert not list(tmp_path.glob("state.before-*.db")), "it would take the size of the file again"
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, "DELETE FROM calls;"))
    monkeypatch.setattr(migrations, "VERSION", migrations.VERSION + 1)
    Store(tmp_path).close()
    (copy,) = tmp_path.glob("state.before-*.db")
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("SELECT count(*) FROM calls").fetchone() == (500,)


def test_two_that_open_an_old_state_at_once_both_find_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former.write(tmp_path, 300, 0)
    migrate, begun, found = migrations.migrate, threading.Event(), list[int]()

    def second() -> None:
        begun.set()
        with closing(Store(tmp_path)) as store:
            found.append(migrations.version(store.db))

    other = threading.Thread(target=second)

    def migrated(db: sqlite3.Connection) -> None:
        assert not begun.is_set(), "one of them is enough"
        other.start()
        assert begun.wait(30)
        other.join(0.2)
        assert other.is_alive(), "it waits until the first is done"
        migrate(db)

    monkeypatch.setattr(migrations, "migrate", migrated)
    Store(tmp_path).close()
    other.join(30)
    assert found == [migrations.VERSION]


def test_what_an_older_service_wrote_beside_it_is_delivered(tmp_path: Path) -> None:
    """Rows without a change in the journal, as one writes that does not know it."""
    former.write(tmp_path, 300, 290)
    with closing(Store(tmp_path)) as store:
        store.db.execute("DELETE FROM runs")
    with closing(owner(tmp_path)) as store:
        assert len(journal.changes(store.db, 290, 999)) == 10
