"""What polling costs and gives: never over a limit, fresh, history in the fewest calls, hardly a call in vain."""

import json
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from bench.footprint import measured
from bench.timing import tell, within
from ingest.config import PLANS
from ingest.core.http import Reply, Request
from ingest.fetch.transport import HttpTransport
from ingest.plan.quota import Plan, month_bounds
from ingest.plan.state import SystemRow
from ingest.simulator import SimulatedServer, Site
from ingest.store import progress
from ingest.store.database import Store
from tests import freshness, lateness
from tests.fleet import Fleet, Runner, busiest, mixed, months, read_two_years, unlucky
from tests.world import DAY, HOUR, START, Time, Wire, World

SYSTEMS = (1, 7, 50)
FAILING = (0.0, 0.3)
MOST = 20_000
"""Calls of one fleet at most; small plans are followed for a quarter of a year."""
HOUSE = Site(1, "House", "US/Pacific", 37.0, -122.0, 6000, 20, START - 800 * DAY)


def limits() -> bool:
    """Every plan, 1 to 50 systems, six streams, with and without faults, on a cloud that answers at once."""
    minute = month = 0.0
    calls = 0
    for per_minute, per_month, _ in PLANS.values():
        plan = Plan(per_minute, per_month)
        for systems in SYSTEMS:
            for failing in FAILING:
                runner = Runner(Fleet(systems, gateways=mixed, fails=unlucky(failing, systems)), plan)
                runner.run(92 * DAY, most=MOST)
                calls += len(runner.calls)
                minute = max(minute, busiest([made.at for made in runner.calls]) / per_minute)
                month = max(month, max(months(runner.calls).values()) / per_month)
    value = f"busiest 60 s {minute:.0%} and fullest month {month:.0%} of the plan, in {calls:,} calls"
    return tell("limits, every plan, 1 to 50 systems", value, "at most 100 %", good=minute <= 1 and month <= 1)


class OverHttp(Wire):
    """Carries requests to a simulated cloud over real sockets, under the clock of its world."""

    def __init__(self, server: SimulatedServer, clock: Time, latency: float) -> None:
        super().__init__(server.cloud, clock, latency)
        self._url, self._transport = server.url, HttpTransport(clock.sleep, "bench")

    def send(self, request: Request) -> Reply:
        reply = self._transport.send(replace(request, url=self._url + urlsplit(request.url).path))
        self.time.true += self.latency
        return reply


def watt_year() -> bool:
    """A year of one system on the free plan over HTTP, as the cloud counted it."""
    with ExitStack() as stack:
        world = World(Path(stack.enter_context(tempfile.TemporaryDirectory())), [HOUSE])
        server = stack.enter_context(SimulatedServer(world.cloud))
        world.wire = OverHttp(server, world.time, world.latency)
        world.crash()
        world.run(365 * DAY)
        world.end()
    counted = [int(call.at) for call in world.cloud.calls if call.counted]
    minute, by_month = busiest(counted), Counter(month_bounds(at)[0] for at in counted)
    refused = sum(call.status == 429 for call in world.cloud.calls)
    month = max(by_month.values())
    value = f"busiest 60 s {minute}, fullest month {month}, {refused} refused, of {len(counted):,} calls"
    good = minute <= 10 and month <= 1000 and not refused
    return tell("a year of one system on Watt, over HTTP", value, "at most 10, 1,000 and none", good=good)


def two_years() -> bool:
    """History of four streams on the free plan, the cloud's oldest data leaving meanwhile."""
    found = read_two_years(Plan(*PLANS["watt"][:2]))
    ratio = found.calls / found.least
    value = f"{ratio:.2f} of the least calls ({found.calls} of {found.least}), {found.lost} s lost at the moving edge"
    good = ratio <= 1.05 and found.lost == 0
    return tell("two years of four streams on Watt", value, "at most 1.05, none lost", good=good)


def plan_printed() -> bool:
    """`ingest plan` of a fleet that has just been listed."""
    plan = {"per_minute": 300, "per_month": 1_500_000}
    api = {"key": "bench-key", "client_id": "c", "client_secret": "bench-secret", "plan": plan}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = Store(folder / "state")
        with store.transaction() as db:
            for number in range(5000):
                progress.save_system(db, SystemRow(str(number), "home", f"House {number}", "Europe/Berlin"))
        store.close()
        config = folder / "fleet.yaml"
        config.write_text(json.dumps({"api": api, "state_dir": str(folder / "state")}))
        took = min(measured(config, "plan")[1] for _ in range(3))
    return within("plan of 5,000 systems on Partner", took, 1)


def _polled(plan: str, upload_every: int, days: int) -> tuple[float, float]:
    """Mean age of the newest interval against the best there is, and the share of useless calls."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), [replace(HOUSE, upload_every=upload_every)], api={"plan": plan})
        world.run(2 * DAY)
        useful = freshness.watch(world)
        world.run(days * DAY)
        age = freshness.ratio(world, START + 2 * DAY, START + (2 + days) * DAY)
        world.end()
    return age, useful.share


def polling() -> bool:
    """Freshness against every k-th upload, and calls in vain, by plan and gateway."""
    good = True
    for name, plan, upload_every, days, most in (
        ("broadband on Watt", "watt", 900, 14, 0.05),
        ("broadband on Kilowatt", "kilowatt", 900, 4, 0.10),
        ("cellular on Watt", "watt", 6 * HOUR, 14, 0.25),
        ("cellular on Kilowatt", "kilowatt", 6 * HOUR, 14, 0.25),
    ):
        age, vain = _polled(plan, upload_every, days)
        good &= tell(f"age of the newest interval, {name}", f"{age:.2f} of the best", "at most 1.10", good=age <= 1.10)
        good &= tell(f"useless calls, {name}", f"{vain:.1%}", f"under {most:.0%}", good=vain < most)
    return good


def late_data() -> bool:
    """Data made visible up to thirty days late: how long after that it was archived and delivered."""
    delays: list[int] = []
    for seed in range(5):
        with tempfile.TemporaryDirectory() as folder:
            delays += lateness.delays(lateness.hiding_world(seed, Path(folder)))
    usual = statistics.median(delays)
    value = f"{max(delays) / HOUR:.0f} h at most, {usual / HOUR:.0f} h as a rule ({len(delays)} pieces)"
    return tell("data up to 30 days late, there after", value, "at most 48 h", good=max(delays) <= 48 * HOUR)


MEASURES: tuple[Callable[[], bool], ...] = (plan_printed, limits, watt_year, two_years, polling, late_data)
