"""`plan`, `status` and the runner divide the month alike: by one function, from the same settings and state."""

from pathlib import Path
from typing import Any

import pytest

from ingest.core.units import DAY, HOUR, MINUTE
from ingest.report.calls import outlook
from ingest.simulator import Site
from ingest.simulator.users import enlighten_id
from ingest.store import backfills
from ingest.store.backfills import BackfillRequest
from tests.world import START, Time, World


def _installation(folder: Path, accounts: int, version: str, day: int) -> World:
    """So many accounts of one system each, on the free plan."""
    names = ["home", *(f"owner{number}" for number in range(1, accounts))]
    owners = ["owner", *names[1:]]
    sites = [
        Site(100 + number, owner, "Europe/Berlin", 52.0, 13.0, 6000, 16, START - 100 * DAY, owner=owner)
        for number, owner in enumerate(owners)
    ]
    entries: dict[str, Any] = {name: {} for name in names}
    if version == "v2":
        entries = {name: {"enlighten_id": enlighten_id(owner)} for name, owner in zip(names, owners, strict=True)}
    return World(folder, sites, time=Time(START + (day - 1) * DAY), api={"version": version}, accounts=entries)


@pytest.mark.each_value
@pytest.mark.parametrize("day", [3, 25])
@pytest.mark.parametrize("version", ["v4", "v2"])
@pytest.mark.parametrize("accounts", [1, 5, 10])
def test_the_plan_shows_the_cadence_that_the_runner_keeps(
    accounts: int, version: str, day: int, tmp_path: Path
) -> None:
    world = _installation(tmp_path, accounts, version, day)
    world.run(2 * HOUR)
    with world.store.transaction() as db:
        backfills.ask(db, BackfillRequest(START - 90 * DAY), int(world.time.true))
    world.run(5 * MINUTE)
    now, pace = int(world.time.true), world.pipeline.pace
    works = world.pipeline.inventory.works(now)
    assert len({work.system for work in works if work.stream.grain}) == accounts
    assert pace.needs_history > 10
    shown = outlook(world.settings, works, world.store.db, now)
    kept = {work.stream.name: work.group.cadence(pace.factors) for work in works}
    assert {line.stream: line.this_month for line in shown.lines} == pytest.approx(kept, rel=0.02)
    assert shown.left == pytest.approx(pace.left, abs=2)
