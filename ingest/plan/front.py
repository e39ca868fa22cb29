"""The pairs that are due, so ordered that the most urgent are found without looking at all of them.

Pairs of one kind keep their order among each other as time passes, so each kind has a heap of its own.
"""

import heapq
from collections.abc import Collection
from functools import lru_cache
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


_kind = lru_cache(maxsize=1024)(DueKind)
"""Thousands of pairs are of one kind, which is held once."""


class DueEntry(NamedTuple):
    """A pair that is due since `at` (epoch s), with its place in the order of appearance."""

    at: int
    order: int
    key: PairKey
    kind: DueKind


class Front:
    """Due pairs. Each is added as it stands, and added again when it has changed."""

    def __init__(self) -> None:
        self._heaps: dict[DueKind, list[DueEntry]] = {}
        self._was_asked: dict[PairKey, bool] = {}  # of each pair that is due
        self._entered: dict[PairKey, DueEntry] = {}  # the newest entry of each pair in the heaps
        self._asked = 0

    @property
    def has_asked(self) -> bool:
        """Whether a pair is due that was asked before."""
        return self._asked > 0

    def clear(self) -> None:
        """Nothing is due."""
        self._heaps.clear()
        self._was_asked.clear()
        self._entered.clear()
        self._asked = 0

    def add(self, work: Work, at: int, order: int) -> None:
        """A pair is due since `at` (epoch s); `order` is its place in the order of appearance."""
        key = work.key
        self.discard(key)
        first, grows = urgency(work, at, at + 1)
        kind = _kind(first, work.every if grows else 0)
        entry = DueEntry(at if grows else 0, order, key, kind)
        if self._entered.get(key) != entry:
            heapq.heappush(self._heaps.setdefault(kind, []), entry)
            self._entered[key] = entry
        self._was_asked[key] = was_asked = work.asked_at is not None
        self._asked += was_asked

    def discard(self, key: PairKey) -> None:
        """A pair is not due any more."""
        self._asked -= self._was_asked.pop(key, False)

    def first(self, most: int, now: int, besides: Collection[PairKey], *, only_new: bool) -> list[PairKey]:
        """The most urgent pairs in their order, at most `most`; `only_new` leaves out what was asked before."""
        found: list[PairKey] = []
        seen: list[DueEntry] = []
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
            seen.append(entry)
            if entry.key not in besides and not (only_new and self._was_asked[entry.key]):
                found.append(entry.key)
            elif only_new and kind.every:
                break  # what grows was asked before, and sorts behind all that was not
        for entry in seen:
            heapq.heappush(self._heaps[entry.kind], entry)
        return found

    def _head(self, heap: list[DueEntry]) -> DueEntry | None:
        """The first entry of a heap that still stands."""
        while heap:
            is_newest = self._entered.get(heap[0].key) is heap[0]
            if is_newest and heap[0].key in self._was_asked:
                return heap[0]
            gone = heapq.heappop(heap)
            if is_newest:
                del self._entered[gone.key]
        return None
