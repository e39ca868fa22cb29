"""A plant that has lost a string is named by the report, from the archive alone."""

import math
from pathlib import Path

import pytest

from ingest.core.point import Point
from ingest.report import report
from ingest.service.underperformance import look
from ingest.store import archive
from tests.world import DAY, START, Time, World
from tests.worlds import HOME

NOW = START + 12 * 3600
TAGS = (("system", str(HOME.system_id)),)
MIDNIGHT = START - 2 * 3600
"""Berlin's."""


def known(folder: Path, share: float) -> World:
    """Two years of days, and three weeks of clear ones of which the plant makes a `share`."""
    made = World(folder, [HOME], time=Time(NOW))
    made.run(600)
    points = []
    for back in range(1, 800):
        at = MIDNIGHT - back * DAY
        wh = 30_000.0 * (share if back <= 21 else 1.0) * (1.0 if back <= 21 or back % 3 == 0 else 0.5)
        points.append(Point("energy_daily", TAGS, at, {"produced_wh": wh}))
    for back in range(1, 22):
        for quarter in range(60):
            height = share * 780 * math.sin(math.pi * quarter / 60)
            points.append(
                Point("energy", TAGS, MIDNIGHT - back * DAY + 18_000 + 900 * quarter, {"produced_wh": height})
            )
    with made.store.transaction() as db:
        archive.upsert(db, points)
    return made


@pytest.mark.parametrize(("share", "told"), [(0.7, "30%"), (1.0, "")])
def test_a_lost_string_is_named_once_a_day(tmp_path: Path, share: float, told: str) -> None:
    made = known(tmp_path, share)
    systems = made.pipeline.inventory.systems
    assert look(made.store, systems, NOW) == 1
    assert look(made.store, systems, NOW + 3600) == 0, "once a day"
    current = report(made.settings, made.store.db, NOW)
    found = [problem.sentence for problem in current.problems if problem.kind == "behind"]
    assert bool(found) == bool(told)
    if told:
        assert found[0].startswith(f"House made {told} less than its own clear days of this season on ")
        assert found[0].endswith("June, which were clear")
    made.end()
