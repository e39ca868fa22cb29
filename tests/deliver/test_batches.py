"""While a batch is on its way the next one is made; what is sent last of a row is what it says now."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest.core.point import Point
from ingest.deliver import sender as sending
from ingest.deliver.sender import Sender, record_delivery
from ingest.store import archive, journal, outbox
from ingest.store.archive import Filter
from ingest.store.database import Store
from tests.world import Database

SIZE, ROWS = 4, 10


class Waiting(Database):
    """A database that does something while it has a batch."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    def write(self, lines: Sequence[str]) -> int:
        self.meanwhile()
        return super().write(lines)


def say(store: Store, value: float, *numbers: int) -> None:
    with store.transaction() as db:
        archive.upsert(db, [Point("energy", (("system", "1"),), 900 * n, {"wh": value}) for n in numbers])


def watched(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> threading.Semaphore:
    """Counts the calls of a function, once each has ended."""
    ended, before = threading.Semaphore(0), getattr(module, name)

    def call(*args: Any) -> Any:
        found = before(*args)
        ended.release()
        return found

    monkeypatch.setattr(module, name, call)
    return ended


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(sending, "BATCH", SIZE)
    with closing(Store(tmp_path, own=True)) as made:
        outbox.register(made.db, "db", "memory")
        say(made, 1.0, *range(ROWS))
        yield made


def send_all(store: Store, database: Database) -> list[str]:
    """Send until nothing is left; returns why the database, or the archive, failed meanwhile."""
    row = outbox.sink(store.db, "db")
    assert row is not None
    with closing(Sender("db", database, store.reader(), row.cursor)) as sender:
        errors = []
        while (done := sender.step()) is not None:
            errors += [done.error] if done.error else []
            with store.transaction() as db:
                record_delivery(db, done, 0)
    return errors


def test_the_next_batch_is_read_while_one_is_sent(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read, database = watched(monkeypatch, journal, "changes"), Waiting()
    new_reads, seen = iter((2, 1, 0)), list[bool]()
    database.meanwhile = lambda: seen.extend(read.acquire(timeout=5) for _ in range(next(new_reads)))
    assert send_all(store, database) == []
    assert seen == [True, True, True]
    assert (len(database.rows), database.writes) == (ROWS, ROWS)


def test_what_changes_while_a_replay_has_its_row_in_hand_is_sent_last(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Waiting()
    assert send_all(store, database) == []
    with store.transaction() as db:
        outbox.ask_replay(db, "db", Filter())
    read, written, in_hand = watched(monkeypatch, archive, "after"), database.writes, list[bool]()

    def change_what_comes_next() -> None:
        if database.writes == written:
            in_hand.extend(read.acquire(timeout=5) for _ in range(2))
            say(store, 2.0, SIZE)

    database.meanwhile = change_what_comes_next
    assert (send_all(store, database), in_hand) == ([], [True, True])
    values = {time // 900: fields["wh"] for (_, _, time), fields in database.rows.items()}
    assert values == dict.fromkeys(range(ROWS), 1.0) | {SIZE: 2.0}


def test_an_archive_that_cannot_be_read_ahead_costs_no_batch_and_no_row(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, before = [0], journal.changes

    def changes(*args: Any) -> list[journal.Row]:
        reads[0] += 1
        if reads[0] == 2:
            raise sqlite3.OperationalError("disk I/O error")
        return before(*args)

    monkeypatch.setattr(journal, "changes", changes)
    database = Database()
    (error,) = send_all(store, database)
    assert "disk I/O error" in error
    assert len(database.rows) == ROWS
