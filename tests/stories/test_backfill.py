"""History that is asked for: priced first, read by the runner, resumed after any interruption."""

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from ingest.core.span import Span, intersect, total
from ingest.plan.windows import debts
from ingest.simulator import Site
from ingest.store import backfills
from ingest.store.backfills import BackfillRequest
from ingest.web.calendar import calendar
from tests.world import DAY, START, World

KILLS = 10
SITE = Site(1001, "Home", "Europe/Berlin", 52.0, 13.0, 6000, 16, START - 300 * DAY)


def _world(folder: Path) -> World:
    return World(folder, [SITE], api={"plan": {"per_minute": 60, "per_month": 100_000}})


def _ask(world: World, wish: BackfillRequest) -> None:
    with world.store.transaction() as db:
        backfills.ask(db, wish, int(world.time.true))


def _oldest(world: World, measurement: str) -> int:
    return min(world.rows(measurement, 1001))


def test_a_wish_is_read_by_the_runner(tmp_path: Path) -> None:
    world = _world(tmp_path)
    world.run(DAY // 4)
    assert _oldest(world, "consumption") > START - 8 * DAY
    _ask(world, BackfillRequest(START - 60 * DAY))
    world.run(DAY // 4)
    for measurement in ("production_micro", "production_rgm", "consumption"):
        assert _oldest(world, measurement) <= START - 60 * DAY + 900
    assert world.pipeline.due_queue.needs == 0


def test_a_wish_for_one_stream_leaves_the_others_alone(tmp_path: Path) -> None:
    world = _world(tmp_path)
    world.run(DAY // 4)
    _ask(world, BackfillRequest(START - 40 * DAY, stream="consumption"))
    world.run(DAY // 4)
    assert _oldest(world, "consumption") <= START - 40 * DAY + 900
    assert _oldest(world, "production_rgm") > START - 8 * DAY


def _kinds(world: World, stream: str) -> list[str]:
    """What the calendar of the page shows of each day, today last."""
    inventory, now = world.pipeline.inventory, int(world.time.true)
    work = inventory.work("1001", stream, now)
    assert work
    return [cell.kind for cell in calendar(inventory, work, now, 13, []).cells]


def test_what_lies_between_a_wish_and_the_rest_is_not_read(tmp_path: Path) -> None:
    world = _world(tmp_path)
    world.run(DAY // 4)
    before = len(world.cloud.calls)
    _ask(world, BackfillRequest(START - 60 * DAY, START - 53 * DAY, stream="consumption"))
    world.run(DAY // 8)
    history = [call for call in world.cloud.calls[before:] if call.params.get("granularity") == "week"]
    times = world.rows("consumption", 1001)
    assert min(times) <= START - 60 * DAY + 900
    assert not [time for time in times if START - 52 * DAY < time < START - 8 * DAY]
    kinds = _kinds(world, "consumption")
    assert kinds[-57] == "complete"
    assert set(kinds[-50:-12]) == {"outside"}
    assert len(history) <= 2


@pytest.mark.parametrize("seed", range(2 if os.environ.get("INGEST_LONG") else 1))
def test_a_backfill_killed_ten_times_takes_the_calls_of_a_calm_one_and_at_most_one_a_kill(
    seed: int, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    calm, wild = (_asked_for_history(tmp_path / name) for name in ("calm", "wild"))
    calm.run(DAY // 8)
    for _ in range(KILLS):
        wild.run(rng.randrange(1, 12))
        wild.pipeline.tick()  # what this asks is never recorded
        wild.crash()
    wild.run(int(calm.time.true - wild.time.true))
    least, taken = _history(calm), _history(wild)
    assert least.total() > 60
    assert least - taken == Counter(), "a window that the calm one read was left out"
    assert (taken - least).total() <= KILLS
    for world in (calm, wild):
        assert _oldest(world, "production_micro") <= START - 60 * DAY + 900
        assert world.pipeline.due_queue.needs == 0


def _asked_for_history(folder: Path) -> World:
    folder.mkdir()
    world = _world(folder)
    world.run(DAY // 4)
    _ask(world, BackfillRequest(START - 60 * DAY))
    return world


def _history(world: World) -> Counter[tuple[str, str]]:
    """The calls for old windows, by path and the start of the window."""
    old = START - 8 * DAY
    asked = ((call.path, call.params.get("start_at", "")) for call in world.cloud.calls)
    return Counter((path, start) for path, start in asked if start and int(start) < old)


# ── taken back ────────────────────────────────────────────────────────────────────────────────────────


def _take_back(world: World, number: int) -> None:
    with world.store.transaction() as db:
        backfills.cancel(db, number, int(world.time.true))


def test_what_is_taken_back_is_not_read_any_further_and_what_was_read_stays(tmp_path: Path) -> None:
    world = _world(tmp_path)
    world.run(DAY // 4)
    _ask(world, BackfillRequest(START - 200 * DAY))
    world.run(60)
    held = len(world.rows("production_micro", 1001))
    assert _oldest(world, "production_micro") < START - 20 * DAY
    assert world.pipeline.due_queue.needs > 20
    _take_back(world, 1)
    world.run(1)
    before = _history(world)
    world.run(DAY // 4)
    assert _history(world) == before
    assert world.pipeline.due_queue.needs == 0
    assert len(world.rows("production_micro", 1001)) >= held
    assert backfills.active(world.store.db) == []


def test_what_two_requests_ask_for_stays_wanted_until_both_are_taken_back(tmp_path: Path) -> None:
    world = _world(tmp_path)
    world.run(DAY // 4)
    _ask(world, BackfillRequest(START - 60 * DAY))
    _ask(world, BackfillRequest(START - 40 * DAY, START - 30 * DAY))
    world.pipeline.tick()
    for number, wanted in ((1, 10), (2, 0)):
        _take_back(world, number)
        world.pipeline.tick()
        work = world.pipeline.inventory.work("1001", "consumption", int(world.time.true))
        assert work
        old, _ = debts(work, int(world.time.true), world.pipeline.classes)
        assert total(intersect(old, Span(0, START - 8 * DAY))) == pytest.approx(wanted * DAY, abs=7 * DAY)


def test_a_larger_share_goes_with_the_request_that_asked_for_it(tmp_path: Path) -> None:
    world = World(tmp_path, [SITE])
    world.run(DAY // 24)
    _ask(world, BackfillRequest(START - 200 * DAY, share=0.6))
    world.run(600)
    assert world.pipeline.dispatcher.rules.share == 0.6
    _take_back(world, 1)
    world.run(600)
    assert world.pipeline.dispatcher.rules.share == 0.2
