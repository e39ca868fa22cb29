"""What a report asks of every system at once is what the archive says of each."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.core.audit import Total
from ingest.core.point import Point, Value
from ingest.store import archive, daily_totals, overview
from ingest.store.database import Store

QUARTER = 900
ODD: tuple[dict[str, Value], ...] = (
    {"produced_wh": 80.5, "consumed_wh": 3.0},
    {"produced_wh": 4.0, "consumed_wh": -3.25},
    {"consumed_wh": 3.0},
    {"date": "2026-07-01, a:b;c", "produced_wh": 7.0},
    {"date": "1:\n0:", "produced_wh": 1e-7},
    {"date": "2026-07-01", "produced_wh": 5.0},
    {},
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path, own=True)
    yield made
    made.close()


@pytest.mark.parametrize("kinds", [ODD[:1], ODD[:2], ODD[:3], ODD[3:4], ODD[4:5], ODD[5:6], ODD])
def test_a_sum_is_that_of_the_numbers_of_each_system(store: Store, kinds: tuple[dict[str, Value], ...]) -> None:
    chance = random.Random(len(kinds))
    begins = {str(number): QUARTER * chance.randrange(20) for number in range(1, 9)}
    with store.transaction() as db:
        for system in begins:
            for at in range(0, 40 * QUARTER, QUARTER):
                archive.upsert(db, [Point("energy", (("system", system),), at, chance.choice(kinds) or {"old": 1.0})])
    end = 30 * QUARTER
    found = overview.sums_since(store.db, "energy", "produced_wh", begins, end)
    numbers = {
        system: archive.numbers(store.db, "energy", system, "produced_wh", begin, end)
        for system, begin in begins.items()
    }
    assert found == {system: sum(held.values()) for system, held in numbers.items() if held}
    assert overview.sums_since(store.db, "energy", "not_there", begins, end) == {}


def test_days_that_do_not_add_up_are_found_without_looking_at_the_others(store: Store) -> None:
    steps: list[int] = []
    for days in (range(1, 10), range(10, 1000)):
        with store.transaction() as db:
            daily_totals.save(
                db, {("1", "production", f"{day:05}"): Total(5.0, held=4.0 if day == 1 else None) for day in days}
            )
        many: list[int] = []
        store.db.set_progress_handler(lambda: many.append(1), 1)  # noqa: B023 - called in this turn alone
        assert [found.day for found in daily_totals.differences(store.db, ["1", "2"])] == ["00001"]
        store.db.set_progress_handler(None, 1)
        steps.append(len(many))
    assert steps[0] == steps[1]
