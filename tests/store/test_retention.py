"""Old intervals leave the archive once every database was seen to hold them; days and months stay, nothing is lost."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.core.errors import SinkRefused
from ingest.core.point import Point
from ingest.core.units import DAY, HOUR, YEAR
from ingest.deliver.sender import Sender, record_delivery
from ingest.store import archive, outbox, retention
from ingest.store.archive import Filter
from ingest.store.database import Store
from tests.world import Database

BEGIN = 1_767_225_600
"""2026-01-01 00:00 UTC."""
KEEP = 180 * DAY
TAGS = (("system", "1"),)


class Forgetting(Database):
    """Keeps two years."""

    def kept_from(self, now: int) -> int | None:
        return now - 2 * YEAR


class Refusing(Database):
    """Refuses one point."""

    def write(self, lines: object) -> int:
        if any(line.endswith(f" {BEGIN + 6 * HOUR}") for line in lines):  # type: ignore[attr-defined]
            raise SinkRefused("no")
        return super().write(lines)  # type: ignore[arg-type]


@dataclass
class Home:
    """A year of a system in an archive, and its databases."""

    store: Store
    databases: dict[str, Database]
    now: int = BEGIN + YEAR
    senders: dict[str, Sender] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for day in range(365):
            begin = BEGIN + day * DAY
            times = range(begin, begin + DAY, 6 * HOUR)
            self.say(
                *(Point(name, TAGS, at, {"produced_wh": at % 97 / 1}) for name in ("energy", "grid") for at in times)
            )
            self.say(Point("energy_daily", TAGS, begin, {"produced_wh": 50.0}))
        for name, database in self.databases.items():
            with self.store.transaction() as db:
                cursor = outbox.register(db, name, "f").cursor
            self.senders[name] = Sender(name, database, self.store.reader(), cursor, keep=KEEP)

    def say(self, *points: Point) -> None:
        with self.store.transaction() as db:
            archive.upsert(db, points)

    def day(self) -> None:
        """A day of the service: what waits is sent, each database is looked at, and what may leave does."""
        for sender in self.senders.values():
            for _ in range(2):
                while (done := sender.step()) is not None:
                    self.record(done)
                if seen := sender.verify(self.now):
                    self.record(seen)
        self.leave()
        self.now += DAY

    def record(self, done: object) -> None:
        with self.store.transaction() as db:
            record_delivery(db, done, self.now)  # type: ignore[arg-type]

    def leave(self) -> None:
        retention.leave(self.store, self.databases, KEEP, self.now)
        outbox.forget_proved(self.store, self.databases)

    def oldest(self, name: str) -> str:
        rows = archive.select(self.store.db, Filter((name,)))
        return datetime.fromtimestamp(next(rows)[1], UTC).strftime("%Y-%m-%d")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path, own=True)) as made:
        yield made


def test_months_leave_one_a_day_once_every_database_was_seen_to_hold_them(store: Store) -> None:
    home = Home(store, {"a": Database(), "b": Database()})
    whole = {name: dict(database.rows) for name, database in home.databases.items()}
    home.day()
    assert home.oldest("energy") == "2026-01-31"
    home.day()
    assert home.oldest("energy") == home.oldest("grid") == "2026-02-28"
    for _ in range(9):
        home.day()
    assert home.oldest("energy") == "2026-06-30", "half a year stays"
    assert home.oldest("energy_daily") == "2026-01-01", "days stay"
    assert archive.size(store.db) == sum(1 for _ in archive.select(store.db, Filter())) < 365 * 9 - 1300
    for name, database in home.databases.items():
        assert len(database.rows) == 365 * 9, "databases keep all"
        assert outbox.verified(store.db, name).differs == [], "and that is no difference"
        assert not outbox.has_replays(store.db, name)
    assert whole.keys() == {"a", "b"}


def test_what_a_database_lacks_stays_until_it_has_it(store: Store) -> None:
    home = Home(store, {"a": Database(), "b": Database()})
    home.day()
    lost = next(key for key in home.databases["b"].rows if key[0] == "grid" and key[2] == BEGIN + 40 * DAY)
    del home.databases["b"].rows[lost]
    home.day()
    assert home.oldest("energy") == "2026-01-31"
    home.day()
    assert lost in home.databases["b"].rows, "it was sent again"
    for _ in range(3):
        home.day()
    assert home.oldest("energy") > "2026-02-27"


@pytest.mark.parametrize("other", [Forgetting, Refusing])
def test_a_database_that_does_not_keep_all_lets_nothing_leave(other: type[Database], store: Store) -> None:
    home = Home(store, {"a": Database(), "b": other()})
    for _ in range(3):
        home.day()
    assert home.oldest("energy") == "2026-01-01"


def test_a_database_that_was_never_looked_at_lets_nothing_leave(store: Store) -> None:
    home = Home(store, {"a": Database(), "b": Database()})
    del home.senders["b"]
    for _ in range(3):
        home.day()
    assert home.oldest("energy") == "2026-01-01"


def test_what_changed_since_it_was_seen_stays(store: Store) -> None:
    home = Home(store, {"a": Database()})
    home.leave = lambda: None  # type: ignore[method-assign]
    home.day()
    home.say(Point("energy", TAGS, BEGIN + DAY, {"produced_wh": 1e6}))
    Home.leave(home)
    assert home.oldest("energy") == "2026-01-01"
    del home.leave
    home.day()
    home.day()
    assert home.oldest("energy") >= "2026-01-31"
    assert home.databases["a"].rows["energy", TAGS, BEGIN + DAY] == {"produced_wh": 1e6}


def test_what_comes_late_is_delivered_and_stays(store: Store) -> None:
    home = Home(store, {"a": Database()})
    home.day()
    late = Point("energy", TAGS, BEGIN + 900, {"produced_wh": 5.0})
    home.say(late)
    for _ in range(4):
        home.day()
    assert home.databases["a"].rows["energy", TAGS, BEGIN + 900] == {"produced_wh": 5.0}
    assert home.oldest("energy") == "2026-01-01", "nobody was seen to hold it"
    rows = [time for _, time, _ in archive.select(store.db, Filter(("energy",)))]
    assert sorted(rows)[1] > BEGIN + 80 * DAY, "the rest left"
    assert outbox.verified(store.db, "a").differs == []


def test_a_removal_that_is_cut_short_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(store, {"a": Database()})
    remove = retention._remove
    monkeypatch.setattr(retention, "ROWS", 1)
    monkeypatch.setattr(retention, "_remove", lambda store: remove(store) and False)
    home.day()
    oldest = {home.oldest("energy"), home.oldest("grid")}
    assert oldest == {"2026-01-01", "2026-01-31"}, "one series has gone"
    monkeypatch.undo()
    home.leave()
    assert {home.oldest("energy"), home.oldest("grid")} == {"2026-01-31"}


def test_all_stays_where_nothing_is_said(store: Store) -> None:
    assert retention.next_month(store.db, None, BEGIN + 9 * YEAR) is None
    home = Home(store, {})
    retention.leave(store, [], KEEP, home.now)
    assert home.oldest("energy") == "2026-01-01", "without a database the archive is all there is"
