"""The data of the page: the state, read again for each report, and the last tick of the runner."""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ingest.config import Settings
from ingest.plan.inventory import Inventory
from ingest.report import Report, build_report
from ingest.store import snapshot
from ingest.store.database import Store

MIN_REST, SHARE = 2.0, 20
"""A report is made again after 2 s at the earliest, and never takes more than a twentieth of the time."""


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
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """A connection for one request."""
        with contextlib.closing(self.store.reader()) as db:
            yield db

    def report(self) -> Report:
        """The account of everything; a moment old where many ask."""
        with self._guard:
            if self._made is None or time.monotonic() >= self._made[0]:
                begin = time.monotonic()
                with self.reader() as db:
                    self.inventory = self.taken() if self.taken else Inventory(self.settings, snapshot.load(db))
                    report = build_report(self.settings, db, self.now(), inventory=self.inventory)
                end = time.monotonic()
                self._made = end + max(MIN_REST, SHARE * (end - begin)), report
            return self._made[1]
