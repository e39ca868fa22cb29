"""What the state keeps for the audit: totals by day, and coverage that is taken back."""

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.core.audit import Total
from ingest.core.span import Span
from ingest.store import daily_totals, migrations, progress
from tests.strategies import raw_spans, seconds, windows


def fresh() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrations.migrate(db)
    return db


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    made = fresh()
    yield made
    made.close()


@given(raw_spans, raw_spans, windows)
def test_uncovering_takes_a_span_out_of_every_age_class(young: list[Span], old: list[Span], hole: Span) -> None:
    db = fresh()
    for age, spans in ((1, young), (2, old)):
        for span in spans:
            progress.cover(db, "1", "stats", age, span)
            progress.cover(db, "1", "rgm_stats", age, span)
    progress.uncover(db, "1", "stats", hole)
    left = progress.coverage_of(db, "1", "stats")
    for age, spans in ((1, young), (2, old)):
        assert seconds(spans) - seconds([hole]) == seconds(left.get(age, ()))
        assert seconds(spans) == seconds(progress.coverage_of(db, "1", "rgm_stats").get(age, ()))
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
    daily_totals.save(db, "1", "production", {"2026-07-01": total})
    assert {"2026-07-01": total} == daily_totals.held(db, "1", "production", "2026-07-01")
    db.close()


def test_days_are_found_reopened_and_forgotten_by_date(db: sqlite3.Connection) -> None:
    days = [f"2026-07-0{number}" for number in range(1, 7)]
    daily_totals.save(db, "1", "production", {day: Total(1.0, open=False) for day in days})
    daily_totals.save(db, "2", "production", {days[0]: Total(1.0, open=False)})
    daily_totals.reopen(db, "1", "production", days[1], days[2])
    assert days[1:3] == [day for day, total in daily_totals.held(db, "1", "production", "").items() if total.open]
    assert days[2:4] == list(daily_totals.held(db, "1", "production", days[2], days[4]))
    daily_totals.forget(db, "1", "production", days[3])
    assert days[3:] == list(daily_totals.held(db, "1", "production", ""))
    daily_totals.clear(db, "1")
    assert {} == daily_totals.held(db, "1", "production", "")
    assert days[:1] == list(daily_totals.held(db, "2", "production", ""))


def test_differences_are_those_let_be_the_newest_first(db: sqlite3.Connection) -> None:
    told = {"2026-07-01": Total(9.0, held=5.0), "2026-07-03": Total(8.0, held=4.0), "2026-07-02": Total(7.0)}
    daily_totals.save(db, "1", "consumption", told)
    daily_totals.save(db, "2", "consumption", {"2026-07-02": Total(3.0, held=1.0)})
    assert ["2026-07-03", "2026-07-02", "2026-07-01"] == [found.day for found in daily_totals.differences(db)]
    assert [("1", "consumption", "2026-07-03", 8.0, 4.0), ("1", "consumption", "2026-07-01", 9.0, 5.0)] == [
        tuple(found) for found in daily_totals.differences(db, "1")
    ]
