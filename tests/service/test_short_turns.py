"""A thread that reads from the disk does not wait long for one that computes."""

import os
import sys
import threading
from pathlib import Path
from statistics import median

import pytest

from ingest.service.scheduler import Service
from ingest.service.short_turns import TURN_S, short_turns
from tests.world import World

READS = 40


def computed_meanwhile() -> int:
    """How many steps another thread computes while this one reads so many times."""
    steps, begun, ended = 0, threading.Event(), threading.Event()

    def compute() -> None:
        nonlocal steps
        begun.set()
        while not ended.is_set():
            steps += 1

    thread = threading.Thread(target=compute)
    thread.start()
    begun.wait()
    for _ in range(READS):
        os.stat("/")
    ended.set()
    thread.join()
    return steps


def test_who_reads_waits_for_a_fraction_of_what_else_would_be_computed() -> None:
    usual = sys.getswitchinterval()
    long = median(computed_meanwhile() for _ in range(9))
    with short_turns():
        short = median(computed_meanwhile() for _ in range(9))
    assert short < long / 2, (short, long)
    assert sys.getswitchinterval() == usual


def test_the_service_lets_its_threads_take_short_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world, turns = World(tmp_path, []), list[float]()
    service = Service(world.pipeline, [], lambda: None)
    monkeypatch.setattr(service._scheduler, "start", lambda: turns.append(sys.getswitchinterval()))
    thread = threading.Thread(target=service.run)  # signals are the main thread's
    thread.start()
    thread.join()
    assert turns == pytest.approx([TURN_S])
    world.end()
