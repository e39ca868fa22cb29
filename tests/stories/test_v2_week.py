"""The retired dialect, end to end: a week of `version: v2`."""

from dataclasses import replace
from pathlib import Path

import pytest

from ingest.simulator import Site, enlighten_id, v2_code
from tests.stories.test_convergence import check_energy, check_quota, differences, extra
from tests.world import DAY, HOUR, START, World

HOUSE = Site(
    system_id=67,
    name="Old House",
    timezone="US/Pacific",
    latitude=37.0,
    longitude=-122.0,
    size_w=4800,
    modules=16,
    operational_at=START - 200 * DAY,
    late=0.2,
    partial=0.2,
)
SLEEPY = replace(
    HOUSE, system_id=68, timezone="Europe/Berlin", meter=False, offline=((START + DAY, START + 2 * DAY),), late=0.0
)
NUMBER = enlighten_id("owner")
LOGINS = [pytest.param({"enlighten_id": NUMBER}, 7, marks=pytest.mark.long), ({"user_id": v2_code(NUMBER)}, 1)]


@pytest.mark.parametrize(("account", "days"), LOGINS)
def test_a_week_of_v2_equals_the_sun(tmp_path: Path, account: dict[str, object], days: int) -> None:
    api = {"version": "v2", "plan": {"per_minute": 10, "per_month": 3000}}
    systems = [{"id": site.system_id, "since": "21d"} for site in (HOUSE, SLEEPY)]
    world = World(tmp_path, [HOUSE, SLEEPY], api=api, accounts={"old": account}, systems=systems)
    world.run(days * DAY)
    until = int(world.time.true)
    world.run(3 * DAY)
    for site in (HOUSE, SLEEPY):
        since = START - 20 * DAY
        assert differences(world, site, since, until)[:3] == []
        assert extra(world, site, since, until)[:3] == []
        check_energy(world, site, since, until)
    check_quota(world.cloud, 10, 3000)
    assert {call.path.split("/")[2] for call in world.cloud.calls} == {"v2"}
    assert world.cloud.token_calls == []
    refused = [call for call in world.cloud.calls if call.status != 200]
    assert {call.status for call in refused} <= {422}
    assert len(refused) < len(world.cloud.calls) / 50
    world.end()


def test_v2_says_409_when_the_minute_is_used_up_and_we_wait(tmp_path: Path) -> None:
    world = World(tmp_path, [HOUSE], api={"version": "v2"}, accounts={"old": {"enlighten_id": NUMBER}})
    world.run(HOUR)
    world.cloud.faults.throttle = 1.0
    before = len(world.cloud.calls)
    world.run(DAY)
    refused = world.cloud.calls[before:]
    assert {call.status for call in refused} == {409}
    assert len(refused) <= 24 * 60, "asked again within the minute that was named"
    world.cloud.faults.throttle = 0.0
    until = int(world.time.true)
    world.run(5 * DAY)
    assert differences(world, HOUSE, START - 4 * DAY, until)[:3] == []
    world.end()


def test_without_the_key_of_v2_nothing_is_shown_and_the_pair_rests(tmp_path: Path) -> None:
    world = World(
        tmp_path, [HOUSE], api={"version": "v2", "key": "another"}, accounts={"old": {"enlighten_id": NUMBER}}
    )
    world.run(3 * DAY)
    assert {call.status for call in world.cloud.calls} == {401}
    assert len(world.cloud.calls) <= 3
    world.end()


def test_v1_is_read_by_the_same_names_below_api(tmp_path: Path) -> None:
    api = {"version": "v1", "plan": {"per_minute": 10, "per_month": 3000}}
    world = World(tmp_path, [HOUSE], api=api, accounts={"old": {"enlighten_id": NUMBER}})
    world.run(DAY)
    until = int(world.time.true)
    world.run(DAY)
    assert differences(world, HOUSE, START - 6 * DAY, until)[:3] == []
    assert extra(world, HOUSE, START - 6 * DAY, until)[:3] == []
    assert {call.path.split("/")[2] for call in world.cloud.calls} == {"systems"}
    assert world.cloud.token_calls == []
    world.end()
