"""How much of a plant has come back, and how long the rest will take."""

from pathlib import Path

import pytest

from ingest.core.point import Point
from ingest.report.worth import payback, worth
from ingest.store import archive
from ingest.store.database import Store
from tests.world import DAY, START


@pytest.mark.parametrize(
    ("days", "hours", "a_year", "years_left"),
    [
        (29, 24.0, None, None),
        (100, 24.0, 730.0, (1000 - 200) / 730),
        (100, 18.0, 730.0 * 4 / 3, (1000 - 200) / (730 * 4 / 3)),
        (400, 24.0, 730.0, (1000 - 800) / 730),
        (600, 24.0, 730.0, 0.0),
    ],
    ids=["too young", "a hundred days", "with holes", "more than a year", "paid for"],
)
def test_payback(tmp_path: Path, days: int, hours: float, a_year: float | None, years_left: float | None) -> None:
    """Two a day, of which holes take nothing: the pace is that of the hours which are known of the last year."""
    store = Store(tmp_path, own=True)
    tags = (("system", "1"),)
    fields = {"cost": 0.5, "earned": 0.75, "saved": 1.25, "hours": hours}
    with store.transaction() as db:
        archive.upsert(db, [Point("money_daily", tags, START - at * DAY, fields) for at in range(1, days + 1)])
    found = payback(store.db, "1", 1000.0, START)
    assert found is not None
    assert found.returned == 2 * days
    assert found.since == START - days * DAY
    assert found.a_year == (None if a_year is None else pytest.approx(a_year))
    assert found.years_left == (None if years_left is None else pytest.approx(years_left))
    last = worth(store.db, "1", START - 10 * DAY, START)
    assert (last.brought, last.without, last.hours) == (20.0, 10 * 1.75, 10 * hours)
    assert payback(store.db, "2", 1000.0, START) is None
    store.close()
