"""The pairs that are due, so ordered that the most urgent are found without looking at all of them.

Pairs of one kind keep their order among each other as time passes, so each kind has a heap of its own.
"""

import heapq
from collections.abc import Collection
from itertools import count
from typing import NamedTuple

from ingest.plan.planner import urgency
from ingest.plan.work import Work

PairKey = tuple[str, str]


class DueKind(NamedTuple):
    """Pairs that do not overtake each other: the first part of their urgency, and their cadence (s; 0: the urgency
    does not grow).
    """

    urgency: int
    every: int


class DueEntry(NamedTuple):
    """A pair that is due since `at` (epoch s), with its place in the order of appearance."""

    at: int
    order: int
    serial: int
    key: PairKey


class Front:
    """Due pairs. Each is added as it stands, and added again when it has changed."""

    def __init__(self) -> None:
        self._heaps: dict[DueKind, list[DueEntry]] = {}
        self._known: dict[PairKey, tuple[int, bool]] = {}
        self._entered: dict[PairKey, tuple[DueKind, DueEntry]] = {}  # the newest entry of each pair in the heaps
        self._serial = count()
        self._asked = 0

    @property
    def has_asked(self) -> bool:
        """Whether a pair is due that was asked before."""
        return self._asked > 0

    def clear(self) -> None:
        """Nothing is due."""
        self._heaps.clear()
        self._known.clear()
        self._entered.clear()
        self._asked = 0

    def add(self, work: Work, at: int, order: int) -> None:
        """A pair is due since `at` (epoch s); `order` is its place in the order of appearance."""
        self.discard(work.key)
        first, grows = urgency(work, at, at + 1)
        kind = DueKind(first, work.every if grows else 0)
        since = at if grows else 0
        held_as, entry = self._entered.get(work.key, (None, None))
        if entry is None or held_as != kind or (entry.at, entry.order) != (since, order):
            entry = DueEntry(since, order, next(self._serial), work.key)
            heapq.heappush(self._heaps.setdefault(kind, []), entry)
            self._entered[work.key] = kind, entry
        was_asked = work.asked_at is not None
        self._known[work.key] = entry.serial, was_asked
        self._asked += was_asked

    def discard(self, key: PairKey) -> None:
        """A pair is not due any more."""
        if known := self._known.pop(key, None):
            self._asked -= known[1]

    def first(self, most: int, now: int, besides: Collection[PairKey], *, only_new: bool) -> list[PairKey]:
        """The most urgent pairs in their order, at most `most`; `only_new` leaves out what was asked before."""
        found: list[PairKey] = []
        seen: list[tuple[DueKind, DueEntry]] = []
        while len(found) < most:
            heads = [
                (kind.urgency, -(now - entry.at) / kind.every if kind.every else 0.0, entry.order, kind)
                for kind, heap in self._heaps.items()
                if (entry := self._head(heap)) is not None
            ]
            if not heads:
                break
            kind = min(heads)[3]
            entry = heapq.heappop(self._heaps[kind])
            seen.append((kind, entry))
            if entry.key not in besides and not (only_new and self._known[entry.key][1]):
                found.append(entry.key)
            elif only_new and kind.every:
                break  # what grows was asked before, and sorts behind all that was not
        for kind, entry in seen:
            heapq.heappush(self._heaps[kind], entry)
        return found

    def _head(self, heap: list[DueEntry]) -> DueEntry | None:
        """The first entry of a heap that still stands."""
        while heap:
            known = self._known.get(heap[0].key)
            if known is not None and known[0] == heap[0].serial:
                return heap[0]
            gone = heapq.heappop(heap)
            if self._entered.get(gone.key, (None, None))[1] is gone:
                del self._entered[gone.key]
        return None
