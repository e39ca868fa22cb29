"""Chooses the next calls: the most urgent ones of the queue, within the budget of the month."""

from collections.abc import Collection
from dataclasses import dataclass

from ingest.core.units import HOUR
from ingest.enphase.call import Purpose, Task
from ingest.plan import budget, quota
from ingest.plan.budget import Needs, Pace, Rules, TokenBucket
from ingest.plan.front import PairKey
from ingest.plan.queue import DueQueue
from ingest.plan.quota import Usage

LONGEST_WAIT = HOUR


@dataclass(frozen=True)
class Choice:
    """The calls to make, most urgent first, and when to look again if none of them can be made (epoch s)."""

    tasks: list[Task]
    next_at: int


class Dispatcher:
    """Keeps the pace of a month. `pace` is that of the last choice."""

    def __init__(self, due_queue: DueQueue, rules: Rules) -> None:
        self.due_queue, self.rules = due_queue, rules
        self.pace = Pace()
        self._live, self._history = TokenBucket(), TokenBucket(empty=True)

    def choose(self, now: int, usage: Usage, accounts: frozenset[str], flying: Collection[PairKey]) -> Choice:
        """What to ask now: live calls as they fall due, first-timers at once, and history within its share."""
        due_queue = self.due_queue
        due_queue.keep_up(now, accounts)
        needs = Needs(due_queue.groups, due_queue.needs, due_queue.leaving, due_queue.again)
        self.pace = budget.pace(self.rules, needs, usage, now)
        due_queue.factors = self.pace.factors
        if self.pace.left <= 0:
            return Choice([], quota.month_bounds(now)[1])
        flows_at = self._live.open_at(self.pace.per_day, now)
        tasks, waits = due_queue.live(now, flying, only_new=flows_at > now)
        if self._may_read_history(now):
            asked = {*flying, *(task.pair for task in tasks)}
            tasks += due_queue.history(now, asked, only_leaving=self.pace.only_leaving)
        next_at = max(due_queue.next_at(flying), flows_at) if flows_at > now else due_queue.next_at(flying)
        if waits:
            next_at = min(next_at, flows_at)
        if not due_queue.is_swept:
            next_at = now
        return Choice(tasks, max(now + 1, min(next_at, now + LONGEST_WAIT)))

    def _may_read_history(self, now: int) -> bool:
        """Whether a call for history may be made: at once within the guarantee, else as the days go by."""
        opens_at = self._history.open_at(self.pace.history_per_day, now)
        return self.pace.history > 0 and (self.pace.at_once > 0 or opens_at <= now)

    def made(self, task: Task) -> None:
        """A call was made."""
        if task.purpose is not Purpose.HISTORY:
            self._live.take()
        elif not self.pace.at_once:
            self._history.take()
