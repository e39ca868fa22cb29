"""Other members of the kinds of odd data: another stream, another row, another word of the cloud."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingest.core.http import Reply, Request
from ingest.report.problems import summary
from tests.stories.test_convergence import check_sums
from tests.stories.test_odd_cases import BERLIN, energy, micro, midnight
from tests.stories.test_odd_data import DIALECTS, NOON, asks_for, edited, kinds, lacking, on_watt, told
from tests.world import DAY, HOUR, START, World
from tests.worlds import HOME, V2, V4

SPIKE_WH = 1.5e16


def odd_reasons(world: World) -> dict[str, set[str]]:
    (system,) = told(world).systems
    return {each.stream: {odd.reason for odd in each.odd} for each in system.streams if each.odd}


@pytest.mark.parametrize("changes", DIALECTS)
def test_case_6_no_meter_with_nothing_on_it_counts(changes: dict[str, Any], tmp_path: Path) -> None:
    """A consumption meter without a clamp used nothing; a meter that is not there says nothing of production."""

    def edit(request: Request, body: dict[str, Any], _: int) -> None:
        if asks_for(request, "consumption"):
            body["total_devices"] = 0
            body["intervals"] = [row | {"enwh": 0, "devices_reporting": 0} for row in body["intervals"]]
        if asks_for(request, "rgm_stats"):
            body["total_devices"] = 0
            body["meter_intervals"] = []
            for row in body["intervals"]:
                row["wh_del"] = 0
                row.pop("devices_reporting", None)

    world = World(tmp_path, [HOME], **changes)
    edited(world, edit)
    world.run(2 * DAY)
    sun = micro(world, HOME, START - 3 * DAY, START + DAY)
    made = energy(world, "produced_wh")
    assert {at: made.get(at) for at in sun} == sun
    for name in ("consumed_wh", "net_wh", "self_consumed_wh"):
        assert energy(world, name) == {}, name
    check_sums(world, 8000)
    world.end()


@pytest.mark.parametrize(("changes", "size"), [(V4, None), (V4, 0), (V2, -1)], ids=["v4-null", "v4-0", "v2--1"])
def test_case_14_no_spike_of_any_stream_or_total_counts_whatever_the_size(
    size: object, changes: dict[str, Any], tmp_path: Path
) -> None:
    def edit(request: Request, body: dict[str, Any], _: int) -> None:
        for stream, key in (("rgm_stats", "wh_del"), ("stats", "enwh"), ("consumption", "enwh")):
            for row in body["intervals"] if asks_for(request, stream) else ():
                if row["end_at"] == NOON:
                    row[key] = SPIKE_WH
        for key in ("production", "micro_production", "meter_production", "consumption"):
            if request.url.endswith("_lifetime") and body.get(key):
                body[key][-1] = 4 * SPIKE_WH
        if request.url.endswith("/summary"):
            body["size_w"] = size

    world = World(tmp_path, [HOME], **changes)
    edited(world, edit)
    world.run(2 * DAY)
    assert world.rows("consumption", 8000)[NOON - 900]["energy_wh"] == SPIKE_WH, "it is kept as it was measured"
    for measurement in ("energy", "energy_daily", "energy_monthly"):
        numbers = [value for row in world.rows(measurement, 8000).values() for value in row.values()]
        assert max(value for value in numbers if isinstance(value, float)) < 1e7, measurement
    subjects = {problem.subject for problem in told(world).problems if problem.kind == "odd"}
    assert subjects >= {f"8000.{stream}" for stream in ("stats", "rgm_stats", "consumption", "energy_lifetime")}
    check_sums(world, 8000)
    world.end()


def test_case_14_a_spike_stops_counting_when_the_size_becomes_known(tmp_path: Path) -> None:
    spike, known_at = START - 12 * HOUR, START + HOUR

    def edit(request: Request, body: dict[str, Any], now: int) -> None:
        for row in body["intervals"] if asks_for(request, "rgm_stats") else ():
            if row["end_at"] == spike:
                row["wh_del"] = 1e6
        if request.url.endswith("/summary") and now < known_at:
            body["size_w"] = None

    world = World(tmp_path, [HOME], default_streams=["stats", "rgm_stats"])
    edited(world, edit)
    world.run(HOUR)
    assert energy(world, "produced_wh")[spike - 900] == 1e6
    world.run(8 * DAY)
    assert spike - 900 not in energy(world, "produced_wh") or energy(world, "produced_wh")[spike - 900] < 6000
    assert "rgm_stats" in odd_reasons(world)
    check_sums(world, 8000)
    world.end()


@pytest.mark.parametrize("changes", DIALECTS)
def test_case_8_rows_far_from_what_was_asked_for_are_no_points(changes: dict[str, Any], tmp_path: Path) -> None:
    def edit(request: Request, body: dict[str, Any], _: int) -> None:
        for stream in ("stats", "rgm_stats", "consumption"):
            if asks_for(request, stream) and body["intervals"]:
                last = body["intervals"][-1]
                body["intervals"] += [last | {"end_at": 900}, last | {"end_at": last["end_at"] - 39 * DAY}]
        if request.url.endswith("_lifetime") and body.get("start_date"):
            name = "consumption" if "consumption" in body else "production"
            body[name] += [5000] * 40

    world = World(tmp_path, [HOME], **changes)
    edited(world, edit)
    world.run(2 * DAY)
    assert lacking(world, HOME) == set()
    intervals = [key for key in world.database.rows if key[0] not in ("energy_daily", "energy_monthly")]
    assert min(key[2] for key in intervals) >= START - 9 * DAY
    assert max(key[2] for key in world.database.rows) <= world.time.true
    assert set(odd_reasons(world)) == {"stats", "rgm_stats", "consumption"}
    subjects = {problem.subject for problem in told(world).problems if problem.kind == "odd"}
    assert {"8000.energy_lifetime", "8000.consumption_lifetime"} <= subjects
    world.end()


@pytest.mark.parametrize(("changes", "word"), [(V4, None), (V2, "")], ids=["v4-null", "v2-empty"])
def test_case_11_a_zone_that_the_cloud_does_not_say_is_named(
    word: object, changes: dict[str, Any], tmp_path: Path
) -> None:
    told_at = START + DAY

    def edit(request: Request, body: dict[str, Any], now: int) -> None:
        for row in body["systems"] if request.url.endswith("/systems") and now < told_at else ():
            row["timezone"] = word

    world = World(tmp_path, [HOME], **on_watt(changes))
    edited(world, edit)
    world.run(6 * HOUR)
    assert kinds(world) == {"zone"}
    assert not summary(told(world)).startswith("All is well")
    world.run(3 * DAY)
    assert kinds(world) == set()
    held = set(world.rows("energy_daily", 8000))
    assert held
    check_sums(world, 8000)
    world.end()


def test_case_13_no_total_of_nothing_beats_a_day_with_a_battery(tmp_path: Path) -> None:
    day = date(2026, 7, 1)
    begin = midnight(day, BERLIN)
    keys = ("production", "micro_production", "meter_production", "consumption", "import", "export", "charge")

    def edit(request: Request, body: dict[str, Any], _: int) -> None:
        if request.url.endswith("_lifetime") and body.get("start_date"):
            index = (day - date.fromisoformat(body["start_date"])).days
            for key in (*keys, "discharge"):
                if key in body and index < len(body[key]):
                    body[key][index] = 0

    site = replace(HOME, battery_wh=10_000)
    streams = ["rgm_stats", "consumption", "grid_import", "grid_export", "battery"]
    wanted, slow = [{"id": 8000, "streams": streams}], {name: {"every": "3h"} for name in streams}
    world = World(tmp_path, [site], systems=wanted, api={"plan": "kilowatt"}, streams=slow)
    edited(world, edit)
    world.run(3 * DAY)
    row = world.rows("energy_daily", 8000)[begin]
    for name in ("produced", "consumed", "imported", "exported", "charged", "discharged", "self_consumed"):
        ours = sum(wh for at, wh in energy(world, f"{name}_wh").items() if begin <= at < begin + DAY)
        assert row[f"{name}_wh"] == pytest.approx(ours), name
    check_sums(world, 8000)
    world.end()


UNAUTHORIZED = [
    {"error": "unauthorized", "error_description": "Bad credentials"},
    {"error": "unauthorized", "error_description": "Full authentication is required to access this resource"},
    {"status": 401, "error": "Unauthorized", "message": "Unauthorized", "path": "/oauth/token"},
    {"message": "Not Authorized", "details": "User is not authorized", "code": 401},
]
"""What says nothing of a refresh token: the words of a framework, and those of the API itself."""


@pytest.mark.parametrize("body", UNAUTHORIZED, ids=["credentials", "header", "page", "api"])
def test_case_19_a_401_of_the_token_endpoint_says_nothing_of_the_consent(body: dict[str, Any], tmp_path: Path) -> None:
    world = World(tmp_path, [HOME])
    honest, refused = world.wire.send, list[float]()

    def send(request: Request) -> Reply:
        if request.url.endswith("/oauth/token") and world.time.true < START + DAY + 6 * HOUR:
            refused.append(world.time.true)
            return Reply(401, json.dumps(body).encode())
        return honest(request)

    world.wire.send = send  # type: ignore[method-assign]
    world.run(2 * DAY + 12 * HOUR)
    assert refused
    assert kinds(world) == set(), "it was tried again, and then it worked"
    assert lacking(world, HOME) == set()
    world.end()


def test_case_19_a_renewal_without_a_new_refresh_token_keeps_the_old_one(tmp_path: Path) -> None:
    world = World(tmp_path, [HOME])
    world.cloud.faults.token_no_refresh = 1.0
    world.run(4 * DAY)
    assert kinds(world) == set()
    assert lacking(world, HOME) == set()
    world.end()
