"""What a runner has at hand says the same as what is read of the state; each system's day begins in its own zone."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ingest.core.days import local_midnight
from ingest.report import build_report
from ingest.report.quarters import of_span
from tests.world import DAY, HOUR, World
from tests.worlds import SITE

EAST, WEST = "Pacific/Auckland", "Pacific/Honolulu"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two systems whose days begin at other hours, through a day on which the cloud failed now and then."""
    sites = [replace(SITE, system_id=number, timezone=zone) for number, zone in ((1, EAST), (2, WEST))]
    made = World(tmp_path_factory.mktemp("zones"), sites)
    made.cloud.faults.error_5xx = 0.2
    made.run(DAY + 9 * HOUR)
    yield made
    made.end()


def test_today_is_that_of_each_system(world: World) -> None:
    now, db = int(world.time.true), world.store.db
    report = build_report(world.settings, db, now)
    assert {system.timezone for system in report.systems} == {EAST, WEST}
    for system in report.systems:
        today = of_span(db, system.system, local_midnight(now, system.timezone), now).get("produced_wh")
        since = of_span(db, system.system, now - 3 * DAY, now)["produced_wh"]
        assert system.today_wh == (None if today is None else pytest.approx(today))
        assert system.today_wh is None or system.today_wh < since


def test_a_runner_says_what_its_state_says(world: World) -> None:
    now, db, inventory = int(world.time.true), world.store.db, world.pipeline.inventory
    read = build_report(world.settings, db, now)
    at_hand = build_report(world.settings, db, now, inventory=inventory.frozen())
    assert replace(at_hand, disk_free=read.disk_free).document() == read.document()
