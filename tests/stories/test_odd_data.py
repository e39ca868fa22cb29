"""Odd data: a healthy cloud's replies, edited on their way. What is odd costs itself alone, and is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from ingest.core.http import Reply, Request
from ingest.report import Report, build_report
from ingest.report.problems import summary
from ingest.simulator import Site
from tests.stories.test_convergence import check_days, differences
from tests.world import DAY, HOUR, START, World, sun
from tests.worlds import HOME, V2, V4

Edit = Callable[[Request, dict[str, Any], int], object]
DIALECTS = [pytest.param(V4, id="v4"), pytest.param(V2, id="v2")]
FIRST_V4 = [DIALECTS[0], pytest.param(V2, id="v2", marks=pytest.mark.long)]
"""For what is told by either dialect alike and computed by the same code."""
LATER = (-1, START + 900 * DAY)


def on_watt(changes: dict[str, Any]) -> dict[str, Any]:
    """A dialect on the free plan, where it matters how often something is asked."""
    return changes | {"api": changes["api"] | {"plan": "watt"}}


PATHS = {
    "stats": ("/production_micro", "/stats"),
    "rgm_stats": ("/rgm_stats",),
    "consumption": ("/consumption_meter", "/consumption_stats"),
}
NOON = START + DAY + 12 * HOUR


def edited(world: World, edit: Edit) -> None:
    """From now on an edit sees every readable reply on its way, with the time of the cloud."""
    honest = world.wire.send

    def send(request: Request) -> Reply:
        reply = honest(request)
        try:
            body = json.loads(reply.body) if reply.status == 200 else None
        except ValueError:
            body = None
        if isinstance(body, dict) and "/oauth/" not in request.url:
            edit(request, body, int(world.time.true))
            reply = replace(reply, body=json.dumps(body).encode())
        return reply

    world.wire.send = send  # type: ignore[method-assign]


def asks_for(request: Request, stream: str) -> bool:
    return request.url.endswith(PATHS[stream])


def told(world: World) -> Report:
    return build_report(world.settings, world.store.db, int(world.time.true))


def kinds(world: World) -> set[str]:
    return {problem.kind for problem in told(world).problems}


def lacking(world: World, site: Site, since: int = START - 4 * DAY) -> set[tuple[str, int]]:
    """The intervals (measurement, time) of the sun that the database lacks or holds otherwise."""
    until = int(world.time.true) - 8 * HOUR
    return {
        (name, at)
        for (name, tags, at), fields in sun(world.cloud, site, since, until).items()
        if any(world.database.rows.get((name, tags, at), {}).get(key) != value for key, value in fields.items())
    }


# ── a row, a value, a meter ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.each_value
@pytest.mark.parametrize("changes", DIALECTS)
@pytest.mark.parametrize(("stream", "key"), [("stats", "enwh"), ("rgm_stats", "wh_del"), ("consumption", "enwh")])
@pytest.mark.parametrize("odd", ["row", "n/a", {}, True])
def test_a_row_that_cannot_be_read_costs_its_interval_alone(
    stream: str, key: str, odd: object, changes: dict[str, Any], tmp_path: Path
) -> None:
    def edit(request: Request, body: dict[str, Any], _: int) -> None:
        if asks_for(request, stream):
            for index, row in enumerate(body["intervals"]):
                if row["end_at"] == NOON:
                    body["intervals"][index] = None if odd == "row" else row | {key: odd}

    world = World(tmp_path, [HOME], **changes)
    edited(world, edit)
    world.run(3 * DAY)
    name = {"stats": "production_micro", "rgm_stats": "production_rgm", "consumption": "consumption"}[stream]
    grain = 300 if stream == "stats" else 900
    assert {at for at in lacking(world, HOME) if at[0] == name} == {(name, NOON - grain)}
    assert {at[0] for at in lacking(world, HOME)} == {name}
    (system,) = told(world).systems
    counted = {each.stream: sum(odd.count for odd in each.odd) for each in system.streams}
    assert counted == dict.fromkeys(counted, 0) | {stream: 1}
    (problem,) = told(world).problems
    assert (problem.kind, problem.subject) == ("odd", f"8000.{stream}")
    world.wire.send = type(world.wire).send.__get__(world.wire)  # type: ignore[method-assign] # the cloud mends it
    world.run(6 * DAY)
    assert lacking(world, HOME) == set()
    assert summary(told(world)).startswith("All is well")
    world.end()


@pytest.mark.parametrize("changes", DIALECTS)
def test_a_meter_without_a_serial_costs_its_channels_alone(changes: dict[str, Any], tmp_path: Path) -> None:
    def edit(request: Request, body: dict[str, Any], _: int) -> None:
        if asks_for(request, "rgm_stats"):
            body["meter_intervals"].append({"meter_serial_number": None, "intervals": []})
            body["meter_intervals"].insert(0, {"intervals": [{"channel": 1, "end_at": NOON, "wh_del": 1}]})

    world = World(tmp_path, [HOME], **changes)
    edited(world, edit)
    world.run(2 * DAY)
    assert lacking(world, HOME) == set()
    (system,) = told(world).systems
    (stream,) = [each for each in system.streams if each.odd]
    assert (stream.stream, {odd.reason for odd in stream.odd}) == (
        "rgm_stats",
        {"'None' cannot name a meter", "missing 'meter_serial_number'"},
    )
    world.end()


def test_minus_one_is_a_reading_like_minus_two(tmp_path: Path) -> None:
    dark = [NOON - 10 * HOUR + step for step in range(0, 3600, 900)]

    def edit(request: Request, body: dict[str, Any], _: int) -> None:
        if asks_for(request, "rgm_stats"):
            for row in body["intervals"]:
                if row["end_at"] in dark:
                    row["wh_del"] = -1 - dark.index(row["end_at"]) % 2

    world = World(tmp_path, [HOME])
    edited(world, edit)
    world.run(3 * DAY)
    rows = world.rows("production_rgm", 8000)
    assert [rows[end - 900]["energy_wh"] for end in dark] == [-1.0, -2.0, -1.0, -2.0]
    energy = world.rows("energy", 8000)
    assert [energy[end - 900]["produced_wh"] for end in dark] == [-1.0, -2.0, -1.0, -2.0]
    world.end()


@pytest.mark.each_value
@pytest.mark.parametrize("stream", list(PATHS))
@pytest.mark.parametrize("changes", DIALECTS)
def test_a_row_from_the_future_is_no_point_and_is_counted(stream: str, changes: dict[str, Any], tmp_path: Path) -> None:
    def edit(request: Request, body: dict[str, Any], now: int) -> None:
        if asks_for(request, stream) and body["intervals"]:
            last = body["intervals"][-1]
            body["intervals"].append(last | {"end_at": now - now % 900 + 40 * DAY})

    world = World(tmp_path, [HOME], **changes)
    edited(world, edit)
    world.run(3 * DAY)
    assert lacking(world, HOME) == set()
    ahead = {key[0] for key in world.database.rows if key[2] > world.time.true}
    assert ahead == set()
    (problem,) = told(world).problems
    assert (problem.kind, "after the cloud's own time" in problem.sentence) == ("odd", True)
    (system,) = told(world).systems
    assert HOUR < (system.age_s or 0) < 8 * HOUR, "it is night"
    world.end()


# ── times of reports ──────────────────────────────────────────────────────────────────────────────────────


def _without_report(body: dict[str, Any], value: object) -> None:
    for part in (body, body.get("meta"), *body.get("systems", [])):
        if isinstance(part, dict) and "last_report_at" in part:
            part["last_report_at"] = value
        if isinstance(part, dict) and isinstance(part.get("meta"), dict):
            part["meta"]["last_report_at"] = value


@cache
def _usual_calls(changes: str) -> int:
    """How many calls five days take where all reports have their times."""
    with TemporaryDirectory() as folder:
        world = World(Path(folder), [HOME], **on_watt(json.loads(changes)))
        world.run(5 * DAY)
        world.end()
        return len(world.cloud.calls)


@pytest.mark.each_value
@pytest.mark.parametrize("changes", DIALECTS)
@pytest.mark.parametrize(
    "value",
    [None, 0, "yesterday", START - 30 * DAY, 2**45, *(pytest.param(at, marks=pytest.mark.long) for at in LATER)],
)
def test_no_time_of_a_report_slows_anything_down(value: object, changes: dict[str, Any], tmp_path: Path) -> None:
    world = World(tmp_path, [HOME], **on_watt(changes))
    edited(world, lambda _, body, __: _without_report(body, value))
    world.run(5 * DAY)
    made, usual = len(world.cloud.calls), _usual_calls(json.dumps(changes))
    since = START - 3 * DAY
    late = {name: max(at for of, at in lacking(world, HOME, since) if of == name) for name, _ in lacking(world, HOME)}
    assert late == {}, {name: (int(world.time.true) - at) / HOUR for name, at in late.items()}
    assert 0.8 * usual < made < 1.25 * usual
    assert "gateway" not in kinds(world)
    check_days(world, HOME, since, START + 3 * DAY)
    world.end()


# ── lists ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.each_value
@pytest.mark.parametrize("changes", DIALECTS)
@pytest.mark.parametrize("odd", [None, 5, {"name": "no id"}, {"system_id": None}])
def test_an_odd_row_in_a_list_of_systems_costs_that_system_alone(
    odd: object, changes: dict[str, Any], tmp_path: Path
) -> None:
    def edit(request: Request, body: dict[str, Any], _: int) -> None:
        if request.url.endswith("/systems"):
            body["systems"].insert(0, odd)

    world = World(tmp_path, [HOME], **changes)
    edited(world, edit)
    world.run(DAY)
    assert [system.system for system in told(world).systems] == ["8000"]
    assert kinds(world) == {"odd"}
    assert lacking(world, HOME) == set()
    world.end()


@pytest.mark.parametrize("changes", DIALECTS)
def test_an_inventory_without_meters_says_that_there_are_none(changes: dict[str, Any], tmp_path: Path) -> None:
    """Nor do lists without what v2 (`meta`, `next`) or v4 (counts, `items`) write around them keep anything away."""
    site = replace(HOME, meter=False, consumption_meter=False)

    def edit(request: Request, body: dict[str, Any], _: int) -> None:
        if request.url.endswith(("/inventory", "/devices")):
            body.get("devices", body).pop("meters", None)
        for key in ("meta", "next", "items", "total", "count", "size", "current_page", "total_devices"):
            body.pop(key, None)

    world = World(tmp_path, [site], **changes)
    edited(world, edit)
    world.run(10 * DAY)
    (system,) = told(world).systems
    assert {each.stream: each.state for each in system.streams if each.stream != "stats"} == {
        "rgm_stats": "no_meter",
        "consumption": "no_meter",
    }
    asked = [call for call in world.cloud.calls if call.path.endswith((*PATHS["rgm_stats"], *PATHS["consumption"]))]
    assert len(asked) < 12
    assert differences(world, site, START - 4 * DAY, int(world.time.true) - 8 * HOUR) == []
    world.end()


def test_nothing_is_learned_from_a_start_that_the_cloud_moved(tmp_path: Path) -> None:
    young = replace(HOME, system_id=8001, operational_at=START - DAY)
    old = replace(HOME, system_id=8002)

    def edit(request: Request, body: dict[str, Any], now: int) -> None:
        first = young.operational_at // DAY * DAY
        if "/8001/" in request.url and asks_for(request, "stats") and int(request.params["start_at"]) < first:
            body["start_at"], body["end_at"] = first, min(now, first + DAY)
            body["intervals"] = world.cloud.truth(8001, "stats", first, min(now, first + DAY))

    systems = [{"id": site.system_id, "since": "30d"} for site in (young, old)]
    world = World(tmp_path, [young, old], systems=systems, api={"plan": "kilowatt"})
    edited(world, edit)
    world.run(DAY)
    assert {at for at in lacking(world, old, START - 29 * DAY) if at[0] == "production_micro"} == set()
    world.end()
