"""A plant that has lost a string is named by the report, from the archive alone."""

from pathlib import Path

import pytest

from ingest.report import build_report
from ingest.service.underperformance import look
from tests.world import START, Time, World
from tests.worlds import HOME, clear_days

NOW = START + 12 * 3600


def known(folder: Path, share: float) -> World:
    """Two years of days, and three weeks of clear ones of which the plant makes a `share`."""
    made = World(folder, [HOME], time=Time(NOW))
    made.run(600)
    clear_days(made.store, HOME, NOW, share)
    return made


@pytest.mark.parametrize(("share", "told"), [(0.7, "30%"), (1.0, "")])
def test_a_lost_string_is_named_once_a_day(tmp_path: Path, share: float, told: str) -> None:
    made = known(tmp_path, share)
    systems = made.pipeline.inventory.systems
    assert look(made.store, systems, NOW) == 1
    assert look(made.store, systems, NOW + 3600) == 0, "once a day"
    current = build_report(made.settings, made.store.db, NOW)
    found = [problem.sentence for problem in current.problems if problem.kind == "behind"]
    assert bool(found) == bool(told)
    if told:
        assert found[0].startswith(f"House made {told} less than its own clear days of this season on ")
        assert found[0].endswith("June, which were clear")
    made.end()
