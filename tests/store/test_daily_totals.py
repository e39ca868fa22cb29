"""What the state keeps for the audit: totals by day, and coverage that is taken back."""

import sqlite3
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.core.audit import Total
from ingest.core.span import union
from ingest.plan.coverage import Covered, Log
from ingest.store import daily_totals, migrations, progress
from tests.strategies import advances, raw_spans


def fresh() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrations.migrate(db)
    return db


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    made = fresh()
    yield made
    made.close()


reads = st.dictionaries(st.sampled_from([5, 20]), raw_spans.map(union))


@given(st.lists(advances(), max_size=4), st.randoms())
def test_a_log_is_read_as_it_was_written_in_whatever_order(logs: list[Log], chance: Random) -> None:
    db = fresh()
    entries = [(str(number), entry) for number, log in enumerate(logs) for entry in log]
    chance.shuffle(entries)
    for system, entry in entries:
        progress.save_log(db, system, (), [entry])
    assert progress.advances(db) == {str(number): log for number, log in enumerate(logs) if log}
    assert [progress.log_of(db, str(number)) for number in range(len(logs))] == logs


@given(reads, reads)
def test_coverage_is_replaced_by_writing_what_differs(old: Covered, new: Covered) -> None:
    db = fresh()
    progress.save_coverage(db, "1", "stats", {}, old)
    progress.save_coverage(db, "1", "rgm_stats", {}, old)
    progress.save_coverage(db, "1", "stats", old, new)
    assert {age: spans for age, spans in new.items() if spans} == progress.coverage(db).get(("1", "stats"), {})
    assert {age: spans for age, spans in old.items() if spans} == progress.coverage(db).get(("1", "rgm_stats"), {})
    db.close()


@given(
    final=st.booleans(),
    is_open=st.booleans(),
    changed=st.booleans(),
    times=st.integers(0, 9),
    held=st.none() | st.floats(0, 1e6),
)
def test_a_total_comes_back_as_it_was_kept(
    *, final: bool, is_open: bool, changed: bool, times: int, held: float | None
) -> None:
    db = fresh()
    total = Total(5.0, final, is_open, changed, times, times + 1, held)
    daily_totals.save(db, {("1", "production", "2026-07-01"): total})
    assert {("1", "production", "2026-07-01"): total} == daily_totals.of_system(db, "1")
    db.close()


def test_days_are_found_and_forgotten_by_date(db: sqlite3.Connection) -> None:
    days = [f"2026-07-0{number}" for number in range(1, 7)]
    daily_totals.save(db, {("1", "production", day): Total(1.0) for day in days})
    daily_totals.save(db, {("2", "production", days[0]): Total(1.0)})
    assert days[2:5] == [day for _, _, day in daily_totals.of_system(db, "1", days[2], days[4])]
    daily_totals.forget(db, "1", "production", days[3])
    assert days[3:] == [day for _, _, day in daily_totals.of_system(db, "1")]
    daily_totals.clear(db, "1")
    assert {} == daily_totals.of_system(db, "1")
    assert days[:1] == [day for _, _, day in daily_totals.of_system(db, "2")]


def test_differences_are_those_let_be_the_newest_first(db: sqlite3.Connection) -> None:
    told = {"2026-07-01": Total(9.0, held=5.0), "2026-07-03": Total(8.0, held=4.0), "2026-07-02": Total(7.0)}
    daily_totals.save(db, {("1", "consumption", day): total for day, total in told.items()})
    daily_totals.save(db, {("2", "consumption", "2026-07-02"): Total(3.0, held=1.0)})
    assert ["2026-07-03", "2026-07-02", "2026-07-01"] == [found.day for found in daily_totals.differences(db)]
    assert [("1", "consumption", "2026-07-03", 8.0, 4.0), ("1", "consumption", "2026-07-01", 9.0, 5.0)] == [
        tuple(found) for found in daily_totals.differences(db, ["1"])
    ]
