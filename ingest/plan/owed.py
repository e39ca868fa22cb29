"""The pairs whose history is owed, in order of its urgency, so that a tick finds the first without looking at all."""

import heapq
from bisect import bisect_left, insort
from collections.abc import Collection
from dataclasses import dataclass

from ingest.plan.front import PairKey
from ingest.plan.pacing import Group
from ingest.plan.planner import Debt
from ingest.plan.work import Work

WOKEN = 250
"""At most that many pairs whose rest has ended are found in a tick; the others in the next."""


@dataclass(slots=True, eq=False)
class Slot:
    """A pair in the queue, with its place in the order of appearance; `group` is what it counts as.

    It is due at `due`, and its newest entry in the heap of dues is that of `queued` (epoch s). `debt` is what it owed
    at `priced_at` (None: never looked at); it stands at `ready` among those that can be asked, or rests until `rests`.
    """

    key: PairKey
    order: int
    work: Work
    group: Group | None = None
    due: int = 0
    queued: int | None = None
    priced_at: int | None = None
    debt: Debt | None = None
    ready: tuple[int, int] | None = None
    rests: int = 0

    @property
    def history_at(self) -> int:
        """Before this nothing of its debt is asked for (epoch s)."""
        return max(self.work.history_from, self.debt.at if self.debt else 0)


class Owed:
    """What pairs owe: `calls` in all, and the part of them that is `leaving` the cloud."""

    def __init__(self) -> None:
        self.calls, self.leaving = 0, 0.0
        self._ready: list[tuple[tuple[int, int], int, Slot]] = []
        self._resting: list[tuple[int, int, Slot]] = []

    def put(self, slot: Slot, debt: Debt | None, now: int) -> None:
        """A pair owes this from now on."""
        for each, by in ((slot.debt, -1), (debt, 1)):
            if each is not None:
                self.calls += by * each.calls
                self.leaving += by * each.leaving
        slot.debt = debt
        self.place(slot, now)

    def place(self, slot: Slot, now: int) -> None:
        """Put a pair where it belongs at this moment."""
        if slot.debt is None:
            self._move(slot, None)
        elif slot.history_at <= now:
            self._move(slot, slot.debt.key)
        else:
            self._move(slot, None)
            if slot.rests != slot.history_at:
                slot.rests = slot.history_at
                heapq.heappush(self._resting, (slot.rests, slot.order, slot))

    def _move(self, slot: Slot, to: tuple[int, int] | None) -> None:
        if to == slot.ready:
            return
        if slot.ready is not None:
            del self._ready[bisect_left(self._ready, (slot.ready, slot.order))]
        if to is not None:
            insort(self._ready, (to, slot.order, slot))
        slot.ready = to

    def first(self, most: int, now: int, besides: Collection[PairKey]) -> list[Slot]:
        """The most urgent pairs that can be asked now, at most `most`."""
        for _ in range(WOKEN):
            if not self._resting or self._resting[0][0] > now:
                break
            at, _, slot = heapq.heappop(self._resting)
            if slot.rests == at:
                slot.rests = 0
                self.place(slot, now)
        found: list[Slot] = []
        late: list[Slot] = []
        for _, _, slot in self._ready:
            if len(found) == most:
                break
            if slot.history_at > now:
                late.append(slot)
            elif slot.key not in besides:
                found.append(slot)
        for slot in late:
            self.place(slot, now)
        return found
