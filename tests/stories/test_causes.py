"""What is the matter is named by its cause, judged from what the cloud said and never from what was known before."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.core.http import Reply, Request
from ingest.report import Problem, build_report
from ingest.store import runner
from tests.world import DAY, HOUR, START, Time, World
from tests.worlds import SITE


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, [SITE], time=Time(START + 13 * HOUR))
    world.run(DAY)
    yield world
    world.end()


def found(world: World) -> list[Problem]:
    return build_report(world.settings, world.store.db, int(world.time.true)).problems


def kinds(world: World) -> list[str]:
    return [problem.kind for problem in found(world)]


def stopped(world: World, kind: str, *, after: int) -> list[Problem]:
    """What is said `after` seconds after the last word of a runner that is gone."""
    runner.begin(world.store, int(world.time.true), kind)
    world.store._release()
    world.time.true += after
    with closing(sqlite3.connect(world.store.path)) as db:
        return build_report(world.settings, db, int(world.time.true)).problems


def test_a_runner_that_was_killed_a_day_ago_is_the_cause_not_the_gateway(world: World) -> None:
    (problem,) = stopped(world, runner.SERVICE, after=DAY)
    assert problem.sentence == "No runner has been at work for 1 d, so nothing is read or sent"
    assert "`ingest run`" in problem.remedy
    assert problem.since == int(world.time.true) - DAY


def test_between_two_calls_of_a_crontab_all_is_well(world: World) -> None:
    runner.begin(world.store, int(world.time.true) - 3 * HOUR, runner.ONCE)
    assert stopped(world, runner.ONCE, after=5 * HOUR) == []


def test_a_crontab_that_stopped_is_noticed(world: World) -> None:
    runner.begin(world.store, int(world.time.true) - HOUR, runner.ONCE)
    assert [problem.kind for problem in stopped(world, runner.ONCE, after=5 * HOUR)] == ["runner"]


def test_a_token_endpoint_down_for_four_days_is_the_cause_not_the_gateway(world: World) -> None:
    world.cloud.faults.token_down = "500"
    world.run(5 * DAY)
    (problem,) = found(world)
    assert problem.kind == "renewal"
    assert "cannot be renewed" in problem.sentence
    assert "500" in problem.sentence
    assert int(world.time.true) - (problem.since or 0) > 4 * DAY
    world.cloud.faults.token_down = None
    world.run(DAY)
    assert kinds(world) == []


def test_a_cloud_that_refuses_every_call_is_one_trouble(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    send = world.wire.send

    def refuse(request: Request) -> Reply:
        reply = send(request)
        if "/oauth/" in request.url:
            return reply
        return replace(reply, status=501, body=b'{"reason":"501","message":["Not implemented"]}')

    monkeypatch.setattr(world.wire, "send", refuse)
    world.run(2 * DAY)
    (problem,) = found(world)
    assert problem.kind == "cloud"
    assert problem.sentence == "The cloud refuses every call (HTTP 501: Not implemented: 501)"


def test_one_answer_that_cannot_be_read_is_named_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    send = world.wire.send

    def odd(request: Request) -> Reply:
        reply = send(request)
        return replace(reply, body=b'{"strange": true}') if "consumption_meter" in request.url else reply

    monkeypatch.setattr(world.wire, "send", odd)
    world.run(DAY)
    (problem,) = found(world)
    assert (problem.kind, problem.subject) == ("stream", f"{SITE.system_id}.consumption")


def test_a_gateway_is_judged_by_what_the_cloud_said_when_it_was_asked(world: World) -> None:
    now = int(world.time.true)
    world.cloud.put(replace(SITE, offline=((now, now + 5 * DAY),)))
    world.run(DAY)
    assert kinds(world) == ["gateway"]


def test_a_refused_key_is_called_the_same_after_a_restart(world: World) -> None:
    world.cloud.faults.wrong_key = 1.0
    world.run(2 * HOUR)
    (problem,) = found(world)
    assert "key belongs to another application" in problem.sentence
    world.crash()
    assert found(world) == [problem]
    world.cloud.faults.wrong_key = 0.0
    world.run(DAY)
    assert found(world) == []


def test_an_account_whose_list_is_empty_was_asked(tmp_path: Path) -> None:
    """What is said is what the cloud said, also of one account beside another."""
    world = World(tmp_path, [SITE], accounts={"home": {}, "barn": {}})
    assert [problem.kind for problem in found(world)] == ["start"]
    world.run(HOUR)
    (problem,) = found(world)
    assert problem.sentence == "Account barn: the cloud shows no system to this account"
    assert problem.remedy.endswith("`ingest auth login barn`")
    world.end()
