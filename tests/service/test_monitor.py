"""Reports are made beside the ticks: none waits for them, and what they find is written a little a tick."""

import gc
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ingest.report import Report, build_report
from ingest.service import monitor, scheduler
from ingest.service.garbage import search_all
from ingest.service.monitor import ReportJob
from ingest.service.scheduler import Service
from ingest.service.tick import Tick
from ingest.store import own
from tests.world import DAY, HOUR, World
from tests.worlds import SITE

PATIENCE_S = 60


def written(world: World) -> int:
    return len(own.after(world.store.db, 0, 10**6))


def test_what_a_report_found_is_written_by_the_owner_some_a_tick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReportJob, "MAX_POINTS", 2)
    world = World(tmp_path, [SITE])
    world.run(HOUR)
    watch = ReportJob(world.pipeline)
    watch.look()
    assert written(world) == 0, "only the owner writes"
    counts = []
    for _ in range(4):
        watch.record()
        counts.append(written(world))
    assert counts[:3] == [2, 4, 6]
    assert counts[3] == counts[2]
    world.end()


def test_what_was_said_since_a_report_found_it_is_not_said_again(tmp_path: Path) -> None:
    world = World(tmp_path, [SITE])
    world.run(HOUR)
    job = ReportJob(world.pipeline)
    job.look()
    job()
    said = written(world)
    assert said > 0
    job.record()
    assert written(world) == said
    world.end()


def test_a_tick_that_is_due_while_one_runs_comes_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, [SITE])
    service, ticks, again = Service(world.pipeline, [], lambda: None), list[int](), threading.Event()

    def tick() -> Tick:
        if ticks:
            again.set()
        ticks.append(1)
        service._next_tick(0)
        time.sleep(0.2)  # the scheduler sees that it is due, and that it runs
        return Tick(next_at=int(world.time.true) + DAY)

    monkeypatch.setattr(world.pipeline, "tick", tick)
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        assert again.wait(scheduler.TICK_S / 2)
    finally:
        service.stop()
        thread.join(PATIENCE_S)
    world.end()


def test_a_report_that_takes_long_delays_no_tick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "TICK_S", 0.05)
    world = World(tmp_path, [SITE])
    begun, release, ticked = threading.Event(), threading.Event(), threading.Event()

    def report() -> None:
        begun.set()
        release.wait(PATIENCE_S)

    service = Service(world.pipeline, [], report, ticked.set)
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        assert begun.wait(PATIENCE_S)
        ticked.clear()
        assert ticked.wait(PATIENCE_S), "no tick while a report is being made"
        assert not release.is_set()
        assert gc.get_threshold()[2] > 100_000, "a full search for cycles delays a tick"
        assert service._scheduler.get_job("memory").func is search_all, "and is made once a day"
    finally:
        release.set()
        service.stop()
        thread.join(PATIENCE_S)
    world.end()


def test_the_report_of_the_service_has_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world, searched = World(tmp_path, [SITE]), list[bool]()

    def build(*values: Any, **more: Any) -> Report:
        searched.append(gc.isenabled())
        return build_report(*values, **more)

    monkeypatch.setattr(monitor, "build_report", build)
    ReportJob(world.pipeline)()
    assert searched == [False]
    assert gc.isenabled()
    world.end()
