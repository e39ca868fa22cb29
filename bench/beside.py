"""What a report of a large fleet does to the ticks that are made beside it."""

import threading
import time

from bench.fleet import NOW, Moving, installation, pipeline
from bench.growth import TICK_S, answered
from bench.timing import tell
from ingest.report import build_report
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
                build_report(made, reader, NOW, inventory=machine.inventory.frozen())
            reader.close()

        beside = threading.Thread(target=report)
        took: list[float] = []
        with seldom_searched(), short_turns():
            machine.tick()
            beside.start()
            for _ in range(TICKS):
                began = time.perf_counter()
                answered(machine, clock)
                took.append(time.perf_counter() - began)
                time.sleep(PAUSE_S)
            ended.set()
            beside.join()
    slow = sorted(took)[-TICKS // 100]
    value = f"99 of 100 within {slow * 1000:.0f} ms, the slowest {max(took) * 1000:.0f} ms"
    name = f"ticks of {SYSTEMS:,} systems beside a report"
    return tell(name, value, f"99 of 100 within {TICK_S * 1000:.0f} ms", good=slow < TICK_S)
