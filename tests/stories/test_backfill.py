"""History that is asked for: priced first, read by the runner, resumed after any interruption."""

from pathlib import Path

from ingest.simulator import Site
from ingest.store import wishes
from ingest.store.wishes import Backfill
from tests.world import DAY, START, World

SITE = Site(1001, "Home", "Europe/Berlin", 52.0, 13.0, 6000, 16, START - 300 * DAY)


def _world(folder: Path) -> World:
    return World(folder, [SITE], api={"plan": {"per_minute": 60, "per_month": 100_000}})


def _ask(world: World, wish: Backfill) -> None:
    with world.store.transaction() as db:
        wishes.ask(db, wish, int(world.time.true))


def _oldest(world: World, measurement: str) -> int:
    return min(world.rows(measurement, 1001))


def test_a_wish_is_read_by_the_runner(tmp_path: Path) -> None:
    world = _world(tmp_path)
    world.run(DAY // 4)
    assert _oldest(world, "consumption") > START - 8 * DAY
    _ask(world, Backfill(START - 60 * DAY))
    world.run(DAY // 4)
    for measurement in ("production_micro", "production_rgm", "consumption"):
        assert _oldest(world, measurement) <= START - 60 * DAY + 900
    assert world.pipeline.agenda.needs == 0


def test_a_wish_for_one_stream_leaves_the_others_alone(tmp_path: Path) -> None:
    world = _world(tmp_path)
    world.run(DAY // 4)
    _ask(world, Backfill(START - 40 * DAY, stream="consumption"))
    world.run(DAY // 4)
    assert _oldest(world, "consumption") <= START - 40 * DAY + 900
    assert _oldest(world, "production_rgm") > START - 8 * DAY


def test_what_lies_between_a_wish_and_the_rest_is_not_read(tmp_path: Path) -> None:
    world = _world(tmp_path)
    world.run(DAY // 4)
    before = len(world.cloud.calls)
    _ask(world, Backfill(START - 60 * DAY, START - 53 * DAY, stream="consumption"))
    world.run(DAY // 8)
    history = [call for call in world.cloud.calls[before:] if call.params.get("granularity") == "week"]
    times = world.rows("consumption", 1001)
    assert min(times) <= START - 60 * DAY + 900
    assert not [time for time in times if START - 52 * DAY < time < START - 8 * DAY]
    assert len(history) <= 2


def test_a_backfill_survives_crashes_without_buying_a_call_twice(tmp_path: Path) -> None:
    calls = []
    for name, crashes in (("calm", False), ("wild", True)):
        folder = tmp_path / name
        folder.mkdir()
        world = _world(folder)
        world.run(DAY // 4)
        _ask(world, Backfill(START - 90 * DAY))
        before = len(world.cloud.calls)
        for _ in range(10):
            world.run(60)
            if crashes:
                world.crash()
        world.run(DAY // 8)
        windows = [
            tuple(sorted(call.params.items())) for call in world.cloud.calls[before:] if "start_at" in call.params
        ]
        calls.append(len([one for one in windows if int(dict(one)["start_at"]) < START - 8 * DAY]))
        assert _oldest(world, "production_micro") <= START - 90 * DAY + 900
    assert calls[1] <= calls[0] + 10
