"""The situations of other tools' users, each with its right value, by the number of the case."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from ingest.core.http import Reply, Request
from ingest.report.problems import summary
from ingest.simulator import Site
from ingest.store import runner
from tests.stories.test_convergence import check_sums
from tests.stories.test_odd_data import DIALECTS, FIRST_V4, asks_for, edited, kinds, on_watt, told
from tests.world import DAY, HOUR, START, World
from tests.worlds import HOME, V2

BERLIN, PACIFIC = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Los_Angeles")
Edit = Callable[[Request, dict[str, Any], int], object]


def midnight(day: date, place: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=place).timestamp())


def energy(world: World, field: str, system: int = 8000) -> dict[int, float]:
    return {at: row[field] for at, row in world.rows("energy", system).items() if field in row}


def micro(world: World, site: Site, since: int, until: int) -> dict[int, float]:
    """Quarters of the microinverters' production."""
    sums: dict[int, float] = {}
    for row in world.cloud.truth(site.system_id, "stats", since, until):
        at = row["end_at"] - 300
        sums[at - at % 900] = sums.get(at - at % 900, 0.0) + row["enwh"]
    return sums


@pytest.mark.each_value
@pytest.mark.parametrize("names_source", [False, True], ids=["", "named"])
@pytest.mark.parametrize("changes", DIALECTS)
def test_case_6_a_meter_with_nothing_on_it_makes_no_production_zero(
    changes: dict[str, Any],
    names_source: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    def edit(request: Request, body: dict[str, Any], _: int) -> None:
        if asks_for(request, "rgm_stats"):
            body["total_devices"] = 0
            body["intervals"] = [row | {"wh_del": 0, "devices_reporting": 0} for row in body["intervals"]]
            body["meter_intervals"] = []
        if request.url.endswith("/summary"):
            body["source"] = "microinverters" if names_source else body["source"]

    world = World(tmp_path, [HOME], **changes)
    edited(world, edit)
    world.run(2 * DAY)
    sun = micro(world, HOME, START - 3 * DAY, START + DAY)
    made = energy(world, "produced_wh")
    assert sum(sun.values()) > 0
    assert {at: made.get(at) for at in sun} == sun
    daily = world.rows("energy_daily", 8000)[midnight(date(2026, 6, 30), BERLIN)]
    assert daily["produced_wh"] > 0
    check_sums(world, 8000)
    world.end()


@pytest.mark.each_value
@pytest.mark.parametrize("day", [1, 7])
@pytest.mark.parametrize("changes", DIALECTS)
def test_case_9_a_month_with_a_hole_is_the_sum_of_its_other_days(
    changes: dict[str, Any], day: int, tmp_path: Path
) -> None:
    begin = midnight(date(2026, 7, day), BERLIN)

    def edit(request: Request, body: dict[str, Any], _: int) -> None:
        if asks_for(request, "consumption"):
            body["intervals"] = [row for row in body["intervals"] if not begin < row["end_at"] <= begin + DAY]
        if request.url.endswith("/consumption_lifetime") and body.get("start_date"):
            index = (date(2026, 7, day) - date.fromisoformat(body["start_date"])).days
            if index < len(body["consumption"]):
                body["consumption"][index] = None

    world = World(tmp_path, [HOME], **changes)
    edited(world, edit)
    world.run(10 * DAY)
    july = next(row for row in world.rows("energy_monthly", 8000).values() if row["month"] == "2026-07")
    assert july["consumed_days"] == july["produced_days"] - 1 >= 7
    used = {at: row.get("consumed_wh") for at, row in world.rows("energy_daily", 8000).items()}
    assert used.get(begin) is None
    check_sums(world, 8000)
    world.end()


@pytest.mark.parametrize("changes", FIRST_V4)
def test_case_10_a_zone_that_is_corrected_moves_days_and_months(changes: dict[str, Any], tmp_path: Path) -> None:
    def edit(request: Request, body: dict[str, Any], now: int) -> None:
        if request.url.endswith("/systems") and now < START + 3 * DAY:
            for row in body["systems"]:
                row["timezone"] = PACIFIC.key

    world = World(tmp_path, [HOME], **on_watt(changes))
    edited(world, edit)
    world.run(3 * DAY)
    assert set(world.rows("energy_daily", 8000)) == {midnight(day_of(at, PACIFIC), PACIFIC) for at in _days(world)}
    world.run(4 * DAY)
    for measurement in ("energy_daily", "energy_monthly"):
        held = set(world.rows(measurement, 8000))
        assert held == {midnight(day_of(at, BERLIN), BERLIN) for at in held}, "one point a day"
        assert held == {key[2] for key in world.database.rows if key[0] == measurement}
    check_sums(world, 8000)
    world.end()


def day_of(at: int, place: ZoneInfo) -> date:
    return datetime.fromtimestamp(at, place).date()


def _days(world: World) -> set[int]:
    return set(world.rows("energy_daily", 8000))


@pytest.mark.parametrize("changes", FIRST_V4)
def test_case_11_a_zone_that_becomes_known_moves_days_too(
    changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(name: str) -> ZoneInfo:
        if name == BERLIN.key:
            raise ZoneInfoNotFoundError(name)
        return ZoneInfo(name)

    monkeypatch.setattr("ingest.core.days.ZoneInfo", lacking)
    world = World(tmp_path, [HOME], **on_watt(changes))
    world.run(2 * DAY)
    assert "zone" in kinds(world)
    monkeypatch.setattr("ingest.core.days.ZoneInfo", ZoneInfo)
    world.crash()
    world.run(3 * DAY)
    held = set(world.rows("energy_daily", 8000))
    assert held == {midnight(day_of(at, BERLIN), BERLIN) for at in held}
    assert held == {key[2] for key in world.database.rows if key[0] == "energy_daily"}
    assert "zone" not in kinds(world)
    check_sums(world, 8000)
    world.end()


@pytest.mark.parametrize("changes", FIRST_V4)
def test_case_12_a_month_is_always_the_sum_of_its_days(changes: dict[str, Any], tmp_path: Path) -> None:
    world = World(tmp_path, [HOME], **changes)
    for _ in range(12):
        world.run(12 * HOUR)
        check_sums(world, 8000)
    world.end()


@pytest.mark.parametrize("changes", FIRST_V4)
def test_case_13_a_total_of_0_never_beats_a_day_that_was_read(changes: dict[str, Any], tmp_path: Path) -> None:
    day = date(2026, 7, 2)
    begin = midnight(day, BERLIN)

    def edit(request: Request, body: dict[str, Any], _: int) -> None:
        if request.url.endswith("/energy_lifetime") and body.get("start_date"):
            index = (day - date.fromisoformat(body["start_date"])).days
            for key in ("production", "meter_production"):
                if key in body and index < len(body[key]):
                    body[key][index] = 0

    world = World(tmp_path, [HOME], **on_watt(changes))
    edited(world, edit)
    world.run(9 * DAY)
    row = world.rows("energy_daily", 8000)[begin]
    made = [value for at, value in energy(world, "produced_wh").items() if begin <= at < begin + DAY]
    assert row["produced_wh"] == pytest.approx(sum(made))
    assert row["produced_wh"] >= row["self_consumed_wh"] > 0
    (system,) = told(world).systems
    assert day.isoformat() in {each.day for each in system.differences}
    check_sums(world, 8000)
    world.end()


@pytest.mark.parametrize("changes", DIALECTS)
def test_case_14_what_no_system_of_that_size_can_make_counts_nowhere(changes: dict[str, Any], tmp_path: Path) -> None:
    noon = START + DAY + 12 * HOUR

    def edit(request: Request, body: dict[str, Any], _: int) -> None:
        if asks_for(request, "rgm_stats"):
            for row in body["intervals"]:
                if row["end_at"] == noon:
                    row["wh_del"] = 1.5e16

    world = World(tmp_path, [HOME], **changes)
    edited(world, edit)
    world.run(3 * DAY)
    assert world.rows("production_rgm", 8000)[noon - 900]["energy_wh"] == 1.5e16
    assert max(energy(world, "produced_wh").values()) < 6000
    assert max(row.get("produced_wh", 0.0) for row in world.rows("energy_daily", 8000).values()) < 1e5
    assert "odd" in kinds(world)
    assert not summary(told(world)).startswith("All is well")
    check_sums(world, 8000)
    world.end()


FORBIDDEN = {"message": "Forbidden", "details": "Not authorized to access this resource"}
NOT_FOUND = {"message": "Not Found", "details": "System not found for {:id=>8000}"}
REFUSALS = [
    pytest.param({}, 403, FORBIDDEN, "owner", id="v4-403"),
    pytest.param({}, 404, NOT_FOUND, "no such system", id="v4-404"),
    pytest.param({}, 501, {"message": "Not Implemented", "details": "501"}, "refuse", id="v4-501"),
    pytest.param(V2, 401, {"reason": 401, "message": ["Not authorized to access requested resource."]},
                 "owner", id="v2-401"),
    pytest.param(V2, 403, FORBIDDEN, "owner", id="v2-403"),
    pytest.param(V2, 404, {"reason": 404, "errorMessages": ["System not found"]}, "no such system", id="v2-404"),
    pytest.param(V2, 501, {"reason": "501", "message": ["Not implemented"]}, "refuse", id="v2-501"),
]  # fmt: skip
"""In v2 a system that is not the user's is a 401; that of v4 is about its access controls, which v2 does not have."""


@pytest.mark.parametrize(("changes", "status", "body", "words"), REFUSALS)
def test_case_18_each_refusal_is_named_as_what_it_is(
    changes: dict[str, Any], status: int, body: dict[str, str], words: str, tmp_path: Path
) -> None:
    world = World(tmp_path, [HOME], **changes)
    world.run(6 * HOUR)
    honest = world.wire.send

    def send(request: Request) -> Reply:
        reply = honest(request)
        if "/systems/8000/" in request.url:
            return replace(reply, status=status, body=json.dumps(body).encode())
        return reply

    world.wire.send = send  # type: ignore[method-assign]
    world.run(DAY)
    made = told(world)
    assert made.problems
    assert not summary(made).startswith("All is well")
    assert any(words in problem.text for problem in made.problems), [problem.text for problem in made.problems]
    texts = " ".join(problem.text for problem in made.problems)
    assert "tick" not in texts
    assert not (changes and "auth login" in texts), "API v2 has no login"
    world.end()


def test_case_20_without_a_runner_that_is_what_is_said(tmp_path: Path) -> None:
    world = World(tmp_path, [HOME])
    world.run(6 * HOUR)
    runner.begin(world.store, int(world.time.true), runner.SERVICE)
    world.end()
    world.time.true += DAY
    world.store = type(world.store)(world.settings.state_dir)
    (problem,) = told(world).problems
    assert problem.kind == "runner"
    assert "`ingest run`" in problem.text
    assert "gateway" not in problem.text
    world.store.close()
