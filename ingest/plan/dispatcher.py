"""What to ask now: the most urgent of the agenda, within what the month admits."""

from collections.abc import Collection
from dataclasses import dataclass

from ingest.core.units import HOUR
from ingest.enphase.call import Task
from ingest.plan import budget, quota
from ingest.plan.budget import Flow, Needs, Pace, Rules
from ingest.plan.queue import Agenda, Key
from ingest.plan.quota import Usage

LONGEST_WAIT = HOUR


@dataclass(frozen=True)
class Choice:
    """The calls to make, most urgent first, and when to look again if none of them can be made (epoch s)."""

    tasks: list[Task]
    next_at: int


class Desk:
    """Keeps the pace of a month. `pace` is that of the last choice."""

    def __init__(self, agenda: Agenda, rules: Rules) -> None:
        self.agenda, self.rules = agenda, rules
        self.pace = Pace()
        self._flow = Flow()

    def choose(self, now: int, usage: Usage, accounts: frozenset[str], flying: Collection[Key]) -> Choice:
        """What to ask now: live calls as they fall due, first-timers at once, and history within its share."""
        agenda = self.agenda
        agenda.keep_up(now, accounts)
        needs = Needs(agenda.groups, agenda.needs, agenda.leaving, agenda.again)
        self.pace = budget.pace(self.rules, needs, usage, now)
        agenda.factors = self.pace.factors
        if self.pace.left <= 0:
            return Choice([], quota.month_of(now)[1])
        flows_at = self._flow.open_at(self.pace.per_day, now)
        tasks = agenda.live(now, flying, only_new=flows_at > now)
        if self.pace.history > 0:
            asked = {*flying, *(task.pair for task in tasks)}
            tasks += agenda.history(now, asked, only_leaving=self.pace.only_leaving)
        next_at = max(agenda.next_at(flying), flows_at) if flows_at > now else agenda.next_at(flying)
        if agenda.waits:
            next_at = min(next_at, flows_at)
        return Choice(tasks, max(now + 1, min(next_at, now + LONGEST_WAIT)))

    def made(self, task: Task) -> None:
        """A call was made."""
        self._flow.take(task.purpose)
