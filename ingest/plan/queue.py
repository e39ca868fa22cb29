"""The pairs in the order in which they are due, updated by commits, so that a tick does not scan a large fleet.

The queue is a hint: a pair that seems due is looked at afresh before it is asked.
"""

import heapq
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from itertools import count
from typing import NamedTuple

from ingest.core.units import HOUR, MINUTE, NEVER
from ingest.enphase.call import Task
from ingest.plan import planner
from ingest.plan.front import Front, PairKey
from ingest.plan.inventory import Inventory
from ingest.plan.owed import Owed, Slot
from ingest.plan.pacing import Factors, Group
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

    `groups` are the pairs by what they cost, `again` the calls a day that second looks will need.
    """

    def __init__(self, inventory: Inventory, classes: Classes) -> None:
        self._inventory, self._classes = inventory, classes
        self.factors = Factors()
        self.groups: Counter[Group] = Counter()
        self.again = 0.0
        self._swept = Swept()
        self._slots: dict[str, dict[str, Slot]] = {}  # by system and stream
        self._order = count()
        self._heap: list[tuple[int, int, Slot]] = []
        self._due_now = Front()
        self._owed = Owed()
        self._priced: deque[tuple[int | None, Slot]] = deque()
        self._unpriced = 0
        self._unswept: deque[str] = deque()

    @property
    def needs(self) -> int:
        """The calls that history needs now."""
        return self._owed.calls

    @property
    def leaving(self) -> float:
        """Those of them for data that leave the cloud this month."""
        return self._owed.leaving

    # ── keeping up ────────────────────────────────────────────────────────────────────────────────────

    def keep_up(self, now: int, accounts: frozenset[str]) -> None:
        """Follow the time: look at everything at first, and at a few systems a tick where the pace has changed or an
        hour has passed; price again the history whose price is oldest.

        `accounts` are those that can be asked now; the pairs of others are left out.
        """
        swept, generation = self._swept, self._inventory.generation
        is_late = now - swept.at >= SWEEP
        moved = any(abs(new / old - 1) > DRIFT for new, old in zip(self.factors, swept.factors, strict=True))
        if not self._slots or swept.accounts != accounts:
            self._swept = Swept(now, self.factors, generation, accounts)
            self._sweep(now)
        elif swept.generation != generation or moved or is_late:
            again = moved or is_late
            self._swept = Swept(now if again else swept.at, self.factors, generation, accounts)
            self._sweep_later(again=again)
        for _ in range(min(SYSTEMS_PER_TICK, len(self._unswept))):
            self._look(self._unswept.popleft(), now)
        for _ in range(min(REPRICED_PER_TICK, len(self._priced))):
            at, slot = self._priced[0]
            if at is not None and now - at < PRICED:
                break
            self._priced.popleft()
            if slot.priced_at == at and self._is_here(slot):
                self._price(slot, now)

    @property
    def is_swept(self) -> bool:
        """Whether no system waits to be looked at again."""
        return not self._unswept

    @property
    def is_priced(self) -> bool:
        """Whether the history of every pair has been looked at: only then does no need mean that nothing is owed."""
        return bool(self._slots) and not self._unpriced

    def _sweep(self, now: int) -> None:
        works = [work for work in self._inventory.works(now) if work.account in self._swept.accounts]
        left = {work.key for work in works}
        for slot in [slot for slot in self._every_slot() if slot.key not in left]:
            self._forget(slot)
        self._unswept.clear()
        self._heap.clear()
        self._due_now.clear()
        for slot in self._every_slot():
            slot.queued = None
        for work in works:
            self._put(work, now)

    def _every_slot(self) -> Iterator[Slot]:
        for streams in self._slots.values():
            yield from streams.values()

    def _sweep_later(self, *, again: bool) -> None:
        """Have the systems looked at that came or went; `again` all of them, those that wait already not twice."""
        known = self._slots.keys()
        lists = (system for system in known if system.startswith("@"))
        names = dict.fromkeys((*lists, *(wanted.system for wanted in self._inventory.wanted())))
        waiting = set(self._unswept)
        gone = known - names.keys()
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
        for slot in self._look(system, now):
            self._price(slot, now)

    def _look(self, system: str, now: int) -> list[Slot]:
        """Bring the pairs of a system up to date."""
        works = [work for work in self._inventory.works_of(system, now) if work.account in self._swept.accounts]
        left = {work.stream.name for work in works}
        for slot in [slot for name, slot in self._slots.get(system, {}).items() if name not in left]:
            self._forget(slot)
        return [self._put(work, now) for work in works]

    def _put(self, work: Work, now: int) -> Slot:
        streams = self._slots.setdefault(work.system, {})
        slot = streams.get(work.stream.name)
        if slot is None:
            slot = streams[work.stream.name] = Slot(work.key, next(self._order), work)
            self._priced.appendleft((None, slot))
            self._unpriced += 1
        self._count(slot, -1)
        slot.work, slot.group = work, work.group_at(now)
        self._count(slot, 1)
        self._due_now.discard(slot.key)
        self._push(slot, planner.due_at(work, self.factors))
        if slot.debt is not None:
            self._owed.place(slot, now)
        return slot

    def _push(self, slot: Slot, at: int) -> None:
        """Note when a pair is due. What is due at night would else be entered again after each call of its system."""
        slot.due = at
        if slot.queued != at:
            slot.queued = at
            heapq.heappush(self._heap, (at, slot.order, slot))

    def _pop(self) -> tuple[int, int, Slot]:
        """Take the next entry from the heap."""
        entry = heapq.heappop(self._heap)
        at, _, slot = entry
        if slot.queued == at:
            slot.queued = None
        return entry

    def _is_here(self, slot: Slot) -> bool:
        """Whether a pair has not been forgotten, nor another one stands in its place."""
        system, stream = slot.key
        return self._slots.get(system, {}).get(stream) is slot

    def _count(self, slot: Slot, by: int) -> None:
        group, work = slot.group, slot.work
        if group is not None:
            self.again += by * planner.looks_again(work, self._classes)
            self.groups[group] += by * work.calls
            if not self.groups[group]:
                del self.groups[group]

    def _forget(self, slot: Slot) -> None:
        system, stream = slot.key
        del self._slots[system][stream]
        if not self._slots[system]:
            del self._slots[system]
        self._due_now.discard(slot.key)
        self._count(slot, -1)
        self._owed.put(slot, None, 0)
        self._unpriced -= slot.priced_at is None

    def _price(self, slot: Slot, now: int) -> None:
        self._owed.put(slot, planner.debt(slot.work, now, self._classes, month_bounds(now)[1]), now)
        self._unpriced -= slot.priced_at is None
        slot.priced_at = now
        self._priced.append((now, slot))

    # ── asking ────────────────────────────────────────────────────────────────────────────────────────

    def live(self, now: int, flying: Collection[PairKey], *, only_new: bool = False) -> tuple[list[Task], bool]:
        """The live calls and snapshots that are due, the most overdue first; of a large fleet only the most urgent.

        `only_new` leaves out what was asked before; the second value then says whether any of that is due.
        """
        for _ in range(DUE_PER_TICK):
            if not self._heap or self._heap[0][0] > now:
                break
            at, order, slot = self._pop()
            if slot.due == at and self._is_here(slot):
                self._due_now.add(slot.work, at, order)
        waits = only_new and self._due_now.has_asked
        while keys := self._due_now.first(BATCH, now, flying, only_new=only_new):
            works = [self._fresh(self._slots[system][stream], now) for system, stream in keys]
            tasks = planner.live_tasks(works, now, self._classes, self.factors)
            for system, stream in {work.key for work in works} - {task.pair for task in tasks}:
                slot = self._slots[system][stream]
                self._due_now.discard(slot.key)
                pause = SWEEP if slot.work.is_finished(now) else MINUTE
                self._push(slot, max(planner.due_at(slot.work, self.factors), now + pause))
            if tasks:
                return tasks, waits
        return [], waits

    def _fresh(self, slot: Slot, now: int) -> Work:
        """A pair as it stands at this moment."""
        return self._inventory.work(*slot.key, now) or slot.work

    def history(self, now: int, flying: Collection[PairKey], *, only_leaving: bool) -> list[Task]:
        """The most urgent history calls."""
        works = [self._fresh(slot, now) for slot in self._owed.first(BATCH, now, flying)]
        return planner.history_tasks(works, now, self._classes, only_leaving=only_leaving)

    def next_at(self, flying: Collection[PairKey]) -> int:
        """When the next pair is due (epoch s); far away when nothing ever is."""
        while self._heap:
            at, _, slot = self._heap[0]
            if slot.due == at and slot.key not in flying and self._is_here(slot):
                return at
            self._pop()
        return NEVER
