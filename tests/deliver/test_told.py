"""What the pipeline says of itself reaches every database, and costs next to nothing but its own rows."""

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest.core.errors import SinkRefused
from ingest.core.point import Point, decode_fields
from ingest.core.units import HOUR
from ingest.deliver.sender import Delivery, Sender, record_delivery
from ingest.store import archive, journal, migrations, outbox, own
from ingest.store.archive import Filter
from ingest.store.database import Store
from tests.world import Database

APP = (("app", "a"),)
BEFORE = 17
"""The version before what the pipeline says of itself stood apart."""


class Home:
    """A state and a sender."""

    def __init__(self, store: Store) -> None:
        self.store, self.database = store, Database()
        self.open()

    def open(self) -> None:
        row = outbox.register(self.store.db, "db", "memory")
        self.sender = Sender("db", self.database, self.store.reader(), row.cursor)

    def restart(self) -> None:
        self.sender.close()
        self.open()

    def say(self, *times: int) -> None:
        with self.store.transaction() as db:
            told = (Point("ingest", APP, time, {"gaps": float(time), "last_error": "none"}) for time in times)
            own.write(db, [*map(own.said, told)])

    def read(self, time: int) -> None:
        with self.store.transaction() as db:
            archive.upsert(db, [Point("energy", (("system", "1"),), time, {"wh": 1.0})])

    def deliver(self) -> list[Delivery]:
        done = []
        while (one := self.sender.step()) is not None:
            with self.store.transaction() as db:
                record_delivery(db, one, 0)
            done.append(one)
            if one.error:
                break
        return done

    def told(self) -> set[int]:
        return {time for name, _, time in self.database.rows if name == "ingest"}

    def lose(self) -> None:
        """The database loses all it has."""
        self.database.rows.clear()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with closing(Store(tmp_path, own=True)) as store:
        made = Home(store)
        yield made
        made.sender.close()


def test_it_is_told_at_once_and_recorded_with_the_next_data(home: Home) -> None:
    home.say(1, 2)
    assert home.deliver() == [], "no transaction for it alone"
    assert home.told() == {1, 2}
    assert home.database.rows["ingest", APP, 1] == {"gaps": 1.0, "last_error": "none"}
    assert (outbox.told(home.store.db, "db"), journal.backlog(home.store.db, 0)) == (0, 0)
    home.read(900)
    assert [done.sent for done in home.deliver()] == [1]
    assert outbox.told(home.store.db, "db") == 2
    home.say(3)
    assert home.deliver() == []
    writes = home.database.writes
    home.restart()
    assert home.deliver() == []
    assert (home.told(), home.database.writes) == ({1, 2, 3}, writes + 1), "what was not recorded is told again"


def test_a_database_that_was_down_hears_again_what_it_may_have_lost(home: Home) -> None:
    home.say(1, 2)
    home.read(900)
    home.deliver()
    home.database.down = True
    home.say(3)
    (failed,) = home.deliver()
    assert "down" in failed.error
    home.database.down = False
    home.lose()
    assert [done.error for done in home.deliver()] == [""], "that it works again is recorded"
    assert home.told() == {1, 2, 3}
    home.read(1800)
    home.deliver()
    assert {time for name, _, time in home.database.rows if name == "energy"} == {900, 1800}


@pytest.mark.parametrize(("wanted", "again"), [(Filter(), {1, 2}), (Filter(("energy",)), set())])
def test_a_replay_of_everything_tells_it_again(home: Home, wanted: Filter, again: set[int]) -> None:
    home.say(1, 2)
    home.read(900)
    home.deliver()
    home.lose()
    with home.store.transaction() as db:
        outbox.ask_replay(db, "db", wanted)
    home.deliver()
    assert home.told() == again


def test_another_database_is_told_everything(home: Home) -> None:
    home.say(1, 2)
    home.read(900)
    home.deliver()
    home.lose()
    home.store.db.execute("UPDATE sinks SET fingerprint = 'another'")
    home.restart()
    home.deliver()
    assert home.told() == {1, 2}


def test_a_point_that_is_refused_is_set_aside_until_it_is_taken(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    before = home.database.write

    def write(lines: list[str]) -> int:
        if any(line.endswith(" 2") for line in lines):
            raise SinkRefused("field type conflict")
        return before(lines)

    monkeypatch.setattr(home.database, "write", write)
    home.read(900)
    home.say(1, 2, 3)
    home.deliver()
    aside = [("ingest,app=a", 2, "field type conflict")]
    assert (home.told(), outbox.parked_lines(home.store.db, "db")) == ({1, 3}, aside)
    for is_mended in (False, True):
        if is_mended:
            monkeypatch.undo()
        with home.store.transaction() as db:
            outbox.ask_replay(db, "db", Filter())
        home.deliver()
        assert outbox.parked_lines(home.store.db, "db") == ([] if is_mended else aside)
    assert home.told() == {1, 2, 3}


def test_the_newest_is_known_of_all_that_spoke_in_the_last_days(home: Home) -> None:
    now = 100 * 24 * HOUR
    other = (("app", "b"),)
    with home.store.transaction() as db:
        for time, tags in ((0, (("app", "c"),)), (now - 30 * HOUR, other), (now - HOUR, APP), (now, APP)):
            own.write(db, [own.said(Point("ingest", tags, time, {"gaps": float(time)}))])
    assert {(key, time) for key, time, _ in own.newest(home.store.db)} == {
        ("ingest,app=a", now),
        ("ingest,app=b", now - 30 * HOUR),
    }


def test_what_stood_among_the_data_stands_apart_and_is_not_told_again() -> None:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        for step in migrations.MIGRATIONS[:BEFORE]:
            db.executescript(step) if isinstance(step, str) else step(db)
        db.execute(f"PRAGMA user_version = {BEFORE}")
        db.execute(
            "INSERT INTO sinks (name, fingerprint, cursor) VALUES ('db', '', 2), ('slow', '', 1), ('new', '', 0)"
        )
        points = [Point("ingest", APP, 5, {"gaps": 1.0}), Point("energy", (), 0, {"wh": 1.0}),
                  Point("ingest", APP, 6, {"gaps": 2.0})]  # fmt: skip
        for point in points:
            archive.upsert(db, [point])
        migrations.migrate(db)
        assert [(time, decode_fields(row), seq) for _, time, row, seq in own.after(db, 0, 9)] == [
            (5, {"gaps": 1.0}, 1),
            (6, {"gaps": 2.0}, 3),
        ]
        assert [outbox.told(db, name) for name in ("db", "slow", "new")] == [2, 1, 0]
        assert [key for key, _, _ in archive.select(db, Filter())] == ["energy"]
        assert archive.size(db) == 1
        assert journal.backlog(db, 0) == 1


def test_the_names_of_its_fields_stand_once_and_apart_from_those_of_the_data(home: Home) -> None:
    home.read(0)
    home.say(1, 2)
    kept = home.store.db.execute("SELECT time, fields FROM own").fetchall()
    assert kept == [(1, '0:1;"none",'), (2, '0:2;"none",')]
    home.store.db.execute("UPDATE meta SET value = 'packed,anew' WHERE key = 'names'")
    assert [decode_fields(row) for _, _, row, _ in own.after(home.store.db, 1, 9)] == [
        {"gaps": 2.0, "last_error": "none"}
    ]
