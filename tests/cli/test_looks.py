"""`verify` beside a runner that delivers, and what `--fix` deletes: nothing of which the database may have the only
copy.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from ingest.cli.verify import _delete, _differences
from ingest.core.point import Point, Tags, encode, line_fields
from ingest.core.tally import Tally
from ingest.core.units import DAY, HOUR
from ingest.deliver.verify import all_periods
from ingest.store import archive, outbox
from ingest.store.database import Store
from tests.world import Database

BEGIN = 1_735_689_600
"""2025-01-01 00:00 UTC."""
NOW = BEGIN + 59 * DAY
TAGS: Tags = (("system", "1"),)


class Watched(Database):
    """Something happens while it is looked at."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    def kept_from(self, now: int) -> int:
        return 0

    def tally(self, measurements: Sequence[str], start: int, end: int) -> Tally:
        self.meanwhile()
        return super().tally(measurements, start, end)


def quarters(begin: int, end: int, **fields: float) -> list[Point]:
    return [Point("production_micro", TAGS, at, {"energy_wh": at % 97 / 1, **fields}) for at in range(begin, end, 900)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Two months of mornings."""
    made = Store(tmp_path / "state", own=True)
    with made.transaction() as db:
        outbox.register(db, "a", "memory")
        for day in range(59):
            archive.upsert(db, quarters(BEGIN + day * DAY + 6 * HOUR, BEGIN + day * DAY + 9 * HOUR))
    yield made
    made.close()


@pytest.fixture
def database(store: Store) -> Watched:
    made = Watched()
    deliver(store, made)
    return made


def deliver(store: Store, database: Database) -> None:
    rows = archive.select(store.db, archive.Filter())
    database.write([f"{key} {line_fields(row)} {at}" for key, at, row in rows])
    with store.transaction() as db:
        outbox.record_delivered(db, "a", int(db.execute("SELECT max(seq) FROM points").fetchone()[0]), 0, 0)


def looked(store: Store, database: Watched) -> list[tuple[str, int, int]]:
    with closing(Store(store.folder)) as other:
        found = _differences(other, database, "a", all_periods(other.db), NOW)
    return [(item.measured.measurement, item.archived, item.stored) for item in found]


def test_a_runner_that_delivers_meanwhile_makes_no_difference(store: Store, database: Watched) -> None:
    days = iter(range(59))

    def meanwhile() -> None:
        begin = BEGIN + next(days) * DAY
        with store.transaction() as db:
            archive.upsert(db, quarters(begin + 6 * HOUR, begin + 12 * HOUR, power_w=1.0))
        deliver(store, database)

    database.meanwhile = meanwhile
    assert looked(store, database) == []
    assert next(days) == 2, "it was looked at twice"
    database.meanwhile = lambda: None
    assert looked(store, database) == []
    del database.rows["production_micro", TAGS, BEGIN + 6 * HOUR]
    assert looked(store, database) == [("production_micro", 396, 395)]


def test_the_state_is_not_held_at_one_moment_while_all_is_looked_at(store: Store, database: Watched) -> None:
    def meanwhile() -> None:
        if database.rows.pop(("production_micro", TAGS, BEGIN + 6 * HOUR), None):
            with store.transaction() as db:
                db.execute("DELETE FROM points WHERE time = ?", (BEGIN + 40 * DAY + 6 * HOUR,))
            database.rows.pop(("production_micro", TAGS, BEGIN + 40 * DAY + 6 * HOUR), None)

    database.meanwhile = meanwhile
    with closing(Store(store.folder)) as other:
        found = _differences(other, database, "a", sorted(all_periods(other.db)), NOW)
    assert [(item.period[0], item.archived, item.stored) for item in found] == [(BEGIN + 6 * HOUR, 372, 371)]


def fixed(store: Store, database: Watched) -> None:
    found = _differences(store, database, "a", all_periods(store.db), NOW)
    _delete(store, database, "a", found, NOW)


def test_what_stands_between_intervals_of_the_archive_is_deleted(store: Store, database: Watched) -> None:
    whole = dict(database.rows)
    for at in (6 * HOUR + 1, DAY + 8 * HOUR + 450):
        database.rows["production_micro", TAGS, BEGIN + at] = {"energy_wh": 1e6}
    fixed(store, database)
    lost = whole.keys() - database.rows.keys()
    assert database.rows.items() <= whole.items()
    assert {(at - BEGIN) // DAY for _, _, at in lost} == {0, 1}, "days that differ, which are sent again"


def test_a_hole_within_a_month_or_a_day_may_be_the_only_copy(store: Store, database: Watched) -> None:
    night = "production_micro", TAGS, BEGIN + 12 * HOUR
    database.rows[night] = {"energy_wh": 5.0}
    with store.transaction() as db:
        db.execute("DELETE FROM points WHERE time >= ? AND time < ?", (BEGIN + 10 * DAY, BEGIN + 20 * DAY))
        db.execute(
            "DELETE FROM points WHERE time >= ? AND time < ?",
            (BEGIN + 25 * DAY + 7 * HOUR, BEGIN + 25 * DAY + 8 * HOUR),
        )
    holes = {key: row for key, row in database.rows.items() if (key[2] - BEGIN) // DAY in range(10, 20)}
    hour = {("production_micro", TAGS, BEGIN + 25 * DAY + 7 * HOUR + 900 * n) for n in range(4)}
    fixed(store, database)
    assert len(holes) == 120
    assert database.rows.items() >= holes.items()
    assert database.rows.keys() >= {night, *hour}


def test_a_field_that_the_archive_does_not_know_may_be_the_only_copy(store: Store, database: Watched) -> None:
    key = "production_micro", TAGS, BEGIN + 7 * HOUR
    database.rows[key]["devices_reporting"] = 3.0
    fixed(store, database)
    assert database.rows[key]["devices_reporting"] == 3.0


def test_of_other_measurements_what_is_older_than_the_archive_stays(store: Store, database: Watched) -> None:
    def reading(at: int, wh: float) -> Point:
        return Point("production_meter_reading", TAGS, at, {"reading_wh": wh})

    with store.transaction() as db:
        archive.upsert(db, [reading(BEGIN + 40 * DAY, 1.0)])
    deliver(store, database)
    old, older, false = reading(BEGIN + 35 * DAY, 2.0), reading(BEGIN + 5 * DAY, 3.0), reading(BEGIN + 41 * DAY, 4.0)
    database.write([encode(point) for point in (old, older, false)])
    fixed(store, database)
    held = {at for name, _, at in database.rows if name == "production_meter_reading"}
    assert held == {old.time, older.time}, "the archive's own is sent again"
