"""How each cost grows: with the number of systems, and with the years of one system. Linear is 1; 1.15 is the limit."""

import math
import resource
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.fleet import DAY, FIELDS, NOW, Moving, installation, pipeline
from bench.footprint import INGEST
from bench.timing import cpu, tell, within
from ingest.config import Settings
from ingest.core.point import Point, decode_fields, parse_series, series_key
from ingest.core.span import Span
from ingest.deliver.sender import Sender, record_delivery
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams.base import SystemInfo
from ingest.enphase.streams.site import SYSTEMS
from ingest.fetch.worker import Outcome
from ingest.plan.inventory import Inventory, listing
from ingest.report import build_report, metrics, turn
from ingest.report.own_points import points
from ingest.service.garbage import seldom_searched
from ingest.service.pipeline import Pipeline
from ingest.store import archive, journal, outbox, snapshot
from ingest.store.archive import Filter
from ingest.store.database import Store
from tests.world import Database

FLEETS = (10, 100, 1_000, 5_000)
YEARS = (1, 10, 20)
MOST = 1.15
TICK_S = 0.05
REPORT_S = 1.0
STATUS_S = 2.0


def exponent(costs: Mapping[int, float]) -> float:
    """The power of the size with which a cost grows over its last step, where what is constant weighs least."""
    (before, less), (after, more) = sorted(costs.items())[-2:]
    return math.log(max(more, 1e-9) / max(less, 1e-9)) / math.log(after / before)


# ── with the systems ──────────────────────────────────────────────────────────────────────────────────


@dataclass
class Installed:
    """What the costs are measured on: one filled state of a number of systems."""

    settings: Settings
    store: Store
    systems: int
    slowest: float = 0.0

    def report(self) -> float:
        """The five-minute report of a runner, which has at hand what planning knows."""
        inventory = Inventory(self.settings, snapshot.load(self.store.db))
        with seldom_searched():  # as the program does it
            return min(cpu(lambda: self._report(inventory)) for _ in range(2))

    def _report(self, inventory: Inventory) -> None:
        with turn():
            build_report(self.settings, self.store.db, NOW, inventory=inventory.frozen())

    def trouble(self) -> float:
        """The same a day later, when no gateway has been heard since and nobody may ask, and what is said of it."""
        return cpu(lambda: points(build_report(self.settings, self.store.db, NOW + DAY), "bench"))

    def metrics(self) -> float:
        """What Prometheus reads, the report being there."""
        made = build_report(self.settings, self.store.db, NOW)
        with seldom_searched():  # as the program does it
            return min(cpu(lambda: metrics.exposition(made, NOW, "ingest")) for _ in range(5))

    def replay(self) -> float:
        """Everything sent again to one sink, and recorded."""
        with self.store.transaction() as db:
            outbox.register(db, "db", "memory")
            outbox.record_delivered(db, "db", journal.next_seq(db) - 1, 0, 0)
            outbox.ask_replay(db, "db", Filter(("production_rgm", "consumption", "energy_daily")))
        sink = Counting()
        sender = Sender("db", sink, self.store.reader(), journal.next_seq(self.store.db) - 1)
        took = cpu(lambda: self._deliver(sender))
        sender.close()
        assert sink.lines >= self.systems * 100, sink.lines
        return took

    def _deliver(self, sender: Sender) -> None:
        while (done := sender.step()) is not None:
            with self.store.transaction() as db:
                record_delivery(db, done, NOW)

    def tick(self) -> float:
        """The mean of ten ticks, each of which starts a call, after the first."""
        clock = Moving()
        machine = pipeline(self.settings, self.store, clock)
        machine.tick()
        with seldom_searched():  # as the program does it
            return sum(cpu(lambda: answered(machine, clock)) for _ in range(10)) / 10

    def agenda(self) -> float:
        """Three calls a system: chosen, started, and their outcomes recorded."""
        return self.calls(3 * self.systems)

    def calls(self, many: int) -> float:
        """So many ticks, each of which records an outcome and starts a call. `slowest` is the longest of them."""
        clock = Moving()
        machine = pipeline(self.settings, self.store, clock)
        with seldom_searched():  # as the program does it
            took = [cpu(lambda: answered(machine, clock)) for _ in range(many)]
        self.slowest = max(took)
        return sum(took)

    def status(self) -> float:
        """The first screen of `ingest status`, the program's start included."""
        command = [str(INGEST), "--config", str(self.settings.config_path), "status"]
        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime


class Counting(Database):
    """A database that counts what it is given."""

    lines = 0

    def write(self, lines: Sequence[str]) -> int:
        """Count."""
        self.lines += len(lines)
        return 0


def answered(machine: Pipeline, clock: Moving) -> None:
    """One tick, a fifth of a second after the one before; the call that it starts is answered."""
    clock.at += 0.2
    machine.tick()
    for task in machine._flying.values():
        (call,) = machine.store.db.execute("SELECT max(id) FROM calls").fetchone()
        machine.events.put(answer(task, call, int(clock.at)))


def answer(task: Task, call: int, now: int) -> Outcome:
    """A good answer: the two newest intervals of what was asked of a stream of them, nothing new of another."""
    grain = task.stream.grain
    points: list[Point] = []
    end = now - now % 900
    if grain:
        end = min(end, task.window.end - task.window.end % grain)
        name = next(iter(task.stream.fields))
        fields = decode_fields(FIELDS)
        points = [Point(name, (("system", task.system),), end - grain * back, fields) for back in (2, 1)]
    made = Outcome(task, call, Verdict(Kind.OK, ""), points=points, answered_end=end, reported_at=now - 60)
    return replace(made, date_at=now)


def onboarding(systems: int) -> float:
    """The list of all systems read, a hundred a page, into an empty state, and the first tick after it."""
    with installation(0) as (made, store):
        machine = pipeline(made, store, Moving())
        for names in (series_key, parse_series):
            names.cache_clear()  # what a new program does not know
        with seldom_searched():  # as the program does it
            return cpu(lambda: listed(machine, systems))


def listed(machine: Pipeline, systems: int) -> None:
    """Record the pages of the list."""
    for first in range(0, systems, 100):
        numbers = range(first + 1, min(first + 100, systems) + 1)
        infos = [SystemInfo(str(number), f"House {number}", "Europe/Berlin", NOW - 400 * DAY) for number in numbers]
        task = Task("home", listing("home"), SYSTEMS, Span(0, 0), Purpose.SNAPSHOT)
        cursor = "more" if numbers.stop <= systems else ""
        machine.events.put(replace(answer(task, 0, NOW), systems=infos, points=(), cursor=cursor))
        machine.tick()


SYSTEM_COSTS = ("report", "trouble", "metrics", "replay", "onboarding", "tick", "agenda", "status")


def fleets() -> bool:
    """Every cost by the number of systems."""
    costs: dict[str, dict[int, float]] = {name: {} for name in SYSTEM_COSTS}
    slowest = 0.0
    for systems in FLEETS:
        costs["onboarding"][systems] = min(onboarding(systems) for _ in range(3))
        with installation(systems) as (made, store):
            installed = Installed(made, store, systems)
            for name in SYSTEM_COSTS:
                if name != "onboarding":
                    costs[name][systems] = getattr(installed, name)()
            slowest = installed.slowest
    good = [_grows(name, "systems", found) for name, found in costs.items()]
    most = FLEETS[-1]
    good.append(within(f"slowest of {3 * most:,} ticks of {most:,} systems", slowest, TICK_S))
    good.append(within(f"report of {most:,} systems", costs["report"][most], REPORT_S))
    good.append(within(f"status of {most:,} systems, first screen", costs["status"][most], STATUS_S))
    return all(good)


YEAR_COSTS: Mapping[str, Callable[[Installed], float]] = {
    "coverage": lambda installed: installed.calls(20),
    "report": lambda installed: installed.report(),
    "check": lambda installed: min(cpu(installed.store.check) for _ in range(3)),
    "export": lambda installed: cpu(lambda: sum(1 for _ in archive.select(installed.store.db, Filter()))),
}


def years() -> bool:
    """What the years of one system cost: its coverage with a hole a week, its days, its intervals."""
    costs: dict[str, dict[int, float]] = {name: {} for name in YEAR_COSTS}
    for many in YEARS:
        with installation(1, days=many * 365, hours=many * 365 * 24, holes=7) as (made, store):
            installed = Installed(made, store, 1)
            for name, cost in YEAR_COSTS.items():
                costs[name][many] = cost(installed)
    good = [_grows(name, "years", found) for name, found in costs.items()]
    return all(good)


def _grows(name: str, by: str, costs: Mapping[int, float]) -> bool:
    power = exponent(costs)
    figures = ", ".join(f"{cost:.3g} s at {size:,}" for size, cost in costs.items())
    text = f"exponent {power:.2f} ({figures})"
    return tell(f"{name} by {by}", text, f"at most {MOST}", good=power <= MOST)


MEASURES: tuple[Callable[[], bool], ...] = (years, fleets)
