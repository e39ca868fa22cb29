"""The calls of one application, counted as they are made."""

from collections import deque

from ingest.core.units import MINUTE
from ingest.plan import quota
from ingest.plan.quota import Usage
from ingest.store import ledger
from ingest.store.database import Store


class CallLedger:
    """The ledger of one application. Sums are kept in memory: to count a month of calls anew takes long."""

    def __init__(self, store: Store, app: str) -> None:
        self._store, self._app = store, app
        self._month, self._counted = 0, (0, 0)
        self._flying: dict[int, int] = {}
        self._ended: deque[int] = deque()

    def settle(self, now: int) -> None:
        """At the start, and when the clock was set: calls cut off by a crash end now, none is freed."""
        with self._store.transaction() as db:
            ledger.settle(db, self._app, now)
        self._month = 0

    def clamp_future(self, now: int) -> None:
        """The clock was set: what lies ahead of it was made now."""
        with self._store.transaction() as db:
            ledger.clamp_future(db, self._app, now)
        self._month = 0

    def usage(self, now: int) -> Usage:
        """What was spent this month and in the last minute."""
        first = quota.month_bounds(now)[0]
        if first != self._month:
            usage = ledger.usage(self._store.db, self._app, now)
            self._month, self._counted = first, (usage.month, usage.history)
            self._ended = deque(sorted([*usage.recent][: len(usage.recent) - len(self._flying)]))
            return usage
        while self._ended and self._ended[0] <= now - MINUTE - 1:
            self._ended.popleft()
        recent = sorted([*(min(now, at) for at in self._ended), *[now] * len(self._flying)])
        return Usage(*self._counted, tuple(recent))

    def reserve(self, now: int, call: tuple[str, str, str]) -> int:
        """Enter a call (system, stream, purpose) before it is sent; returns its number. On the disk when it returns."""
        with self._store.transaction(durable=True) as db:
            number = ledger.reserve(db, self._app, now, call)
        self._flying[number] = int(call[2] == "history")
        self._add(1, self._flying[number])
        return number

    def ended(self, number: int, now: int, *, sent: bool) -> None:
        """The outcome of a call was written; one that never left the machine is not counted."""
        history = self._flying.pop(number, 0)
        if sent:
            self._ended.append(max(now, self._ended[-1]) if self._ended else now)
        else:
            self._add(-1, -history)

    def _add(self, calls: int, history: int) -> None:
        self._counted = self._counted[0] + calls, self._counted[1] + history
