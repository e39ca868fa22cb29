"""A large plan is used by several calls beside each other, which follow each other in ticks of their own."""

import itertools
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from ingest.plan import quota
from ingest.service.scheduler import SOON_S, Service
from ingest.service.tick import Tick
from ingest.simulator import Site
from tests.world import DAY, START, World

SITES = [Site(1000 + n, f"House {n}", "Europe/Berlin", 48.0, 11.0, 6000, 20, START - 30 * DAY) for n in range(6)]
LARGE = {"per_minute": 300, "per_month": 1_000_000}


class Slow(Executor):
    """Calls that are not answered while one looks."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return Future()


class Later(Executor):
    """Calls that are answered when it is time."""

    def __init__(self) -> None:
        self.work: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.work.append(lambda: fn(*args, **kwargs))
        return Future()

    def answer(self) -> int:
        """Answer all of them; returns how many there were."""
        for each in self.work:
            each()
        return len(self.work)


def waiting(world: World) -> Service:
    """A service in whose world six systems are known, and nobody answers any more."""
    world.run(6)
    world.pipeline.pool = Slow()
    return Service(world.pipeline, [], lambda: None)


@pytest.mark.parametrize("per_minute", [100, 150, 300, 1000])
def test_calls_that_take_their_time_do_not_hold_up_the_next(per_minute: int, tmp_path: Path) -> None:
    world = World(tmp_path, SITES, api={"plan": LARGE | {"per_minute": per_minute}})
    service, started = waiting(world), 0
    for _ in range(6):
        world.time.true += 1
        while (tick := service.pipeline.tick()).started:
            started += 1
            assert tick.may_go_on == (started < quota.workers(world.settings.rules.plan))
    assert started == quota.workers(world.settings.rules.plan)
    assert service.pipeline.in_flight == quota.workers(world.settings.rules.plan)
    world.pipeline._flying.clear()
    world.end()


def test_answers_that_come_together_are_recorded_in_ticks_of_their_own(tmp_path: Path) -> None:
    world = World(tmp_path, SITES, api={"plan": LARGE})
    calls, pipeline, woken = Later(), waiting(world).pipeline, []
    pipeline.pool = calls
    world.time.true += 1
    while pipeline.tick().started:
        pass
    pipeline.wake = lambda: woken.append(1)
    answered = calls.answer()
    woken.clear()
    ticks = [pipeline.tick() for _ in range(answered)]
    assert answered > 2
    assert [tick.recorded for tick in ticks] == [1] * answered
    assert len(woken) == answered - 1, "the next one follows at once, while any waits"
    world.end()


@pytest.mark.parametrize(("seconds", "starts"), [(0.001, 1), (0.5, 0)])
def test_after_a_long_recording_the_next_call_has_a_tick_of_its_own(
    seconds: float, starts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, SITES, api={"plan": LARGE})
    calls, pipeline, woken = Later(), waiting(world).pipeline, []
    pipeline.pool = calls
    world.time.true += 1
    assert pipeline.tick().started
    calls.answer()
    pipeline.wake = lambda: woken.append(1)
    moments = itertools.count()
    monkeypatch.setattr(time, "thread_time", lambda: seconds * next(moments))
    tick = pipeline.tick()
    assert (tick.recorded, tick.started, len(woken)) == (1, starts, 1 - starts)
    assert starts or pipeline.tick().started, "the next one follows at once"
    world.end()


@pytest.mark.parametrize(("tick", "seconds"), [(Tick(1, 0, START, may_go_on=True), SOON_S), (Tick(1, 0, START), 1)])
def test_where_another_call_may_be_made_the_next_tick_comes_at_once(
    tick: Tick, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, SITES[:1], api={"plan": LARGE})
    service = Service(world.pipeline, [], lambda: None)
    waits: list[float] = []
    monkeypatch.setattr(world.pipeline, "tick", lambda: tick)
    monkeypatch.setattr(service, "_next_tick", waits.append)
    service._tick()
    assert waits == [seconds]
    world.end()
