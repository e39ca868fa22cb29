"""What changed, in order, for those who have not taken it yet; and what is forgotten once nobody needs it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.core.point import Point
from ingest.core.tally import Tally
from ingest.core.units import DAY
from ingest.deliver.sender import Sender, record_delivery
from ingest.deliver.verify import all_periods, daily_periods, differences
from ingest.store import archive, journal, outbox
from ingest.store.database import Store, in_memory
from ingest.store.outbox import Verified
from tests.world import Database


def said(db: sqlite3.Connection, *wh: float, begin: int = 0) -> None:
    archive.upsert(
        db, [Point("energy", (("system", "1"),), begin + 900 * n, {"wh": value}) for n, value in enumerate(wh)]
    )


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with closing(in_memory()) as made:
        yield made


def test_a_row_is_told_of_once_as_it_is_now(db: sqlite3.Connection) -> None:
    said(db, 1.0, 2.0, 3.0)
    said(db, 1.0, 5.0, 3.0)
    assert [(time, row) for _, time, row, _ in journal.changes(db, 0, 9)] == [
        (0, "wh:1;"),
        (1800, "wh:3;"),
        (900, "wh:5;"),
    ]
    assert journal.backlog(db, 0) == 3
    assert journal.backlog(db, 3) == 1


def test_only_what_all_sinks_took_and_were_seen_to_hold_is_forgotten(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        said(store.db, *range(1, 11))
        for name, cursor in (("a", 8), ("b", 6)):
            outbox.register(store.db, name, "somewhere")
            outbox.record_delivered(store.db, name, cursor, cursor, 0)
        outbox.save_verification(store.db, "a", Verified(at=1, seq=3))
        outbox.forget_proved(store, ["a", "b", "new"])
        assert journal.forgotten(store.db) == 0, "a sink that has not begun needs all"
        outbox.forget_proved(store, ["a", "b"])
        assert journal.forgotten(store.db) == 3
        assert len(journal.changes(store.db, 0, 99)) == 7
        outbox.forget_proved(store, [])
        assert journal.changes(store.db, 0, 99) == []
        said(store.db, 50.0)
        assert len(journal.changes(store.db, 0, 99)) == 1


def test_much_is_forgotten_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_FORGOTTEN", 4)
    with closing(Store(tmp_path)) as store:
        said(store.db, *range(10))
        outbox.forget_proved(store, [])
        assert (journal.forgotten(store.db), journal.backlog(store.db, 0)) == (10, 0)


@pytest.mark.parametrize("known", [False, True])
def test_a_sink_that_needs_what_is_forgotten_gets_the_whole_archive(known: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """A new one, one with another address, and one that was left out of the configuration for long."""
    with closing(Store(tmp_path)) as store:
        if known:
            outbox.register(store.db, "db", "memory")
        said(store.db, *range(1, 11))
        outbox.forget_proved(store, [])
        said(store.db, 7.0, begin=90_000)
        cursor = outbox.register(store.db, "db", "memory").cursor
        database = Database()
        sender = Sender("db", database, store.reader(), cursor)
        while (done := sender.step()) is not None:
            with store.transaction() as db:
                record_delivery(db, done, 0)
        sender.close()
        assert {time for _, _, time in database.rows} == {*range(0, 9000, 900), 90_000}
        assert outbox.register(store.db, "db", "memory").cursor == 11
        assert not outbox.has_replays(store.db, "db"), "once"


def test_a_look_that_does_not_know_what_changed_looks_at_every_month(db: sqlite3.Connection) -> None:
    for month in range(12):
        said(db, 1.0, begin=month * 30 * DAY)
    now = 400 * DAY
    assert len(daily_periods(db, now, journal.next_seq(db) - 1)) == 2, "the last week, and one older month"
    journal.forget(db, 5)
    assert len(daily_periods(db, now, 0)) == 1 + len(all_periods(db))
    assert len(daily_periods(db, now, journal.next_seq(db) - 1)) == 2


def test_numbers_never_go_back(db: sqlite3.Connection) -> None:
    said(db, 1.0, 2.0)
    journal.forget(db, 2)
    db.execute("DELETE FROM points")
    assert journal.next_seq(db) == 3
    assert journal.changes(db, 0, 9) == []


def test_a_sink_that_is_another_database_has_proved_nothing(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        said(store.db, *range(10))
        outbox.register(store.db, "db", "one")
        outbox.record_delivered(store.db, "db", 10, 10, 0)
        outbox.save_verification(store.db, "db", Verified(at=5, next_at=99, seq=10))
        outbox.register(store.db, "db", "another")
        assert outbox.last_verification(store.db, "db") == Verified()
        outbox.forget_proved(store, ["db"])
        assert journal.forgotten(store.db) == 0


class Growing(Database):
    """The archive gets another point whenever the database is looked at, as it does with thousands of systems."""

    store: Store

    def tally(self, measurements: Sequence[str], start: int, end: int) -> Tally:
        said(self.store.db, 5.0, begin=900 * (20 + journal.next_seq(self.store.db)))
        return super().tally(measurements, start, end)


def test_a_look_proves_what_was_taken_before_it_and_nothing_of_what_waits(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        said(store.db, *range(1, 11))
        database = Growing()
        database.store = store
        cursor = outbox.register(store.db, "db", "memory").cursor
        sender = Sender("db", database, store.reader(), cursor)
        assert sender.verify(1800) is None, "all waits: it is put off"
        seen = sender.verify(3600)
        assert seen is not None
        assert (seen.found, seen.seq) == ((), 0), "for an hour: nothing is held against it, and nothing proved"
        done = sender.step()
        assert done is not None
        last = journal.next_seq(store.db) - 1
        while sender.step() is not None:
            last = journal.next_seq(store.db) - 1
        seen = sender.verify(2 * DAY)
        assert seen is not None
        assert (seen.found, seen.seq) == ((), last), "what came meanwhile is not part of it"
        assert journal.next_seq(store.db) - 1 > last
        record_delivery(store.db, seen, 2 * DAY)
        outbox.forget_proved(store, ["db"])
        assert journal.forgotten(store.db) == 0, "the owner has not recorded yet that it was taken"
        outbox.record_delivered(store.db, "db", last, last, 0)
        outbox.forget_proved(store, ["db"])
        assert journal.forgotten(store.db) == last
        while sender.step() is not None:
            pass
        database.rows.popitem()
        seen = sender.verify(4 * DAY)
        assert seen is not None
        assert len(seen.found) == 1, "what is lost is seen although more of the same comes meanwhile"
        sender.close()


def test_a_sink_that_is_being_filled_is_not_held_against(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        said(store.db, *range(1, 11))
        outbox.forget_proved(store, [])
        outbox.register(store.db, "db", "memory")
        assert outbox.has_replays(store.db, "db")
        assert not list(differences(store.db, Database(), "db", all_periods(store.db), DAY))  # type: ignore[arg-type]
        assert outbox.to_send_again(store.db, "db") == 10


def test_a_sink_that_cannot_be_read_does_not_keep_the_journal_for_ever(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        said(store.db, *range(10))
        outbox.register(store.db, "db", "one")
        outbox.record_delivered(store.db, "db", 8, 8, 0)
        outbox.save_verification(store.db, "db", Verified(at=5, error="the token may not read"))
        outbox.forget_proved(store, ["db"])
        assert journal.forgotten(store.db) == 8


moments = st.lists(
    st.tuples(st.integers(1, 2), st.sampled_from([0, 900, 1800, 10 * DAY, 10 * DAY + 900]), st.floats(0, 3))
)


@given(st.lists(moments, max_size=5), st.integers(0, 12), st.integers(0, 12), st.integers(1, 5))
def test_all_that_changed_is_told_once_in_order(
    commits: list[list[tuple[int, int, float]]], cursor: int, forgotten: int, limit: int
) -> None:
    with closing(in_memory()) as db:
        for many in commits:
            archive.upsert(db, [Point("energy", (("system", str(of)),), at, {"wh": wh}) for of, at, wh in many])
        rows = db.execute("SELECT series, time, seq FROM points ORDER BY seq").fetchall()
        journal.forget(db, forgotten)
        wanted = [row for row in rows if row[2] > max(cursor, forgotten)]
        cursor = max(cursor, journal.forgotten(db))
        told = journal.changes(db, cursor, limit)
        assert [(series, time, seq) for series, time, _, seq in told] == wanted[:limit]
        assert journal.backlog(db, cursor) == len(wanted)
        days = journal.changed_days(db, cursor)
        assert days is not None
        assert days >= {time // DAY for _, time, _ in wanted}
        assert len(journal.changed_since(db, cursor)) == len({series for series, *_ in wanted})


def test_rows_between_those_that_changed_are_not_told_again(db: sqlite3.Connection) -> None:
    said(db, 1.0, 2.0, 3.0, 4.0)
    said(db, 9.0, 2.0, 3.0, 9.0)
    assert [time for _, time, _, _ in journal.changes(db, 4, 9)] == [0, 2700]
    assert journal.backlog(db, 4) == 2


def test_where_one_interval_a_day_changed_the_others_are_not_looked_at(db: sqlite3.Connection) -> None:
    said(db, *range(3 * 96))
    said(db, *(-1.0 if at % 96 == 0 else float(at) for at in range(3 * 96)))
    found = db.execute("SELECT first, last FROM runs ORDER BY seq").fetchall()
    assert found == [(0, 900 * (3 * 96 - 1)), (0, 0), (DAY, DAY), (2 * DAY, 2 * DAY)]


def test_the_journal_of_a_thousand_intervals_is_one_row(db: sqlite3.Connection) -> None:
    said(db, *range(1000))
    assert db.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    assert [row[3] for row in journal.changes(db, 500, 3)] == [501, 502, 503]


def test_who_has_taken_a_part_of_much_does_not_pass_by_all_of_it_again(db: sqlite3.Connection) -> None:
    rows = 2 * journal.LONGEST_RUN + 1
    said(db, *range(rows))
    runs = db.execute("SELECT seq, until FROM runs").fetchall()
    assert [until - seq + 1 for seq, until in runs] == [journal.LONGEST_RUN, journal.LONGEST_RUN, 1]
    assert [row[3] for row in journal.changes(db, journal.LONGEST_RUN - 1, rows)] == [*range(runs[0][1], rows + 1)]
