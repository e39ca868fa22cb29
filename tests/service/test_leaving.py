"""What leaves the archive is proved by every database, at that moment; whatever casts doubt on that keeps it."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import tzinfo
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.core.point import Point, Value
from ingest.core.units import DAY, HOUR
from ingest.plan import keeping
from ingest.plan.keeping import Cut
from ingest.service import leaving
from ingest.store import archive, departures, meta, outbox, removal
from ingest.store.journal import Row
from tests.service.doubts import (
    DOUBTS,
    a_gap,
    a_replay,
    a_restored_backup,
    a_wish,
    a_wrong_clock,
)
from tests.service.fleeting import BEGIN, Fleet, Lasting
from tests.world import Database

JANUARY = 29
"""Days of January that leave: two stay, for the days of February may be cut in another zone."""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(tmp_path, {"a": Lasting(), "b": Lasting()})
    yield made
    made.end()


def ready(fleet: Fleet) -> Fleet:
    """Proved by all, and about to leave."""
    leave, fleet.leave = fleet.leave, lambda: None  # type: ignore[method-assign]
    fleet.leaving.next()
    fleet.day()
    fleet.day()
    fleet.leave = leave  # type: ignore[method-assign]
    fleet.now -= DAY - HOUR
    return fleet


def test_months_leave_one_a_day_and_the_last_year_stays(fleet: Fleet) -> None:
    whole = fleet.rows()
    databases = [dict(database.rows) for database in fleet.databases.values()]
    found = []
    for _ in range(6):
        fleet.day()
        found.append(fleet.oldest())
    assert found == [0, JANUARY, 57, 57, 57, 57], "430 days, of which 365 and what begins no month stay"
    assert fleet.rows() == {key: row for key, row in whole.items() if key[2] >= BEGIN + 57 * DAY}
    assert fleet.rows().keys() < whole.keys()
    assert archive.size(fleet.store.db) == len(fleet.rows())
    for database in fleet.databases.values():
        assert database.rows.items() >= whole.items()
        assert len(database.rows) >= len(databases[0])
    for name in fleet.databases:
        assert outbox.last_verification(fleet.store.db, name).differs == []
    assert departures.untils(fleet.store.db) == dict.fromkeys("12", BEGIN + 57 * DAY)


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    made = ready(Fleet(tmp_path_factory.mktemp("proved"), {"a": Lasting(), "b": Lasting()}, days=400))
    made.end()
    return made


@pytest.mark.parametrize("doubt", DOUBTS, ids=lambda doubt: doubt.__name__)
def test_whatever_casts_doubt_keeps_it(doubt: Callable[[Fleet], None], proved: Fleet, tmp_path: Path) -> None:
    fleet = proved.copy(tmp_path)
    doubt(fleet)
    fleet.leave()
    assert fleet.oldest() == 0
    held = departures.known(fleet.store.db, ["1"])
    assert not held or not held["1"].day, "and what is derived of it follows it"
    fleet.end()


def test_after_a_restored_backup_one_look_proves_nothing(proved: Fleet, tmp_path: Path) -> None:
    fleet = proved.copy(tmp_path)
    a_restored_backup(fleet)
    fleet.now += DAY
    fleet.day()
    assert fleet.oldest() == 0
    fleet.day()
    assert fleet.oldest() == JANUARY
    fleet.end()


def test_without_a_doubt_it_leaves(proved: Fleet, tmp_path: Path) -> None:
    fleet = proved.copy(tmp_path)
    fleet.leave()
    assert (fleet.oldest("1"), fleet.oldest("2")) == (JANUARY, JANUARY)
    fleet.end()


def test_a_look_during_which_something_happened_proves_nothing(fleet: Fleet) -> None:
    fleet.leaving.next()
    for name in fleet.databases:
        fleet.deliver(name)
        fleet.look(name)
    fleet.now += DAY
    fleet.look("a")
    seen = fleet.senders["b"].verify(fleet.now)
    assert seen
    assert len(seen.proofs) == 2
    a_replay(fleet)
    fleet.record(seen)
    fleet.leave()
    assert fleet.oldest() == 0


def test_a_gap_keeps_its_system_alone(proved: Fleet, tmp_path: Path) -> None:
    fleet = proved.copy(tmp_path)
    a_gap(fleet)
    fleet.leave()
    assert (fleet.oldest("1"), fleet.oldest("2")) == (0, JANUARY)
    fleet.end()


def test_a_database_that_may_forget_lets_nothing_leave_and_says_why(tmp_path: Path) -> None:
    for other, why in ((Database(), "it does not say how long it keeps points"), (Lasting(), "it keeps a year")):
        if isinstance(other, Lasting):
            other.why = why
        fleet = Fleet(tmp_path / why[-4:], {"a": Lasting(), "b": other}, ("1",), days=400, first=32)
        for _ in range(3):
            fleet.day()
        assert fleet.oldest() == 0
        assert outbox.last_verification(fleet.store.db, "b").forgets == why
        other.why = ""  # type: ignore[attr-defined]
        other.forgets = lambda _: ""  # type: ignore[attr-defined]
        fleet.day()
        assert outbox.last_verification(fleet.store.db, "b").forgets == ""
        assert fleet.oldest() == JANUARY
        fleet.end()


def test_what_cannot_be_proved_for_long_keeps_nobody_else(tmp_path: Path) -> None:
    zones = ("Pacific/Kiritimati", "Asia/Tokyo", "Europe/Berlin", "UTC", "America/New_York", "America/Los_Angeles")
    fleet = Fleet(tmp_path, {"a": Lasting(), "b": Lasting()}, tuple("123456"), days=400, every=DAY)
    for name, place in zip("123456", zones, strict=True):
        fleet.state.systems[name] = replace(fleet.state.systems[name], timezone=place)
    fleet.pipeline.inventory.replace(fleet.state)
    fleet.deliver("b")
    for name in "1234":
        row: Row = (removal.series(fleet.store.db, name)[0], BEGIN + 2 * DAY, "", 10**9)
        with fleet.store.transaction() as db:
            outbox.park(db, "b", [(row, "no")])
        del fleet.databases["b"].rows["energy", (("system", name),), BEGIN + 2 * DAY]
    for _ in range(6):
        fleet.day()
        fleet.now += HOUR  # the looks of a day at other hours
    left = departures.untils(fleet.store.db)
    assert left.keys() == {"5", "6"}
    assert left["6"] - left["5"] == 3 * HOUR, "each by its own midnight"
    fleet.end()


def test_a_removal_goes_on_where_it_was_killed_in_short_transactions(
    proved: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = proved.copy(tmp_path)
    monkeypatch.setattr(removal, "ROWS", 40)
    whole, parts = fleet.rows(), 0
    while fleet.leaving.next():
        rows = fleet.rows()
        left = departures.untils(fleet.store.db)
        assert len(whole) - len(rows) <= 40
        gone = whole.keys() - rows.keys()
        assert all(at < left[dict(tags)["system"]] for _, tags, at in gone)
        assert all(at >= left.get(dict(tags)["system"], 0) for _, tags, at in rows), "never one without the other"
        whole, parts = rows, parts + 1
        fleet.end()
        fleet.begin()
    assert parts > 5
    assert (fleet.oldest("1"), fleet.oldest("2")) == (JANUARY, JANUARY)
    fleet.end()


@pytest.mark.parametrize("step", ["fix", "propose"])
def test_a_removal_that_ends_in_the_middle_has_not_begun(
    step: str, proved: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, real = proved.copy(tmp_path), getattr(departures, step)
    whole, size, sums = fleet.rows(), archive.size(fleet.store.db), departures.known(fleet.store.db)

    def killed(*words: object) -> None:
        real(*words)
        raise KeyboardInterrupt

    monkeypatch.setattr(departures, step, killed)
    with pytest.raises(KeyboardInterrupt):
        fleet.leave()
    monkeypatch.undo()
    fleet.end()
    fleet.begin()
    assert fleet.rows() == whole
    assert (archive.size(fleet.store.db), departures.known(fleet.store.db)) == (size, sums)
    fleet.leave()
    assert (fleet.oldest("1"), fleet.oldest("2")) == (JANUARY, JANUARY)
    fleet.end()


def test_a_day_of_many_rows_leaves_in_parts(proved: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = proved.copy(tmp_path)
    monkeypatch.setattr(removal, "ROWS", 2)
    sizes = [archive.size(fleet.store.db)]
    while fleet.leaving.next():
        sizes.append(archive.size(fleet.store.db))
    assert {before - after for before, after in pairwise(sizes)} == {2}
    assert sizes[0] - sizes[-1] == 2 * JANUARY * 4
    fleet.end()


def test_what_comes_late_is_sent_stays_and_is_no_difference(fleet: Fleet) -> None:
    fleet.day()
    fleet.day()
    tags = (("system", "1"),)
    late = Point("production_micro", tags, BEGIN + 900, {"energy_wh": 5.0})
    derived = Point("energy", tags, BEGIN + 900, {"produced_wh": 5.0})
    with fleet.store.transaction() as db:
        archive.upsert(db, [late, derived])
    for _ in range(3):
        fleet.day()
    for database in fleet.databases.values():
        assert database.rows["production_micro", tags, BEGIN + 900] == {"energy_wh": 5.0}
        assert ("energy", tags, BEGIN + 900) not in database.rows
    old = [key for key in fleet.rows() if key[2] < BEGIN + 57 * DAY]
    assert old == [("production_micro", tags, BEGIN + 900)]
    assert outbox.last_verification(fleet.store.db, "a").differs == []
    assert archive.size(fleet.store.db) == len(fleet.rows())


def test_nothing_leaves_where_all_is_kept_and_nothing_is_proposed_any_more(proved: Fleet, tmp_path: Path) -> None:
    fleet = proved.copy(tmp_path)
    fleet.end()
    fleet.settings = fleet.settings.model_copy(update={"archive": type(fleet.settings.archive)()})
    fleet.begin()
    fleet.leave()
    assert fleet.oldest() == 0
    assert not any(row.next_day for row in departures.known(fleet.store.db).values())
    fleet.end()


def test_what_is_fixed_is_written_by_nobody(fleet: Fleet) -> None:
    tags = (("system", "1"),)
    day: dict[str, Value] = {"produced_wh": 3.0, "date": "2025-01-20"}
    month: dict[str, Value] = {"produced_wh": 3.0, "month": "2025-01"}
    with fleet.store.transaction() as db:
        archive.upsert(
            db, [Point("energy_daily", tags, BEGIN + 19 * DAY, day), Point("energy_monthly", tags, BEGIN, month)]
        )
        departures.fix(db, ["1"], Cut("2025-02-01", BEGIN + 31 * DAY, BEGIN + 29 * DAY))
    size, seq = archive.size(fleet.store.db), meta.read(fleet.store.db, "seq")
    with fleet.store.transaction() as db:
        archive.upsert(
            db,
            [
                Point("energy_daily", tags, BEGIN + 19 * DAY, day | {"produced_wh": 0.0}),
                Point("energy_daily", tags, BEGIN + 19 * DAY + 8 * HOUR, day),
                Point("money_daily", tags, BEGIN + 19 * DAY, {"cost": 1.0, "date": "2025-01-20"}),
                Point("energy_monthly", tags, BEGIN, month | {"produced_wh": 9.0}),
                Point("energy", tags, BEGIN + 30 * DAY, {"produced_wh": 9.0}),
                Point("money", tags, BEGIN + 30 * DAY, {"cost": 9.0}),
            ],
        )
    assert archive.size(fleet.store.db) == size
    assert meta.read(fleet.store.db, "seq") == seq
    with fleet.store.transaction() as db:
        archive.upsert(db, [Point("energy_daily", tags, BEGIN + 31 * DAY, day | {"date": "2025-02-01"})])
        archive.upsert(db, [Point("energy_daily", (("system", "2"),), BEGIN, day)])
    assert archive.size(fleet.store.db) == size + 2


def test_a_change_of_one_system_of_a_home_keeps_all_of_it_and_their_days_follow(proved: Fleet, tmp_path: Path) -> None:
    fleet = proved.copy(tmp_path)
    fleet.end()
    fleet.settings = fleet.settings.model_copy(update={"home_members": {"ranch": ("1", "2")}})
    fleet.begin()
    fleet.say("2", BEGIN + 20 * DAY, BEGIN + 21 * DAY, wh=7.0)
    for name in "ab":
        fleet.deliver(name)
    fleet.leave()
    assert (fleet.oldest("1"), fleet.oldest("2")) == (0, 0)
    assert not departures.days(fleet.store.db, ["1", "2", "ranch"])
    fleet.now += DAY
    for _ in range(2):
        fleet.day()
    assert (fleet.oldest("1"), fleet.oldest("2")) == (JANUARY, JANUARY)
    assert departures.days(fleet.store.db, ["1", "ranch"]) == {"1": "2025-02-01", "ranch": "2025-02-01"}
    fleet.end()


def test_it_is_said_why_nothing_leaves(proved: Fleet, tmp_path: Path) -> None:
    fleet = proved.copy(tmp_path)

    def why() -> dict[str, int]:
        return dict(leaving.waiting(fleet.store.db, fleet.settings, fleet.pipeline.inventory, fleet.now))

    assert why() == {}, "it is about to leave"
    fleet.now += 2 * DAY
    assert why() == {leaving.NOT_PROVED: 2}
    a_wrong_clock(fleet)
    assert why() == {leaving.OTHER_TIME: 2}
    a_wish(fleet)
    assert why() == {leaving.REQUESTED: 2}
    with fleet.store.transaction() as db:
        meta.write(db, "home.ranch", '{"zone": "UTC"}')
    assert why() == {leaving.TO_COMPUTE: 2}, "the sums of a home that is no more are withdrawn"
    with fleet.store.transaction() as db:
        meta.write(db, "home.ranch", "")
        meta.write(db, "money.1", '{"base": [1, "UTC"], "tariffs": []}')
    assert why() == {leaving.TO_COMPUTE: 2}, "and so is money"
    a_gap(fleet)
    assert why() == {leaving.NOT_READ: 1, leaving.TO_COMPUTE: 1}
    fleet.end()


def test_looks_of_a_run_a_day_prove_although_they_come_every_other_day(fleet: Fleet) -> None:
    for _ in range(3):
        fleet.day()
        fleet.now += DAY + 5
    assert fleet.oldest() == 57


def test_looks_that_are_further_apart_prove_nothing(fleet: Fleet) -> None:
    for _ in range(4):
        fleet.day()
        fleet.now += 2 * DAY + 5
    assert fleet.oldest() == 0


@pytest.mark.parametrize("error", [ValueError("a fault"), sqlite3.OperationalError("disk I/O error")])
def test_a_fault_keeps_its_system_alone_and_is_told(
    error: Exception, proved: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fleet, told, real = proved.copy(tmp_path), list[str](), keeping.next_cut
    fleet.pipeline.transitions.bad = lambda _, text: told.append(text)

    def next_cut(oldest: int, known_to: int, keep: int, place: tzinfo) -> Cut | None:
        if not fails:
            return real(oldest, known_to, keep, place)
        fails.pop()
        raise error

    fails = [1]
    monkeypatch.setattr(keeping, "next_cut", next_cut)
    fleet.leave()
    assert len(told) + sum("leaving_failed" in record.message for record in caplog.records) == 1
    if isinstance(error, ValueError):
        assert (fleet.oldest("1"), fleet.oldest("2")) == (0, JANUARY)
    fleet.now += HOUR
    fleet.leave()
    assert (fleet.oldest("1"), fleet.oldest("2")) == (JANUARY, JANUARY), "it is tried again an hour later"
    fleet.end()
