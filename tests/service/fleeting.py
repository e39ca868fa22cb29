"""An archive that keeps a year, its databases, and an owner who lets what is older leave: no cloud, few rows."""

import shutil
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ingest.core.point import Point, decode_fields, parse_series
from ingest.core.span import Span
from ingest.core.units import DAY, HOUR
from ingest.deliver.sender import Sender, record_delivery
from ingest.enphase.catalogue import INTERVALS
from ingest.plan.coverage import Log
from ingest.plan.inventory import Inventory
from ingest.plan.state import Pair, Snapshot, SystemRow
from ingest.service.clock import Clock
from ingest.service.leaving import Leaving
from ingest.store import archive, outbox
from ingest.store.archive import Filter
from ingest.store.database import Store
from tests.world import Database, settings

BEGIN = 1_735_689_600
"""2025-01-01 00:00 UTC."""
DAYS = 430
FIRST, LAST = 70, 20
"""Days at the begin and at the end of which there are rows: those between are like them."""
EVER = {4 * DAY: (Span(0, 2**40),)}
Key = tuple[str, tuple[tuple[str, str], ...], int]


class Lasting(Database):
    """Keeps all for ever, or `why` not."""

    why = ""

    def forgets(self, now: int) -> str:
        return self.why


@dataclass
class Fleet:
    """Two systems with rows every twelve hours; `databases` are the sinks."""

    folder: Path
    databases: dict[str, Database]
    systems: tuple[str, ...] = ("1", "2")
    days: int = DAYS
    first: int = FIRST
    every: int = 12 * HOUR
    now: int = 0
    senders: dict[str, Sender] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.now = self.now or BEGIN + self.days * DAY
        sinks = {
            name: {"type": "influxdb_v1", "url": "http://localhost:1", "database": name} for name in self.databases
        }
        self.settings = settings(
            self.folder,
            sinks=sinks,
            archive={"keep": "1y"},
            systems=[{"id": int(name), "since": "all", "streams": ["stats"]} for name in self.systems],
        )
        self.state = Snapshot(
            {(name, "stats"): Pair(name, "stats", floor=0) for name in self.systems},
            {(name, "stats"): EVER for name in self.systems},
            {name: Log([(BEGIN, self.now)]) for name in self.systems},
            {name: SystemRow(name, "home", name, "UTC") for name in self.systems},
        )
        self.begin()
        for day in (*range(self.first), *range(self.days - LAST, self.days)):
            at = BEGIN + day * DAY
            for name in self.systems:
                self.say(name, at, at + DAY)

    def say(self, system: str, begin: int, end: int, wh: float = 0.0) -> None:
        tags = (("system", system),)
        points = [
            Point(
                name, tags, at, {"produced_wh" if name == "energy" else "energy_wh": wh or at % 97 / 1, "power_w": 1.0}
            )
            for name in ("energy", "production_micro")
            for at in range(begin, end, self.every)
        ]
        with self.store.transaction() as db:
            archive.upsert(db, points)

    def copy(self, folder: Path) -> "Fleet":
        """This one, which has ended, once more."""
        made: Fleet = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        made.folder, made.senders = folder, {}
        made.databases, made.state = deepcopy((self.databases, self.state))
        made.settings = self.settings.model_copy(update={"state_dir": folder / "state"})
        shutil.copytree(self.folder / "state", folder / "state")
        made.__dict__.pop("leave", None)
        made.begin()
        return made

    def begin(self) -> None:
        self.store = Store(self.folder / "state", own=True)
        self.clock = Clock(lambda: self.now, lambda: self.now, lambda _: None)
        for _ in range(2):
            self.clock.observe(self.now)
        self.pipeline: Any
        self.pipeline = SimpleNamespace(
            store=self.store,
            settings=self.settings,
            clock=self.clock,
            inventory=Inventory(self.settings, self.state),
            classes=self.settings.ages,
            derivation=SimpleNamespace(waits=False),
            transitions=SimpleNamespace(bad=lambda *_: None),
        )
        self.leaving = Leaving(self.pipeline)
        self.open()

    def open(self) -> None:
        for name, database in self.databases.items():
            with self.store.transaction() as db:
                cursor = outbox.register(db, name, database.fingerprint).cursor
            self.senders[name] = Sender(name, database, self.store.reader(), cursor)

    def end(self) -> None:
        for sender in self.senders.values():
            sender._db.close()
        self.store.close()

    def deliver(self, name: str) -> None:
        while (done := self.senders[name].step()) is not None:
            self.record(done)
            if done.error:
                break

    def look(self, name: str) -> Any:
        if seen := self.senders[name].verify(self.now):
            self.record(seen)
        return seen

    def record(self, done: Any) -> None:
        with self.store.transaction() as db:
            record_delivery(db, done, self.now)

    def leave(self) -> None:
        while self.leaving.next():
            pass

    def day(self) -> None:
        for name in self.databases:
            self.deliver(name)
            self.look(name)
            self.deliver(name)
        self.leave()
        self.now += DAY

    def rows(self) -> dict[Key, dict[str, Any]]:
        """The intervals of the archive."""
        found = archive.select(self.store.db, Filter(tuple(INTERVALS)))
        return {(*parse_series(key), at): decode_fields(row) for key, at, row in found}

    def oldest(self, system: str = "1") -> int:
        """The day of the oldest interval, counted from the first."""
        return (min(at for _, tags, at in self.rows() if dict(tags)["system"] == system) - BEGIN) // DAY
