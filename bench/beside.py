"""What a report of a large fleet does to the ticks that are made beside it."""

import threading
import time

from bench.fleet import NOW, Moving, installation, pipeline
from bench.growth import TICK_S, answered
from bench.timing import within
from ingest.report import build_report, turn
from ingest.service.garbage import seldom_searched
from ingest.service.short_turns import short_turns

SYSTEMS, TICKS, PAUSE_S = 5_000, 400, 0.01


def ticks_beside_a_report() -> bool:
    """The wall time of ticks, a report being made in another thread all the time."""
    with installation(SYSTEMS) as (made, store):
        clock = Moving()
        machine = pipeline(made, store, clock)
        ended = threading.Event()

        def report() -> None:
            reader = store.reader()
            while not ended.is_set():
                with turn():  # as the service has it
                    build_report(made, reader, NOW, inventory=machine.inventory.frozen())
                reports.append(1)
            reader.close()

        beside = threading.Thread(target=report)
        took: list[float] = []
        reports: list[int] = []
        with seldom_searched(), short_turns():
            machine.tick()
            beside.start()
            try:
                for _ in range(TICKS):
                    began = time.perf_counter()
                    answered(machine, clock)
                    took.append(time.perf_counter() - began)
                    time.sleep(PAUSE_S)
            finally:
                ended.set()
                beside.join()
        assert reports, "no report was made beside them"
    slow = sorted(took)[-TICKS // 100]
    return within(f"99 of 100 ticks of {SYSTEMS:,} systems beside a report, wall", slow, TICK_S)
