"""What a day of one system writes to the card, and how much of that is what the pipeline says of itself."""

import re
import tempfile
from pathlib import Path

from bench.planner import HOUSE
from bench.timing import tell
from ingest.service.monitor import ReportJob
from tests.world import DAY, World

REPORT_S = 300
DAYS = {"watt": 20, "kilowatt": 4}
"""Of which the mean is taken: what waits in the log is written after four megabytes."""
MOST = {"watt": 2.5, "kilowatt": 8.0}
"""Megabytes a day."""
OWN = 0.1
"""Of which what the pipeline says of itself may be so much."""


def writes() -> bool:
    """Bytes given to the system for writing, with the five-minute report and without it. A card that takes 4 kB at once
    writes up to twice as many.
    """
    good = True
    for plan, most in MOST.items():
        alone, all_of_it = (_a_day(plan, reports=reports) for reports in (False, True))
        own = (all_of_it - alone) / all_of_it
        value, wanted = f"{all_of_it:.2f} MB a day, {own:.1%} of it about itself", f"at most {most} MB, {OWN:.0%}"
        is_good = all_of_it <= most and own <= OWN
        good &= tell(f"written by one system on {plan.capitalize()}", value, wanted, good=is_good)
    return good


def _a_day(plan: str, *, reports: bool) -> float:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), [HOUSE], api={"plan": plan}, systems=[{"id": HOUSE.system_id, "since": "1d"}])
        _run(world, 2 * DAY, reports=reports)
        before = _written()
        _run(world, DAYS[plan] * DAY, reports=reports)
        took = _written() - before
        world.end()
    return took / DAYS[plan] / 1e6


def _run(world: World, seconds: int, *, reports: bool) -> None:
    report = ReportJob(world.pipeline)
    for _ in range(seconds // REPORT_S):
        world.run(REPORT_S)
        if reports:
            report()


def _written() -> int:
    """Bytes that this process gave to the system for writing."""
    found = re.search(r"wchar: (\d+)", Path("/proc/self/io").read_text())
    return int(found[1]) if found else 0
