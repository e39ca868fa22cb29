"""The pairs in the order in which they are due, updated by commits, so that a tick does not scan a large fleet.

The queue is a hint: a pair that seems due is looked at afresh before it is asked.
"""

import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable
from typing import NamedTuple

from ingest.core.units import HOUR, MINUTE, NEVER
from ingest.enphase.call import Task
from ingest.plan import planner
from ingest.plan.front import Front, PairKey
from ingest.plan.inventory import Inventory
from ingest.plan.pacing import Factors, Group
from ingest.plan.planner import Debt
from ingest.plan.quota import month_bounds
from ingest.plan.work import Classes, Work

SWEEP = HOUR
"""Seconds after which every pair is looked at again, besides when a commit touched it."""
DRIFT = 0.02
"""Dues are computed again when the pace has changed by this share."""
SYSTEMS_PER_TICK = 8
"""At most that many systems are looked at again in a tick because of a change of pace, or of their age."""
DUE_PER_TICK = 250
"""At most that many pairs are found in a tick to have become due; the others in the next."""
BATCH = 8
"""How many of the most urgent pairs are looked at together; more, where none of them can be asked."""
READY_DEBTS = 128
"""How many of the pairs whose history is most urgent are kept ready."""
SOON = 5
"""Seconds after which history is looked for again, where none is owed that may be asked now."""
PRICED = HOUR
"""Seconds after which the history of a pair is priced again, besides when a commit touched it."""
REPRICED_PER_TICK = 40
"""At most that many pairs have their history priced again in a tick because of the age of its price."""


class Swept(NamedTuple):
    """When all pairs were last looked at, and with which pace, inventory and accounts."""

    at: int = -SWEEP
    factors: Factors = Factors()
    generation: int = -1
    accounts: frozenset[str] = frozenset()


class DueQueue:
    """Dues and debts of the pairs of an inventory, at the pace of `factors`.

    `groups` are the pairs by what they cost, `needs` the calls that history needs now and `leaving` those of them for
    data that leave the cloud this month, `again` the calls a day that second looks will need.
    """

    def __init__(self, inventory: Inventory, classes: Classes) -> None:
        self._inventory, self._classes = inventory, classes
        self.factors = Factors()
        self.groups: Counter[Group] = Counter()
        self.needs, self.leaving, self.again = 0, 0.0, 0.0
        self._swept = Swept()
        self._works: dict[PairKey, Work] = {}
        self._of: defaultdict[str, set[PairKey]] = defaultdict(set)
        self._group: dict[PairKey, Group | None] = {}
        self._due: dict[PairKey, int] = {}
        self._order: dict[PairKey, int] = {}
        self._heap: list[tuple[int, int, PairKey]] = []
        self._queued: dict[PairKey, int] = {}  # the newest entry of each pair in the heap
        self._due_now = Front()
        self._debts: dict[PairKey, Debt] = {}
        self._priced: deque[tuple[int, PairKey]] = deque()
        self._priced_at: dict[PairKey, int] = {}
        self._unpriced: set[PairKey] = set()
        self._unswept: deque[str] = deque()
        self._urgent_debts: set[PairKey] = set()
        self._debts_ranked_at, self._found = 0, True

    # ── keeping up ────────────────────────────────────────────────────────────────────────────────────

    def keep_up(self, now: int, accounts: frozenset[str]) -> None:
        """Follow the time: look at everything at first, and at a few systems a tick where the pace has changed or an
        hour has passed; price again the history whose price is oldest.

        `accounts` are those that can be asked now; the pairs of others are left out.
        """
        swept, generation = self._swept, self._inventory.generation
        is_late = now - swept.at >= SWEEP
        moved = any(abs(new / old - 1) > DRIFT for new, old in zip(self.factors, swept.factors, strict=True))
        if not self._works or swept.accounts != accounts:
            self._swept = Swept(now, self.factors, generation, accounts)
            self._sweep(now)
        elif swept.generation != generation or moved or is_late:
            again = moved or is_late
            self._swept = Swept(now if again else swept.at, self.factors, generation, accounts)
            self._sweep_later(again=again)
        for _ in range(min(SYSTEMS_PER_TICK, len(self._unswept))):
            self._look(self._unswept.popleft(), now)
        for _ in range(min(REPRICED_PER_TICK, len(self._priced))):
            at, key = self._priced[0]
            if now - at < PRICED:
                break
            self._priced.popleft()
            if self._priced_at.get(key) == at:
                self._price(key, now)

    @property
    def is_swept(self) -> bool:
        """Whether no system waits to be looked at again."""
        return not self._unswept

    @property
    def is_priced(self) -> bool:
        """Whether the history of every pair has been looked at: only then does no need mean that nothing is owed."""
        return bool(self._works) and not self._unpriced

    def _sweep(self, now: int) -> None:
        works = {work.key: work for work in self._inventory.works(now) if work.account in self._swept.accounts}
        for gone in self._works.keys() - works.keys():
            self._forget(gone)
        self._unswept.clear()
        self._heap.clear()
        self._queued.clear()
        self._due_now.clear()
        for work in works.values():
            self._put(work, now)

    def _sweep_later(self, *, again: bool) -> None:
        """Have the systems looked at that came or went; `again` all of them, those that wait already not twice."""
        known = {system for system, keys in self._of.items() if keys}
        lists = (system for system in known if system.startswith("@"))
        names = dict.fromkeys((*lists, *(wanted.system for wanted in self._inventory.wanted())))
        waiting = set(self._unswept)
        gone = known.difference(names)
        self.look_soon([*(name for name in names if name not in known), *gone])
        if again:
            self._unswept.extend(name for name in names if name in known and name not in waiting)

    def look_soon(self, systems: Iterable[str]) -> None:
        """Have systems looked at that came, went or changed, in that order, before others: a list may name a hundred, a
        tick looks at a few.
        """
        waiting = set(self._unswept)
        self._unswept.extendleft(reversed([system for system in systems if system not in waiting]))

    def touch(self, system: str, now: int) -> None:
        """Look again at the pairs of a system, something of which was just committed."""
        for work in self._look(system, now):
            self._price(work.key, now)

    def _look(self, system: str, now: int) -> list[Work]:
        """Bring the pairs of a system up to date."""
        works = [work for work in self._inventory.works_of(system, now) if work.account in self._swept.accounts]
        for gone in self._of[system] - {work.key for work in works}:
            self._forget(gone)
        for work in works:
            self._put(work, now)
        return works

    def _put(self, work: Work, now: int) -> None:
        key, old = work.key, self._works.get(work.key)
        if old is None:
            self._order[key] = len(self._order)
            self._priced.appendleft((-PRICED, key))
            self._priced_at[key] = -PRICED
            self._unpriced.add(key)
        group = work.group_at(now)
        self._count(self._group.get(key), old or work, -1)
        self._count(group, work, 1)
        self._works[key], self._group[key] = work, group
        self._of[key[0]].add(key)
        self._due_now.discard(key)
        self._push(key, planner.due_at(work, self.factors))

    def _push(self, key: PairKey, at: int) -> None:
        """Note when a pair is due. What is due at night would else be entered again after each call of its system."""
        self._due[key] = at
        if self._queued.get(key) != at:
            self._queued[key] = at
            heapq.heappush(self._heap, (at, self._order[key], key))

    def _pop(self) -> tuple[int, int, PairKey]:
        """Take the next entry from the heap."""
        entry = heapq.heappop(self._heap)
        at, _, key = entry
        if self._queued.get(key) == at:
            del self._queued[key]
        return entry

    def _count(self, group: Group | None, work: Work, by: int) -> None:
        if group is not None:
            self.again += by * planner.looks_again(work, self._classes)
            self.groups[group] += by * work.calls
            if not self.groups[group]:
                del self.groups[group]

    def _forget(self, key: PairKey) -> None:
        self._of[key[0]].discard(key)
        self._due_now.discard(key)
        self._urgent_debts.discard(key)
        self._unpriced.discard(key)
        self._count(self._group.pop(key), self._works.pop(key), -1)
        self._owe(key, None)
        del self._due[key], self._priced_at[key]

    def _price(self, key: PairKey, now: int) -> None:
        self._owe(key, planner.debt(self._works[key], now, self._classes, month_bounds(now)[1]))
        self._priced_at[key] = now
        self._unpriced.discard(key)
        self._priced.append((now, key))

    def _owe(self, key: PairKey, debt: Debt | None) -> None:
        old = self._debts.pop(key, None)
        for each, by in ((old, -1), (debt, 1)):
            if each is not None:
                self.needs += by * each.calls
                self.leaving += by * each.leaving
        if debt is not None:
            self._debts[key] = debt
            self._urgent_debts.add(key)

    # ── asking ────────────────────────────────────────────────────────────────────────────────────────

    def live(self, now: int, flying: Collection[PairKey], *, only_new: bool = False) -> tuple[list[Task], bool]:
        """The live calls and snapshots that are due, the most overdue first; of a large fleet only the most urgent.

        `only_new` leaves out what was asked before; the second value then says whether any of that is due.
        """
        for _ in range(DUE_PER_TICK):
            if not self._heap or self._heap[0][0] > now:
                break
            at, order, key = self._pop()
            if self._due.get(key) == at:
                self._due_now.add(self._works[key], at, order)
        waits = only_new and self._due_now.has_asked
        while keys := self._due_now.first(BATCH, now, flying, only_new=only_new):
            works = [self._fresh(key, now) for key in keys]
            tasks = planner.live_tasks(works, now, self._classes, self.factors)
            for key in {work.key for work in works} - {task.pair for task in tasks}:
                self._due_now.discard(key)
                pause = SWEEP if self._works[key].is_finished(now) else MINUTE
                self._push(key, max(planner.due_at(self._works[key], self.factors), now + pause))
            if tasks:
                return tasks, waits
        return [], waits

    def _fresh(self, key: PairKey, now: int) -> Work:
        """A pair as it stands at this moment."""
        return self._inventory.work(*key, now) or self._works[key]

    def history(self, now: int, flying: Collection[PairKey], *, only_leaving: bool) -> list[Task]:
        """The most urgent history calls."""
        rest = MINUTE if self._urgent_debts else (0 if self._found else SOON)
        if now - self._debts_ranked_at >= rest:
            owing = ((debt.key, key) for key, debt in self._debts.items() if self._history_at(key) <= now)
            self._urgent_debts = {key for _, key in heapq.nsmallest(READY_DEBTS, owing)}
            self._debts_ranked_at, self._found = now, bool(self._urgent_debts)
        self._urgent_debts = {key for key in self._urgent_debts if key in self._debts and self._history_at(key) <= now}
        keys = sorted(self._urgent_debts - set(flying), key=lambda key: (self._debts[key].key, self._order[key]))
        if len(keys) > 4 * READY_DEBTS:
            self._urgent_debts.difference_update(keys[READY_DEBTS:])
        works = [self._fresh(key, now) for key in keys[:BATCH]]
        return planner.history_tasks(works, now, self._classes, only_leaving=only_leaving)

    def _history_at(self, key: PairKey) -> int:
        return max(self._works[key].history_from, self._debts[key].at)

    def next_at(self, flying: Collection[PairKey]) -> int:
        """When the next pair is due (epoch s); far away when nothing ever is."""
        while self._heap and (self._due.get(self._heap[0][2]) != self._heap[0][0] or self._heap[0][2] in flying):
            self._pop()
        return self._heap[0][0] if self._heap else NEVER
