"""Days that were cut in another zone and stayed so: each bar of the page is that of its own day."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from ingest.core.days import midnight, zone
from ingest.core.point import Point
from ingest.store import archive
from ingest.store.database import Store
from ingest.web.energy import bars
from ingest.web.view import View

FIRST, TODAY = date(2026, 8, 1), date(2026, 12, 15)
TAGS = (("system", "1"),)
DAYS = [FIRST + timedelta(days=number) for number in range((TODAY - FIRST).days)]
WORTH = {day: float(number + 1) for number, day in enumerate(DAYS)}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Days of Berlin, whose clocks go back in between."""
    made = Store(tmp_path_factory.mktemp("days") / "state", own=True)
    with made.transaction() as db:
        for day in DAYS:
            at, named = midnight(day, zone("Europe/Berlin")), {"date": day.isoformat()}
            rows = ("energy_daily", "produced_wh"), ("money_daily", "earned")
            archive.upsert(db, [Point(name, TAGS, at, {field: WORTH[day], **named}) for name, field in rows])
    yield made
    made.close()


@pytest.mark.parametrize("timezone", ["Europe/Berlin", "America/New_York", "America/Los_Angeles", "Asia/Tokyo"])
@pytest.mark.parametrize("span", ["month", "30d"])
def test_each_bar_is_its_own_day(store: Store, timezone: str, span: str) -> None:
    found = bars(store.db, timezone, View("1", TODAY, date(2026, 10, 31), 1, span, 0), midnight(TODAY, zone(timezone)))
    expected = {bar.key: WORTH[date.fromisoformat(bar.key)] for bar in found}
    assert len(expected) in (30, 31)
    assert {bar.key: bar.flows.get("produced_wh") for bar in found} == expected
    assert {bar.key: bar.brought for bar in found} == expected


@pytest.mark.parametrize("timezone", ["Europe/Berlin", "America/Los_Angeles"])
def test_all_begins_with_the_first_day(store: Store, timezone: str) -> None:
    (bar,) = bars(store.db, timezone, View("1", TODAY, TODAY, 1, "all", 0), midnight(TODAY, zone(timezone)))
    assert (bar.ended, bar.note) == (len(DAYS), "")
    assert bar.flows["produced_wh"] == bar.brought == sum(WORTH.values())
