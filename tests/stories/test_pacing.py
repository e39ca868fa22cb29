"""Calls where they are of use: after uploads, by day, where there is a meter, within what others leave of the plan."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ingest.simulator import Site
from ingest.simulator.users import enlighten_id
from ingest.store import meta as kept
from ingest.store import progress
from tests import freshness
from tests.stories.test_convergence import check_quota, differences
from tests.world import BRISK, DAY, HOUR, START, Time, World

WEEK = 7 * DAY
INTERVALS = ("/production_micro", "/rgm_stats", "/consumption_meter")


def house(number: int = 1, **changes: Any) -> Site:
    plain = Site(number, f"House {number}", "US/Pacific", 37.0, -122.0, 6000, 20, START - 800 * DAY)
    return replace(plain, **changes)


def live(world: World, endpoint: str, since: float = 0) -> list[float]:
    return [call.at for call in world.cloud.calls if call.path.endswith(endpoint) and call.at >= since]


# ── uploads and nights ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("plan", "upload_every", "vain"),
    [
        pytest.param("watt", 900, 0.05, id="watt"),
        pytest.param("watt", 6 * HOUR, 0.25, id="watt by radio", marks=pytest.mark.long),
        pytest.param("kilowatt", 900, 0.10, id="kilowatt"),
        pytest.param("kilowatt", 6 * HOUR, 0.25, id="kilowatt by radio"),
    ],
)
def test_the_newest_interval_is_as_young_as_its_number_of_calls_can_make_it(
    plan: str, upload_every: int, vain: float, tmp_path: Path
) -> None:
    world = World(tmp_path, [house(upload_every=upload_every)], api={"plan": plan})
    world.run(2 * DAY)
    useful = freshness.watch(world)
    days = 1 if (plan, upload_every) == ("kilowatt", 900) else 4
    world.run(days * DAY)
    assert freshness.ratio(world, START + 2 * DAY, START + (2 + days) * DAY) <= 1.10
    assert useful.share <= vain


def test_production_streams_rest_at_night_but_for_the_call_that_closes_the_day(tmp_path: Path) -> None:
    world = World(tmp_path, [house()], api={"plan": "kilowatt"}, streams={"stats": {"every": "30m"}})
    world.run(3 * DAY)
    days = freshness.awake(world.cloud, 1, "rgm_stats", START + 9 * HOUR, START + 3 * DAY + 9 * HOUR)
    assert len(days) == 3
    for (_, dusk), (dawn, _) in pairwise(days):
        asked = {name: [at for at in live(world, name) if dusk + 900 < at < dawn - 900] for name in freshness.GRAIN}
        assert max(len(asked[name]) for name in freshness.SLEEPERS) <= 1
        assert len(asked["consumption_meter"]) > 20


def test_a_system_without_sun_in_its_past_is_always_awake(tmp_path: Path) -> None:
    world = World(tmp_path, [house(operational_at=START)], api={"plan": "kilowatt"}, systems=[{"id": 1, "since": "1d"}])
    world.run(5 * HOUR)
    assert len(live(world, "production_micro")) >= 15
    assert len(live(world, "devices")) == 1


# ── gateways that fall silent ─────────────────────────────────────────────────────────────────────────


def test_a_gateway_by_radio_is_not_taken_for_silent(tmp_path: Path) -> None:
    world = World(tmp_path, [house(upload_every=6 * HOUR)], api={"plan": "kilowatt"})
    world.run(5 * DAY)
    row = progress.system(world.store.db, "1")
    assert row is not None
    assert row.profile.rhythm.period == 6 * HOUR
    assert len(live(world, "consumption_meter", START + 3 * DAY)) <= 2 * 5


@pytest.mark.parametrize("upload_every", [pytest.param(900, marks=pytest.mark.long), 6 * HOUR])
def test_when_a_silent_gateway_speaks_again_all_its_streams_are_asked(upload_every: int, tmp_path: Path) -> None:
    back = START + 4 * DAY + 20 * HOUR
    site = house(upload_every=upload_every, offline=((START + 2 * DAY, back),))
    world = World(tmp_path, [site], api={"plan": BRISK})
    world.run(8 * DAY)
    quiet = [at for at in live(world, "consumption_meter") if START + 3 * DAY < at < back]
    probes = Counter(call.path for call in world.cloud.calls if START + 3 * DAY < call.at < back and "/1/" in call.path)
    assert len(quiet) <= 10, probes
    heard = next(seen for seen, told in progress.log_of(world.store.db, "1") if told >= back)
    for endpoint in ("production_micro", "rgm_stats", "consumption_meter"):
        assert any(heard - 60 <= at <= heard + 120 for at in live(world, endpoint)), endpoint
    assert differences(world, site, START, START + 7 * DAY) == []


# ── meters that do not exist ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("version", ["v4", "v2"])
def test_a_meter_that_does_not_exist_costs_next_to_nothing(version: str, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"api": {"plan": "watt", "version": version}, "systems": [{"id": 1, "since": "20d"}]}
    if version == "v2":
        changes["accounts"] = {"home": {"enlighten_id": 1}}
        changes["accounts"] = {"home": {"enlighten_id": enlighten_id("owner")}}
    world = World(tmp_path, [house(meter=False, consumption_meter=False)], **changes)
    world.run(11 * DAY)
    for endpoint in ("rgm_stats", "production_meter_readings", "consumption_meter", "consumption_stats"):
        assert len(live(world, endpoint)) <= 4, endpoint
    assert len(live(world, "devices") + live(world, "inventory")) <= 3
    pair = progress.pair(world.store.db, "1", "consumption")
    assert pair.state == "no_meter"
    assert "no consumption meter" in pair.reason


def test_a_meter_that_is_added_is_found_within_a_week(tmp_path: Path) -> None:
    world = World(tmp_path, [house(consumption_meter=False, upload_every=6 * HOUR)])
    world.run(2 * DAY)
    assert progress.pair(world.store.db, "1", "consumption").state == "no_meter"
    world.cloud.put(house(upload_every=6 * HOUR))
    world.run(8 * DAY)
    assert progress.pair(world.store.db, "1", "consumption").state == ""
    assert len(live(world, "consumption_meter", START + 9 * DAY)) > 2


# ── a key that others use too ─────────────────────────────────────────────────────────────────────────


def test_a_month_used_up_by_others_is_not_hammered(tmp_path: Path) -> None:
    start = START + 20 * DAY

    def others(at: float) -> int:
        return 0 if at < start + 3 * DAY else 1000 if at < START + 31 * DAY else 100

    world = World(tmp_path, [house(upload_every=6 * HOUR)], time=Time(start), cloud={"other_tools": others})
    world.run(12 * DAY)
    refused = [call for call in world.cloud.calls if call.status == 429]
    assert 1 <= len(refused) <= 5, len(refused)
    assert live(world, "consumption_meter", START + 31 * DAY), "the next month begins as if nothing had been"


def test_a_month_used_up_by_others_without_a_word_is_asked_about_ever_less(tmp_path: Path) -> None:
    cloud = {"other_tools": lambda at: 1000 if at > START + 2 * DAY else 0, "quota_form": "without_period"}
    world = World(tmp_path, [house(upload_every=6 * HOUR)], cloud=cloud)
    world.run(8 * DAY)
    refused = [call for call in world.cloud.calls if call.status == 429]
    assert 1 <= len(refused) <= 9 + 4 * 6


def test_a_minute_shared_with_others_is_used_less_for_a_while(tmp_path: Path) -> None:
    world = World(tmp_path, [house()])
    pipeline = world.pipeline
    world.cloud.faults.throttle = 0.5
    world.run(600)
    assert 1 <= pipeline.breaker.plan(pipeline.plan, pipeline.clock.now()).per_minute < 10
    world.cloud.faults.throttle = 0.0
    world.run(5 * HOUR)
    assert pipeline.breaker.plan(pipeline.plan, pipeline.clock.now()).per_minute == 10


def test_a_month_is_spent_evenly_to_its_last_day_and_the_reserve_never(tmp_path: Path) -> None:
    world = World(tmp_path, [house(upload_every=6 * HOUR)], api={"plan": {"per_minute": 10, "per_month": 500}})
    world.run(31 * DAY)
    live = [call for call in world.cloud.calls if call.path.endswith(INTERVALS)]  # the others come once a week
    days = Counter(int((call.at - START) // DAY) for call in live)
    tokens = 31 * 1.25
    assert 430 <= len(world.cloud.calls) + tokens <= 452
    usual = sorted(days.values())[len(days) // 2]
    assert all(0.6 * usual <= days[day] <= 1.5 * usual for day in range(3, 31)), days
    check_quota(world.cloud, 10, 500)


# ── windows ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.each_value
@pytest.mark.parametrize("echo", [False, True], ids=["cut echo", "bold echo"])
@pytest.mark.parametrize("honoured", [False, True], ids=["a day", "a week"])
def test_how_long_a_window_the_cloud_honours_is_tried_once(honoured: bool, echo: bool, tmp_path: Path) -> None:  # noqa: FBT001
    site = house(night_rows=False)
    options = {"micro_week": honoured, "micro_week_echo": echo}
    world = World(tmp_path, [site], systems=[{"id": 1, "since": "60d"}], api={"plan": "kilowatt"}, cloud=options)
    world.run(HOUR * 2)
    asked = [call.params for call in world.cloud.calls if call.path.endswith("production_micro")]
    weeks = [params for params in asked if params["granularity"] == "week"]
    assert kept.read(world.store.db, "reach.stats") == str(WEEK if honoured else DAY)
    assert (len(weeks) > 5) is honoured
    assert len(weeks) == 2 or honoured  # what one reply shows is confirmed by a second
    assert differences(world, site, START - 60 * DAY + HOUR, START - DAY) == []
    assert len(live(world, "production_micro")) <= (9 + 10 if honoured else 62 + 10)
