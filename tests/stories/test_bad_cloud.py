"""What the cloud can do to us: refusals, replies that are none, and clocks that disagree."""

import contextlib
import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.core.errors import ConfigError
from ingest.simulator import Application, Site
from ingest.store.database import Store
from tests.stories import stored
from tests.stories.program import Program, Vendor
from tests.stories.test_convergence import differences, extra
from tests.world import DAY, HOUR, START, UNHURRIED, World
from tests.worlds import HOME, lived

HOUSE = HOME
JUMPS = [*(pytest.param(by, marks=pytest.mark.long) for by in (3600, -3600)), -3 * DAY, 40 * DAY]
OTHER = replace(HOUSE, system_id=8001, name="Other", longitude=14.0)


def sentences(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """(what, why) of everything that was logged as going bad."""
    fields = [getattr(record, "logfmt", {}) for record in caplog.records if record.msg == "bad"]
    return [(found["what"], found["why"]) for found in fields]


def calls_to(world: World, system: int, path: str = "") -> int:
    return sum(f"/systems/{system}/" in call.path and call.path.endswith(path) for call in world.cloud.calls)


def table(world: World, statement: str) -> list[Any]:
    return world.store.db.execute(statement).fetchall()


def converged(world: World, *sites: Site) -> None:
    """After quiet days everything is there."""
    until = int(world.time.true)
    world.run(3 * DAY)
    for site in sites:
        assert differences(world, site, START - 4 * DAY, until)[:3] == []
        assert extra(world, site, START - 4 * DAY, until)[:3] == []
    world.end()


# ── refusals ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_system_that_is_not_shared_is_left_alone_and_the_other_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hidden = replace(OTHER, shared=False)
    world = World(tmp_path, [HOUSE, hidden], systems=[{"id": HOUSE.system_id}, {"id": OTHER.system_id}])
    with caplog.at_level(logging.WARNING):
        world.run(6 * DAY)
    pairs = len(table(world, "SELECT 1 FROM pairs WHERE system = '8001'"))
    assert 0 < calls_to(world, 8001) <= 4 * pairs, "asked on the 1st, 2nd and 4th day"
    assert {call.status for call in world.cloud.calls if "/8001/" in call.path} == {403}
    told = [why for what, why in sentences(caplog) if "8001" in what + why]
    assert told
    assert all("8001" in why and "owner" in why for why in told), told
    assert calls_to(world, 8000) > 80, "the other system suffers"
    world.cloud.put(OTHER)
    world.run(3 * DAY)
    converged(world, HOUSE, OTHER)


def test_a_group_that_is_not_ticked_is_named_and_the_other_streams_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(tmp_path, [HOUSE])
    world.cloud.faults.denied_groups = {"consumption"}
    with caplog.at_level(logging.WARNING):
        world.run(3 * DAY)
    assert calls_to(world, 8000, "telemetry/consumption_meter") <= 3
    assert calls_to(world, 8000, "telemetry/production_micro") > 15
    assert [why for _, why in sentences(caplog) if "Site Level Consumption Monitoring" in why], sentences(caplog)
    assert table(world, "SELECT 1 FROM coverage WHERE stream = 'consumption'") == []
    half_a_day = START + 12 * HOUR
    assert [call for call in world.cloud.token_calls if START + HOUR < call.at < half_a_day] == []
    world.cloud.faults.denied_groups = set()
    world.run(3 * DAY)
    converged(world, HOUSE)


def test_a_key_of_another_application_stops_the_asking(tmp_path: Path) -> None:
    world = World(tmp_path, [HOUSE, OTHER])
    world.run(DAY)
    world.cloud.faults.wrong_key = True
    since, tokens = world.time.true, len(world.cloud.token_calls)
    world.run(3 * DAY)
    assert sum(call.at >= since for call in world.cloud.calls) <= 7, "after 1, 2, 4, 8, 16 h, and daily"
    assert len(world.cloud.token_calls) <= tokens + 3
    assert isinstance(world.pipeline.breaker.fatal, ConfigError)
    assert "another application" in str(world.pipeline.breaker.fatal)
    world.cloud.faults.wrong_key = False
    world.run(DAY)
    converged(world, HOUSE, OTHER)


def test_once_with_a_key_of_another_application_ends_with_exit_2(tmp_path: Path) -> None:
    with Vendor([HOUSE], START, application=Application(api_key="the-real-one")) as vendor:
        program = Program(tmp_path, api=vendor.api)
        program.consent(vendor)
        sentence = program.run("once", code=2).sentence
        assert "another application" in sentence
        assert "api.key" in sentence
        assert len(vendor.cloud.calls) == 1


# ── replies that are none ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "fault",
    [
        "not_json",
        "wrong_shape",
        "error_5xx",
        "timeout",
        "redirect",
        "teapot",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("html", "cut_off", "not_implemented")),
    ],
)
def test_a_reply_that_is_none_leaves_no_point_and_no_coverage(tmp_path: Path, fault: str) -> None:
    world = lived(tmp_path, [HOUSE], 12 * HOUR, api={"plan": UNHURRIED})
    points, coverage = table(world, "SELECT * FROM points"), table(world, "SELECT * FROM coverage")
    setattr(world.cloud.faults, fault, 1.0)
    since = world.time.true
    world.run(12 * HOUR)
    asked = sum(call.at >= since for call in world.cloud.calls)
    assert 0 < asked < 100, f"{asked} calls into bad weather of twelve hours"
    assert table(world, "SELECT * FROM points") == points
    assert table(world, "SELECT * FROM coverage") == coverage
    if fault in ("not_json", "wrong_shape", "html"):
        kept = table(world, "SELECT reason, body FROM samples")
        assert kept
        assert all(reason and body for reason, body in kept)
    setattr(world.cloud.faults, fault, 0.0)
    converged(world, HOUSE)


def test_over_real_http_such_replies_leave_a_sample_and_nothing_else(tmp_path: Path) -> None:
    with Vendor([HOUSE], int(time.time())) as vendor:
        program = Program(tmp_path, api=vendor.api)
        program.consent(vendor)
        program.run("once", "--max-calls", "3")
        for fault in ("html", "cut_off", "not_json", "wrong_shape"):
            setattr(vendor.cloud.faults, fault, 1.0)
            points = stored.ask(program.state, "SELECT count(*) FROM points")
            vendor.at += 2 * HOUR
            program.run("once", "--patience", "0s", code=1)
            assert stored.ask(program.state, "SELECT count(*) FROM points") == points, fault
            assert stored.ask(program.state, "SELECT 1 FROM samples WHERE length(body)"), f"{fault}: no sample"
            with contextlib.closing(Store(program.state)) as store, store.transaction() as db:
                db.execute("DELETE FROM samples")
                db.execute(
                    "DELETE FROM meta WHERE key IN ('paused_until', 'weather')"
                )  # the next begins in good weather
                db.execute("UPDATE pairs SET rest_until = 0")
            setattr(vendor.cloud.faults, fault, 0.0)
        vendor.at += 2 * DAY
        program.run("once")
        held = stored.archive_rows(program.state)
        assert sum(key[0] == "production_micro" for key in held) > 5 * 288


# ── clocks ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[int, int]:
    """How many calls two days take, and three, with a clock that is right."""
    right, calls = World(tmp_path_factory.mktemp("right"), [HOUSE]), {}
    for days, more in ((2, 2), (3, 1)):
        right.run(more * DAY)
        calls[days] = len(right.cloud.calls)
    right.end()
    return calls


@pytest.mark.parametrize("wrong_by", JUMPS)
def test_a_clock_that_is_wrong_from_the_start_costs_one_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, wrong_by: int, usual: dict[int, int]
) -> None:
    world = World(tmp_path, [HOUSE])
    world.time.wrong_by = wrong_by
    world.crash()
    with caplog.at_level(logging.INFO):
        world.run(2 * DAY)
    assert abs(len(world.cloud.calls) - usual[2]) <= 10
    told = [why for what, why in sentences(caplog) if what == "clock"]
    assert len(told) == 1, told
    assert ("ahead" if wrong_by > 0 else "behind") in told[0]
    assert sum(call.status == 422 for call in world.cloud.calls) <= 1
    converged(world, HOUSE)


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_loses_no_floor_and_makes_no_storm(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, jump: int, usual: dict[int, int]
) -> None:
    world = World(tmp_path, [HOUSE])
    world.run(DAY)
    statement = "SELECT system || stream, floor, first_at FROM pairs"
    before = {pair: bounds for pair, *bounds in table(world, statement)}
    with caplog.at_level(logging.INFO):
        world.time.wrong_by = jump
        world.run(DAY)
        world.crash()  # a restart believes the wall clock, until the cloud speaks
        world.run(DAY)
    after = {pair: bounds for pair, *bounds in table(world, statement)}
    for pair, (floor, first) in before.items():
        assert floor is None or after[pair][0] <= floor, f"{pair}: the floor was lost"
        assert after[pair][1] == first, f"{pair}: a wrong clock taught where the data begin"
    assert abs(len(world.cloud.calls) - usual[3]) <= 12
    told = [why for what, why in sentences(caplog) if what == "clock"]
    assert len(told) == 2, "one sentence for each start of the program"
    converged(world, HOUSE)
