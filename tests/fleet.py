"""A fleet in memory: the planner with a cloud that answers at once, under a clock that jumps to what is due."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.core.span import Span, floor_to, subtract, total, union
from ingest.core.units import DAY, HOUR, MINUTE, YEAR
from ingest.enphase.call import Purpose, Task
from ingest.enphase.catalogue import DEFAULTS, totals_of
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Stream
from ingest.enphase.streams.site import SUMMARY
from ingest.plan import coverage, quota, rhythm
from ingest.plan.budget import Rules
from ingest.plan.coverage import Advance, Log
from ingest.plan.dispatcher import Dispatcher
from ingest.plan.pacing import Daylight
from ingest.plan.profile import Profile
from ingest.plan.queue import DueQueue
from ingest.plan.quota import Plan, Usage
from ingest.plan.windows import served_from
from ingest.plan.work import Classes, Wanted, Work
from tests.works import a_work, changed

START = 1_782_864_000
"""2026-07-01 00:00 UTC."""
CLASSES = Classes(6 * HOUR, 4 * DAY)
STREAMS: tuple[Stream, ...] = (*(BY_NAME[name] for name in DEFAULTS), *totals_of(DEFAULTS), SUMMARY)
LIGHT = (13 * HOUR, 27 * HOUR)
"""When the sun shines, after midnight UTC: a day of 14 hours in California."""


@dataclass
class Gateway:
    """A gateway that uploads every `period` s, `phase` s after a multiple of it."""

    period: int = 900
    phase: int = 0

    def reported_at(self, now: int) -> int:
        return now - (now - self.phase) % self.period


@dataclass
class Fleet:
    """Systems and what was read of them; stands where the inventory does. `fails` says which calls go wrong, `nights`
    whether production streams rest.
    """

    systems: int
    streams: Sequence[Stream] = STREAMS
    gateways: Callable[[int], Gateway] = lambda _: Gateway()
    since: int = 7 * DAY
    fails: Callable[[Task], bool] = lambda _: False
    started: int = START
    nights: bool = True
    generation: int = 1
    pairs: dict[tuple[str, str], Work] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._gateways = {str(number): self.gateways(number) for number in range(1, self.systems + 1)}
        for system in self._gateways:
            for stream in self.streams:
                floor = self.started - self.since
                work = a_work(stream, system=system, floor=floor)
                self.pairs[work.key] = work

    def works(self, _: int) -> list[Work]:
        return list(self.pairs.values())

    def wanted(self) -> Iterator[Wanted]:
        yield from {work.system: work.wanted for work in self.pairs.values()}.values()

    def works_of(self, system: str, _: int) -> list[Work]:
        return [self.pairs[system, stream.name] for stream in self.streams if (system, stream.name) in self.pairs]

    def work(self, system: str, stream: str, _: int) -> Work | None:
        return self.pairs.get((system, stream))

    def answer(self, task: Task, now: int) -> None:
        """What a commit does to the pairs of the system."""
        work = self.pairs[task.pair]
        if self.fails(task):
            self.pairs[task.pair] = changed(work, rest_until=now + 60)
            return
        asked = work.asked_at if task.purpose is Purpose.HISTORY else now
        work = changed(work, asked_at=asked, rest_until=0)
        if task.stream.grain:
            work = self._heard(work, task, now)
        self.pairs[task.pair] = work

    def _heard(self, work: Work, task: Task, now: int) -> Work:
        reported = self._gateways[task.system].reported_at(now)
        is_new = not work.log or reported > work.log[-1].reported_at
        log = work.log.followed_by(Advance(now, reported), max(0, len(work.log) - 600)) if is_new else work.log
        learned = rhythm.look(work.rhythm, log, now, is_new=is_new)
        day = START - DAY
        for other in self.works_of(task.system, now):
            rests = self.nights and other.stream.name in ("stats", "rgm_stats")
            light = Daylight(day + LIGHT[0], day + LIGHT[1]) if rests else None
            if other.stream.grain:
                self.pairs[other.key] = changed(other, log=log, profile=Profile(learned), daylight=light)
        work = self.pairs[work.key]._replace(pair=work.pair)
        read = dict(work.read)
        for age in CLASSES.ages:
            span = coverage.trusted(log, now, age, task.window)
            read[age] = union(read.get(age, ()), [Span(span.start, floor_to(span.end, work.stream.grain))])
        return work._replace(read=read)


@dataclass
class Made:
    """A call of the fleet: when, and what for."""

    at: int
    task: Task


class Runner:
    """The loop of the pipeline without its parts that touch disk and network."""

    def __init__(self, fleet: Fleet, plan: Plan, reserve: float = 0.1, share: float = 0.2, latency: int = 1) -> None:
        self.fleet, self.plan, self.latency = fleet, plan, latency
        self.due_queue = DueQueue(fleet, CLASSES)  # type: ignore[arg-type] # it has what a queue asks of an inventory
        self.dispatcher = Dispatcher(self.due_queue, Rules(plan, reserve, share, 0.0))
        self.calls: list[Made] = []
        self.now = fleet.started
        self._month: Counter[int] = Counter()
        self._history: Counter[int] = Counter()

    def usage(self) -> Usage:
        month = quota.month_bounds(self.now)[0]
        begun = [made.at for made in self.calls[-self.plan.per_minute - 2 :] if made.at + self.latency > self.now - 61]
        return Usage(self._month[month], self._history[month], [at + self.latency for at in begun], begun)

    def step(self, until: int) -> None:
        usage = self.usage()
        choice = self.dispatcher.choose(self.now, usage, frozenset(["home"]), ())
        open_at = quota.open_at(self.plan, usage, self.now)
        if choice.tasks and open_at <= self.now:
            self._make(choice.tasks[0])
        else:
            self.now = min(until, max(open_at, self.now + 1) if choice.tasks else choice.next_at)

    def _make(self, task: Task) -> None:
        month = quota.month_bounds(self.now)[0]
        self._month[month] += 1
        self._history[month] += task.purpose is Purpose.HISTORY
        self.calls.append(Made(self.now, task))
        self.dispatcher.made(task)
        self.now += self.latency
        self.fleet.answer(task, self.now)
        self.due_queue.touch(task.system, self.now)

    def run(self, seconds: int, most: int = 20_000) -> None:
        until = self.now + seconds
        while self.now < until and len(self.calls) < most:
            self.step(until)


def unlucky(rate: float, seed: int) -> Callable[[Task], bool]:
    """Calls that fail at random."""
    rng = random.Random(seed)
    return lambda _: rng.random() < rate


def by_pair(calls: Sequence[Made]) -> dict[tuple[str, str], list[int]]:
    """When each pair was asked."""
    found: dict[tuple[str, str], list[int]] = {}
    for made in calls:
        found.setdefault(made.task.pair, []).append(made.at)
    return found


def months(calls: Sequence[Made]) -> Counter[int]:
    """Calls by calendar month."""
    return Counter(quota.month_bounds(made.at)[0] for made in calls)


def mixed(number: int) -> Gateway:
    """One gateway in four speaks by radio."""
    return Gateway(6 * HOUR if number % 4 == 0 else 900, number * 7919 % 21600)


def lives(calls: Sequence[Made]) -> Iterator[Made]:
    """Live calls alone."""
    return (made for made in calls if made.task.purpose is Purpose.LIVE)


def going_for_long(systems: int, cadences: Callable[[Sequence[Work]], Mapping[str, int]]) -> Fleet:
    """A fleet that has been polled for long, at the cadences (s) found for it by stream: history is read, rhythms are
    known, and the last looks are spread evenly.
    """
    fleet = Fleet(systems, gateways=lambda number: Gateway(900, number * 37 % 900), since=0, nights=False)
    for key, work in fleet.pairs.items():
        if work.stream.grain:
            said = fleet._gateways[work.system].reported_at
            log = Log((at, said(at)) for at in (START - DAY, START))
            fleet.pairs[key] = work._replace(log=log, profile=Profile(rhythm.Rhythm(900)))
    every = cadences(fleet.works(START))
    for key, work in fleet.pairs.items():
        asked_at = START - int((int(work.system) - 0.5) / systems * every[work.stream.name])
        if work.stream.grain:
            asked_at = fleet._gateways[work.system].reported_at(asked_at + 450) + rhythm.UPLOAD_MARGIN
        fleet.pairs[key] = changed(work, asked_at=min(START, asked_at))
    return fleet


def busiest(calls: Sequence[int]) -> int:
    """The most calls in any sliding 60 s, given when they were made."""
    most = first = 0
    for last, at in enumerate(calls):
        while calls[first] <= at - MINUTE:
            first += 1
        most = max(most, last + 1 - first)
    return most


@dataclass
class TwoYears:
    """What reading two years took: history calls, the least that the honoured windows allow, and seconds never read,
    but for the first hour: the first call takes its time.
    """

    calls: int
    least: int
    lost: int


FOUR = [BY_NAME[name] for name in ("stats", "rgm_stats", "production_meter_readings", "consumption")]


def read_two_years(plan: Plan, share: float = 0.2) -> TwoYears:
    """Read four streams of one system from the very edge of what the cloud keeps, which moves on meanwhile."""
    runner = Runner(Fleet(1, streams=FOUR, since=2 * YEAR + 5 * DAY), plan, share=share)
    pairs = {key: work for key, work in runner.fleet.pairs.items() if work.stream.grain}
    edges = {key: served_from(work, START) for key, work in pairs.items()}
    for _ in range(400):
        runner.run(DAY)
        if runner.now > START + 10 * DAY and runner.due_queue.needs <= 2:
            break
    found, old = TwoYears(0, 0, 0), START - CLASSES.look_again
    for key, edge in edges.items():
        work = runner.fleet.pairs[key]
        history = [made.task.window for made in runner.calls if made.task.pair == key and is_history(made)]
        found.calls += sum(1 for window in history if window.start < old)
        found.least += -(-(old - edge) // work.route.reach)
        found.lost += total(subtract((Span(edge + HOUR, old - DAY),), coverage.covered(work.read, CLASSES.look_again)))
    return found


def is_history(made: Made) -> bool:
    """Whether a call was for history."""
    return made.task.purpose is Purpose.HISTORY
