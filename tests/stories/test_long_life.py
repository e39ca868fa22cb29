"""What an installation meets in its years: settings that change, gateways that die, windows that never answer."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.core.errors import StateError
from ingest.core.http import Reply, Request
from ingest.core.point import Point
from ingest.core.units import MINUTE
from ingest.enphase.access import remedy
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams.installed import STREAM as DEVICES
from ingest.report import build_report
from ingest.simulator import Site
from ingest.store import archive, backfills, ledger, progress
from ingest.store.backfills import BackfillRequest
from tests.world import DAY, HOUR, START, UNHURRIED, World, settings

HOUSE = Site(1, "House", "Europe/Berlin", 52.0, 13.0, 6000, 16, START - 300 * DAY)
QUICK = {"plan": "kilowatt"}


def ask(world: World, since: int, share: float | None = None) -> None:
    with world.store.transaction() as db:
        backfills.ask(db, BackfillRequest(since, share=share), int(world.time.true))


def calls(world: World, endpoint: str, since: float = 0) -> int:
    return sum(call.path.endswith(endpoint) and call.at >= since for call in world.cloud.calls)


def test_the_history_of_a_gateway_that_died_is_read_to_its_last_interval(tmp_path: Path) -> None:
    died = START - 30 * DAY
    site = replace(HOUSE, offline=((died, START + 900 * DAY),))
    world = World(tmp_path, [site], api=QUICK, cloud={"micro_week": False})
    world.run(DAY)
    ask(world, START - 60 * DAY)
    world.run(DAY)
    assert world.pipeline.due_queue.needs == 0
    for measurement in ("production_micro", "production_rgm", "consumption"):
        times = world.rows(measurement, 1)
        assert min(times) <= START - 60 * DAY + 900
        assert max(times) >= died - 2 * 900
    probes = calls(world, "consumption_meter", START + DAY + 12 * HOUR)
    assert probes <= 6, "a dead gateway is asked for news four times a day"


def test_a_window_that_never_answers_costs_little_and_delays_nothing_else(tmp_path: Path) -> None:
    world = World(tmp_path, [HOUSE], systems=[{"id": 1, "since": "30d"}], api=QUICK)
    honest, refused = world.wire.send, []

    def send(request: Request) -> Reply:
        start = int(request.params.get("start_at", 2**40))
        if request.url.endswith("/rgm_stats") and start < START - 8 * DAY:
            refused.append(world.time.true)
            return replace(honest(request), status=500, body=b"{}")
        return honest(request)

    world.wire.send = send  # type: ignore[method-assign]
    world.run(2 * DAY)
    assert 5 <= len(refused) <= 14, "the pauses grow"
    assert calls(world, "/rgm_stats", START + DAY) > 40, "what is new is read as ever"
    assert min(world.rows("consumption", 1)) <= START - 30 * DAY + 900
    made = build_report(world.settings, world.store.db, int(world.time.true))
    gaps = next(stream.gaps for stream in made.systems[0].streams if stream.stream == "rgm_stats")
    assert any("in vain" in gap.reason for gap in gaps)


@pytest.mark.parametrize("event", ["restart", pytest.param("renewal", marks=pytest.mark.long)])
def test_a_larger_share_lasts_until_the_history_is_there(event: str, tmp_path: Path) -> None:
    site = replace(HOUSE, operational_at=START - 800 * DAY)
    world = World(tmp_path, [site], api={"plan": UNHURRIED}, cloud={"micro_week": False})
    world.run(HOUR)
    ask(world, START - 700 * DAY, share=0.6)
    world.run(5 * MINUTE)
    assert world.pipeline.dispatcher.rules.share == 0.6
    if event == "restart":
        world.crash()
    else:
        world.run(DAY)
        assert len(world.cloud.token_calls) >= 2
    world.run(5 * MINUTE)
    assert world.pipeline.dispatcher.rules.share == 0.6
    assert world.pipeline.due_queue.needs > 10


def test_a_larger_share_ends_with_the_history(tmp_path: Path) -> None:
    world = World(tmp_path, [HOUSE], api=QUICK)
    world.run(HOUR)
    ask(world, START - 20 * DAY, share=0.6)
    world.run(4 * HOUR)
    assert world.pipeline.due_queue.needs == 0
    assert world.pipeline.dispatcher.rules.share == 0.2


def test_an_account_that_is_renamed_keeps_its_systems(tmp_path: Path) -> None:
    world = World(tmp_path, [HOUSE])
    world.run(HOUR)
    world.end()
    world.settings = settings(tmp_path, accounts={"berlin": {}})
    world.authorizer().by_code("berlin", world.cloud.consent("owner"))
    world.begin()
    world.run(DAY)
    row = progress.system(world.store.db, "1")
    assert row is not None
    assert row.account == "berlin"
    assert calls(world, "consumption_meter", START + 2 * HOUR) >= 3


def test_a_longer_second_look_does_not_buy_all_history_again(tmp_path: Path) -> None:
    world = World(tmp_path, [HOUSE], systems=[{"id": 1, "since": "60d"}], api=QUICK)
    world.run(2 * DAY)
    assert world.pipeline.due_queue.needs == 0
    before = len(world.cloud.calls)
    world.end()
    world.settings = settings(tmp_path, systems=[{"id": 1, "since": "60d"}], api=QUICK, look_again="5d")
    world.begin()
    world.run(HOUR)
    assert world.pipeline.due_queue.needs <= 4
    assert len(world.cloud.calls) - before <= 20


def test_a_disk_that_is_full_for_an_hour_does_not_set_the_clock_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, [HOUSE], api=QUICK)
    world.run(HOUR)
    world.pipeline.tick()  # something was asked, and waits to be written
    honest = world.store.transaction

    @contextlib.contextmanager
    def full(**_: Any) -> Iterator[Any]:
        raise StateError("disk full")
        yield

    monkeypatch.setattr(world.store, "transaction", full)
    for _ in range(60):
        world.time.true += 60
        world.pipeline.tick()
    monkeypatch.setattr(world.store, "transaction", honest)
    assert abs(world.pipeline.clock.now() - world.time.true) <= 1
    world.run(HOUR)
    assert world.pipeline.clock.corrections == 0
    made = build_report(world.settings, world.store.db, int(world.time.true))
    assert [problem.kind for problem in made.problems if problem.kind == "clock"] == []


def test_a_cloud_that_cannot_be_reached_is_not_taken_for_a_used_up_key(tmp_path: Path) -> None:
    world = World(tmp_path, [HOUSE], api=QUICK)
    world.run(HOUR)
    world.wire.send = lambda _: Reply(0, failure="cannot connect", sent=False)  # type: ignore[method-assign, assignment]
    seen = set()
    for _ in range(24):
        world.run(HOUR // 4)
        made = build_report(world.settings, world.store.db, int(world.time.true))
        seen |= {problem.kind for problem in made.problems}
        assert not any("uses the key" in problem.text for problem in made.problems)
    assert "cloud" in seen


def test_power_and_its_age_are_of_the_same_interval(tmp_path: Path) -> None:
    world = World(tmp_path, [HOUSE], api=QUICK)
    world.run(10 * HOUR)
    newest = max(world.rows("production_rgm", 1)) + 900
    made = build_report(world.settings, world.store.db, int(world.time.true)).systems[0]
    assert made.age_s is not None
    assert abs(int(world.time.true) - newest - made.age_s) <= 900
    with world.store.transaction() as db:  # the meter falls silent, the microinverters go on
        archive.upsert(db, [Point("production_micro", (("system", "1"),), newest + 3 * HOUR, {"power_w": 7.0})])
    made = build_report(world.settings, world.store.db, newest + 3 * HOUR + 600).systems[0]
    assert (made.power_w, made.age_s) == (7.0, 300)


def test_a_pace_that_is_too_fast_is_forecast_to_run_out(tmp_path: Path) -> None:
    world = World(tmp_path, [HOUSE])
    world.run(2 * DAY)
    with world.store.transaction() as db:
        for number in range(200):  # as after a change to a smaller plan
            call = ledger.reserve(db, world.pipeline.app, int(world.time.true) - 60 * number, ("1", "stats", "live"))
            ledger.end(db, call, int(world.time.true) - 60 * number, "ok")
    quota = build_report(world.settings, world.store.db, int(world.time.true)).quota
    assert quota.forecast_month > quota.per_month
    assert quota.runs_out_at is not None
    assert quota.runs_out_at < quota.month_ends_at


def test_a_disabled_meter_measures_nothing() -> None:
    meters = [{"name": "production", "state": "enabled"}, {"name": "consumption", "state": "disabled"}]
    assert DEVICES.meters
    assert DEVICES.meters({"devices": {"meters": meters}}) == ("production",)


def test_a_system_that_the_cloud_does_not_know_is_looked_for_in_the_configuration() -> None:
    for words in ("System not found for {:id=>7}", "Not Authorized: System not found for {:id=>7}"):
        unknown = Verdict(Kind.DENIED, f"HTTP 404: {words}")
        assert "check its id" in remedy(unknown, "group", "home", "v4")
    hidden = Verdict(Kind.DENIED, "HTTP 404: Not Authorized")
    assert "tick" in remedy(hidden, "group", "home", "v4")


@pytest.mark.parametrize("behind", [pytest.param(3 * DAY, marks=pytest.mark.long), 400 * DAY])
def test_a_machine_that_starts_with_an_old_clock_forgets_no_call_of_the_month(behind: int, tmp_path: Path) -> None:
    world = World(tmp_path, [HOUSE])
    world.run(2 * DAY)
    spent = ledger.usage(world.store.db, world.pipeline.app, int(world.time.true)).month
    world.time.wrong_by = -float(behind)
    world.crash()
    world.run(DAY)
    now = int(world.time.true)
    assert abs(world.pipeline.clock.now() - now) <= 1
    assert ledger.usage(world.store.db, world.pipeline.app, now).month > spent
    assert ledger.usage(world.store.db, world.pipeline.app, now).month - spent <= 60
