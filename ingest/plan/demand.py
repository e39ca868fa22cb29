"""What an installation asks for, by stream: what the month is divided for."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.core.units import DAY
from ingest.plan import planner
from ingest.plan.budget import Needs
from ingest.plan.coverage import Log
from ingest.plan.pacing import EVEN, Group
from ingest.plan.planner import Debt
from ingest.plan.quota import month_bounds
from ingest.plan.work import Classes, Work


@dataclass(frozen=True)
class Demand:
    """What is wanted of one stream: every `every` s of each of `systems` systems.

    `awake` is the seconds a day in which it is asked, `period` those between two uploads of the gateways (0: not
    known), `again` the calls a day of one system for second looks that fit into no live call, `history` the calls
    that history still needs, all systems together, and `leaving` those of them for data that leave the cloud this
    month. A look at one system takes `calls` calls.
    """

    stream: str
    systems: int
    every: int
    awake: int = DAY
    period: int = 0
    again: float = 0.0
    history: int = 0
    leaving: float = 0.0
    calls: int = 1

    @property
    def group(self) -> Group:
        """Its price class."""
        return Group(self.every, self.period, self.awake)


Class = tuple[str, Group, float, int]
"""What costs the same: stream, price class, calls a day for second looks, and calls a look."""


def demands(works: Iterable[Work], now: int, classes: Classes) -> list[Demand]:
    """What the pairs of an installation ask for, one entry per stream and price class, the dearest first.

    A system with nothing newer to come counts with its history alone.
    """
    classes_of: dict[tuple[object, ...], Class] = {}
    systems: Counter[Class] = Counter()
    debts: dict[Class, tuple[int, float]] = {}
    alike: dict[tuple[str, int, int | None, bool, int], Debt | None] = {}  # systems that nobody has heard yet
    later = month_bounds(now)[1]
    for work in works:
        if work.lacks_devices:
            continue
        reach = work.route.reach
        told = work.stream.name, work.every, work.profile.rhythm.period, work.daylight, reach, work.calls
        key = classes_of.get(told)
        if key is None:
            key = work.stream.name, work.group, planner.looks_again(work, classes), work.calls
            classes_of[told] = key
        systems[key] += not work.is_finished(now)
        if not reach:
            continue
        if work.log.seen or work.read:
            debt = planner.debt(heard(work, now), now, classes, later)
        else:
            new = work.stream.name, work.floor, work.until, work.history_from > now, work.calls
            if new not in alike:
                alike[new] = planner.debt(heard(work, now), now, classes, later)
            debt = alike[new]
        if debt is not None:
            calls, leaving = debts.get(key, (0, 0.0))
            debts[key] = calls + debt.calls, leaving + debt.leaving
    found = [
        Demand(name, many, kind.every, kind.awake, kind.period, again, *debts.get(key, (0, 0.0)), each)
        for key, many in systems.items()
        for name, kind, again, each in (key,)
    ]
    return sorted(found, key=lambda each: -each.systems * each.calls * each.group.calls(EVEN))


def heard(work: Work, now: int) -> Work:
    """A gateway that has not been heard yet is taken to have reported until now."""
    return work if work.log.seen else work._replace(log=Log([(now, now)]))


def needs(wanted: Sequence[Demand]) -> Needs:
    """The same as the month is divided by."""
    groups: Counter[Group] = Counter()
    for each in wanted:
        groups[each.group] += each.systems * each.calls
    history, leaving = sum(each.history for each in wanted), sum(each.leaving for each in wanted)
    return Needs(+groups, history, leaving, sum(each.again * each.systems for each in wanted))
