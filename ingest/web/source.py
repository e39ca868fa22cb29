"""The data of the page: the state, read again for each report, and the last tick of the runner."""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ingest.config import Settings
from ingest.plan.inventory import Inventory
from ingest.report import Report, build_report, turn
from ingest.store import snapshot
from ingest.store.database import Store

MIN_REST, SHARE = 2.0, 20
"""A report is made again after 2 s at the earliest, and never takes more than a twentieth of the time."""
LONG = 1.0
"""Seconds that somebody who looks may wait for a report: that of thousands of systems takes some."""


@dataclass
class Source:
    """`now` gives epoch seconds, `beat` those of the last tick; `command` is the program as it is called here.
    `inventory` is that of the newest report; `taken` gives that of the runner of this process, which has it at hand.
    """

    settings: Settings
    store: Store
    now: Callable[[], int]
    beat: Callable[[], int]
    command: str = "ingest"
    taken: Callable[[], Inventory] | None = None
    inventory: Inventory = field(init=False, repr=False)
    _made: tuple[float, Report] | None = None
    _took: float = 0.0
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """A connection for one request."""
        with contextlib.closing(self.store.reader()) as db:
            yield db

    def report(self) -> Report:
        """The account of everything; a moment old where many ask. Nobody but the first waits for one that another is
        making, or that takes longer than `LONG` seconds: until it is there the one before is shown.
        """
        made = self._made
        if made is None:
            with self._guard:
                return self._made[1] if self._made else self._make()
        if time.monotonic() >= made[0] and self._guard.acquire(blocking=False):
            if self._took >= LONG:
                threading.Thread(target=self._make_beside, name="page-report", daemon=True).start()
                return made[1]
            try:
                return self._make()
            finally:
                self._guard.release()
        return made[1]

    def _make(self) -> Report:
        begin = time.monotonic()
        with self.reader() as db, turn():
            inventory = self.taken() if self.taken else Inventory(self.settings, snapshot.load(db))
            report = build_report(self.settings, db, self.now(), inventory=inventory)
        end = time.monotonic()
        self._took = end - begin
        self.inventory = inventory
        self._made = end + max(MIN_REST, SHARE * self._took), report
        return report

    def _make_beside(self) -> None:
        try:
            self._make()
        except Exception:  # the next one who looks is told why
            self._made = None
        finally:
            self._guard.release()
