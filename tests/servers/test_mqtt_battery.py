"""A home with a battery at a real mosquitto: every flow of the energy dashboard, and how full the battery is."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.mosquitto import Eye, Mosquitto
from tests.notify import home_assistant_rules as rules
from tests.servers.homely import STATE, Homely, configurations, entry
from tests.world import BRISK, DAY, HOUR, START, World
from tests.worlds import SITE

HOUSE = replace(SITE, battery_wh=10_000)
STREAMS = ["stats", "rgm_stats", "consumption", "grid_import", "grid_export", "battery"]
FLOWS = ("produced", "consumed", "imported", "exported", "charged", "discharged")


@pytest.fixture
def home(tmp_path: Path, broker: Mosquitto) -> Iterator[Homely]:
    systems = [{"id": HOUSE.system_id, "streams": STREAMS}]
    world = World(tmp_path, [HOUSE], mqtt=entry(broker), api={"plan": BRISK}, systems=systems)
    world.run(12 * HOUR)
    made = Homely(world)
    yield made
    made.stop()


def test_every_flow_and_the_charge_are_entities_that_the_dashboard_takes(home: Homely, eye: Eye) -> None:
    state = home.arrived(eye)
    found = {topic.split("/")[3]: config for topic, config in configurations(eye).items()}
    for topic, config in configurations(eye).items():
        rules.check(topic, config, state, STATE)
    for flow in FLOWS:
        for period in ("today", "lifetime"):
            config = found[f"{flow}_{period}_kwh"]
            assert config["device_class"] == "energy"
            assert config["state_class"] in rules.DASHBOARD["energy"]
    assert found["battery_percent"]["device_class"] == "battery"
    assert found["battery_percent"]["unit_of_measurement"] == "%"


def test_the_charge_is_the_newest_that_is_known(home: Homely, eye: Eye) -> None:
    percents = set()
    for _ in range(8):
        home.world.run(3 * HOUR)
        rows = home.world.rows("battery", HOUSE.system_id)
        assert home.arrived(eye)["battery_percent"] == rows[max(rows)]["soc_percent"]
        percents.add(rows[max(rows)]["soc_percent"])
    assert len(percents) > 2
    assert all(0 <= percent <= 100 for percent in percents)


def test_the_energies_of_the_battery_are_those_of_its_whole_life_and_never_go_back(home: Homely, eye: Eye) -> None:
    states = [home.arrived(eye)]
    for step in range(4 * 3):
        home.world.run(6 * HOUR)
        if step % 3 == 0:
            home.restart()
        states.append(home.arrived(eye))
    history = home.world.cloud.history(HOUSE.system_id)
    days = home.world.rows("energy_daily", HOUSE.system_id)
    today = max(days)
    for flow, stream in (("charged", "charge"), ("discharged", "discharge")):
        shown = [state[f"{flow}_lifetime_kwh"] for state in states]
        assert all(later >= earlier for earlier, later in pairwise(shown))
        truth = history.total(stream, HOUSE.operational_at, today) / 1000
        assert truth <= shown[-1] + 0.001
        assert shown[-1] - truth <= history.total(stream, today, int(home.world.time.true)) / 1000 + 0.001
        assert shown[-1] > shown[0] > history.total(stream, HOUSE.operational_at, START - 2 * DAY) / 1000
