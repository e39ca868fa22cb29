"""A state as a large installation leaves it, made at once: systems, coverage, daily totals, points, calls."""

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import ParamSpec, TypeVar

from ingest.auth.token_files import StoredTokens, TokenFiles
from ingest.config import Settings, load
from ingest.core.derive import calendar
from ingest.core.http import Reply, Request
from ingest.core.point import Value, encode_fields
from ingest.core.span import Span
from ingest.enphase.oauth import TokenPair
from ingest.plan.coverage import Advance
from ingest.plan.state import Pair, SystemRow
from ingest.service import build, identity
from ingest.service.clock import Clock
from ingest.service.pipeline import Pipeline
from ingest.store import archive, journal, meta, progress
from ingest.store.database import Store
from ingest.store.packing import NAMES, Packer

P = ParamSpec("P")
T = TypeVar("T")

NOW, DAY = 1_782_864_000, 86_400
AGES = (6 * 3600, 4 * DAY)
GRAINS = {"stats": ("production_micro", 300), "rgm_stats": ("production_rgm", 900), "consumption": ("consumption", 900)}
FIELDS = "devices_reporting,devices_total,energy_wh,power_w:20;20;123;492;"
DERIVED = "consumed_wh,net_wh,produced_wh,self_consumed_wh:80;43;123;80;"
_SUMS: dict[str, Value] = {"consumed_wh": 80.0, "net_wh": 43.0, "produced_wh": 123.0, "self_consumed_wh": 80.0}
DAILY = encode_fields(_SUMS | calendar("energy_daily", date(2026, 7, 1)))
TOTALS = ("production", "consumption")
PARTNER = {"per_minute": 300, "per_month": 100_000_000}


class Moving:
    """A clock that a bench moves on."""

    at = float(NOW)

    def now(self) -> float:
        """Epoch seconds."""
        return self.at


class Nobody(Executor):
    """Takes work and does none of it: what a tick itself costs."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:  # noqa: ARG002
        return Future()


class NoCloud:
    """A transport that is never used."""

    def send(self, request: Request) -> Reply:
        raise AssertionError(request.url)


def settings(folder: Path) -> Settings:
    """Those of a partner with every stream of the default."""
    api = {
        "base_url": "https://cloud.example",
        "key": "bench-key",
        "client_id": "c" * 32,
        "client_secret": "bench-secret",
        "plan": PARTNER,
    }
    path = folder / "fleet.yaml"
    path.write_text(json.dumps({"api": api, "state_dir": str(folder / "state"), "web": "off"}))
    return load(path, {})


def fill(store: Store, systems: int, *, days: int = 60, hours: int = 24, holes: int = 0) -> None:
    """So many systems: `days` of daily totals, `hours` of intervals; their coverage has a hole every `holes` days."""
    begin = NOW - days * DAY
    with store.transaction() as db:
        for number in range(1, systems + 1):
            _system(store, str(number), begin, holes)
        names = [(name, grain, FIELDS) for name, grain in GRAINS.values()]
        for name, grain, fields in [*names, ("energy", 900, DERIVED), ("energy_daily", DAY, DAILY)]:
            first = begin if grain == DAY else NOW - hours * 3600
            _points(store, systems, (name, grain, fields), range(first, NOW, grain))
        db.executemany(
            "INSERT INTO totals VALUES (?, ?, ?, ?, 1, 0, 0, 0, 0, ?)",
            (
                (str(number), series, f"{day:05d}", 20_000.0, 19_000.0 if day == 1 and number % 10 == 0 else None)
                for number in range(1, systems + 1)
                for series in TOTALS
                for day in range(days)
            ),
        )


def _system(store: Store, system: str, begin: int, holes: int) -> None:
    db = store.db
    progress.save_system(db, SystemRow(system, "home", f"House {system}", "Europe/Berlin", begin))
    progress.save_log(db, system, (), [Advance(NOW - 900 * back, NOW - 900 * back - 200) for back in range(30, -1, -1)])
    for stream in GRAINS:
        progress.save_pair(db, Pair(system, stream, floor=begin, asked_at=NOW - 60))
        read = {age: tuple(pieces(begin, NOW - age, holes)) for age in AGES}
        progress.save_coverage(db, system, stream, {}, read)


def pieces(begin: int, end: int, holes: int) -> Iterator[Span]:
    """A period, of which an hour is missing every so many days (0: never)."""
    step = holes * DAY if holes else end - begin
    for start in range(begin, end, step):
        yield Span(start, min(start + step - 3600 * bool(holes), end))


def packed(db: sqlite3.Connection, row: str) -> str:
    """A row as the archive keeps it."""
    packer = Packer(meta.read(db, NAMES) or "")
    kept = packer.pack(row)
    meta.write(db, NAMES, packer.names)
    return kept


def _points(store: Store, systems: int, kind: tuple[str, int, str], times: range) -> None:
    name, fields = kind[0], packed(store.db, kind[2])
    seq = journal.next_seq(store.db)
    numbers = [archive.new_series(store.db, f"{name},system={number}") for number in range(1, systems + 1)]
    store.db.executemany(
        "INSERT INTO points VALUES (?, ?, ?, ?)",
        (
            (number, time, fields, seq + at * len(times) + index)
            for at, number in enumerate(numbers)
            for index, time in enumerate(times)
        ),
    )
    size, count = archive.size(store.db), len(numbers) * len(times)
    store.db.execute(
        "INSERT OR REPLACE INTO meta VALUES ('seq', ?), ('points', ?)", (str(seq + count), str(size + count))
    )


@contextmanager
def installation(systems: int, **more: int) -> Iterator[tuple[Settings, Store]]:
    """A filled state in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        made = settings(Path(name))
        store = Store(made.state_dir, own=True)
        if systems:
            fill(store, systems, **more)
        yield made, store
        store.close()


def pipeline(made: Settings, store: Store, time: Moving) -> Pipeline:
    """The machine of an installation, authorized, at the time of its data."""
    pair = TokenPair("a", "r", NOW, NOW + DAY)
    TokenFiles(made.state_dir / "tokens").write("home", StoredTokens(pair))
    clock = Clock(time.now, time.now)
    return build.pipeline(made, identity.cloud_of(made), store, clock, NoCloud(), Nobody())
