"""A world to test in: the simulated cloud and the pipeline in one process, under a clock that jumps to what is due."""

import base64
import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from copy import deepcopy
from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import RLock
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlencode, urlsplit

from ingest.config import Settings, load
from ingest.core.errors import SinkDown
from ingest.core.http import Reply, Request
from ingest.core.point import decode, decode_fields
from ingest.core.tally import NOTHING, FieldTotal, MeasuredSystem, Tally
from ingest.deliver.sender import Sender
from ingest.deliver.sink import Target
from ingest.service import build, identity
from ingest.service.clock import Clock
from ingest.service.pipeline import Pipeline
from ingest.simulator import API_KEY, CLIENT_ID, CLIENT_SECRET, Cloud, Site
from ingest.store import archive
from ingest.store.database import Store

P = ParamSpec("P")
T = TypeVar("T")

START = 1_782_864_000
"""2026-07-01 00:00 UTC."""
HOUR, DAY = 3600, 86400
UNHURRIED = {"per_minute": 10, "per_month": 400}
"""A plan for worlds in which it is not asked how fresh anything is: with fewer calls the same is there, only later."""
BRISK = {"per_minute": 20, "per_month": 6000}
"""A plan for worlds that need more calls than the free one gives, of several streams some ten a day."""
FOUR = ["stats", "rgm_stats", "production_meter_readings", "consumption"]
"""What is read of systems of a world that name no streams: what does not depend on plan and devices."""


class Time:
    """The true time of a world, and the machine's wall clock beside it."""

    def __init__(self, at: int = START) -> None:
        self.true = float(at)
        self.wrong_by = 0.0

    def now(self) -> float:
        return self.true

    def clock(self) -> Clock:
        return Clock(lambda: self.true + self.wrong_by, lambda: self.true, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.true += seconds


class Inline(Executor):
    """Work is done at once, in the caller's thread."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class Wire:
    """A transport that hands requests to the cloud without sockets; each takes `latency` seconds."""

    def __init__(self, cloud: Cloud, time: Time, latency: float = 0.5) -> None:
        self.cloud, self.time, self.latency = cloud, time, latency
        self.sent = 0

    def send(self, request: Request) -> Reply:
        self.sent += 1
        parts = urlsplit(request.url)
        target = parts.path + ("?" + urlencode([*request.params.items(), *request.more]) if request.params else "")
        headers = dict(request.headers)
        if request.basic:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(request.basic).encode()).decode()
        body = urlencode(request.form).encode() if request.form else b""
        answer = self.cloud.handle(request.method, target, headers, body)
        self.time.true += self.latency
        if answer.status == 0:
            return Reply(0, failure="no answer in time")
        if answer.cut:
            return Reply(0, failure="the connection broke before the reply was whole")
        date = int(parsedate_to_datetime(answer.headers["Date"]).timestamp())
        place = answer.headers.get("Location", "").partition("?")[0]
        return Reply(answer.status, answer.body, date, location=place)


class Database:
    """A database in memory that merges fields as InfluxDB does, and can be down."""

    fingerprint = "memory"

    def __init__(self) -> None:
        self.rows: dict[tuple[str, tuple[tuple[str, str], ...], int], dict[str, Any]] = {}
        self.down = False
        self.writes = 0

    def write(self, lines: Sequence[str]) -> int:
        if self.down:
            raise SinkDown("the database is down")
        self.writes += len(lines)
        for line in lines:
            point = decode(line)
            self.rows.setdefault((point.measurement, point.tags, point.time), {}).update(point.fields)
        return 0

    def delete(self, place: MeasuredSystem, start: int, end: int) -> None:
        if self.down:
            raise SinkDown("the database is down")
        for key in [key for key in self.rows if key[0] == place.measurement and start <= key[2] < end]:
            if dict(key[1]).get("system", "") == place.system:
                del self.rows[key]

    def kept_from(self, now: int) -> int | None:
        return None

    def tally(self, measurements: Sequence[str], start: int, end: int) -> Tally:
        if self.down:
            raise SinkDown("the database is down")
        wanted, held = set(measurements), dict[MeasuredSystem, dict[str, FieldTotal]]()
        for (name, tags, time), fields in self.rows.items():
            if start <= time < end and name in wanted:
                found = held.setdefault(MeasuredSystem(name, dict(tags).get("system", "")), {})
                for field, value in fields.items():
                    number, total = found.get(field, NOTHING)
                    found[field] = FieldTotal(number + 1, total + (value if isinstance(value, float) else 0.0))
        return held

    def ping(self) -> str:
        return "memory"

    def prove_reading(self) -> None:
        pass

    def close(self) -> None:
        pass


def settings(folder: Path, **changes: Any) -> Settings:
    """Settings against the world's cloud; keys as in the configuration file."""
    api = {"base_url": "https://cloud.example", "key": API_KEY, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    document: dict[str, Any] = {
        "api": api | changes.pop("api", {}),
        "sinks": {"db": {"type": "influxdb_v1", "url": "http://localhost:1", "database": "d"}},
        "state_dir": str(folder / "state"),
        "default_streams": FOUR,
        **changes,
    }
    path = folder / "world.yaml"
    path.write_text(json.dumps(document))
    return load(path, {})


class World:
    """One installation and its cloud. `step` does what is due and moves the time to what is due next."""

    def __init__(self, folder: Path, sites: Sequence[Site], *, time: Time | None = None, **changes: Any) -> None:
        self.time = time or Time()
        cloud_options = changes.pop("cloud", {})
        self.latency = changes.pop("latency", 0.5)
        self.changes = changes.copy()
        self.settings = settings(folder, **changes)
        plan = self.settings.api.plan
        self.cloud = Cloud(sites, clock=self.time.now, plan=(plan.per_minute, plan.per_month), **cloud_options)
        self.wire = Wire(self.cloud, self.time, self.latency)
        self.database = Database()
        self.consent()
        self.begin()

    def copy(self, folder: Path, **changes: Any) -> "World":
        """This world, which has ended, once more in a folder of its own, with other keys in its configuration."""
        made: World = type(self).__new__(type(self))
        lock = {id(self.cloud._lock): RLock()}
        made.time, made.cloud, made.database = deepcopy((self.time, self.cloud, self.database), lock)
        made.latency, made.changes = self.latency, self.changes | changes
        made.settings = settings(folder, **made.changes)
        shutil.copytree(self.settings.state_dir, made.settings.state_dir)
        made.wire = Wire(made.cloud, made.time, made.latency)
        made.begin()
        return made

    def consent(self) -> None:
        if self.settings.api.version == "v4":
            for account in self.settings.accounts:
                self.authorizer().by_code(account, self.cloud.consent(account if account != "home" else "owner"))

    def authorizer(self) -> Any:
        cloud = identity.cloud_of(self.settings)
        return build.authorizer(self.settings, cloud, self.time.clock(), self.wire)

    def begin(self) -> None:
        """Start the program on the state as it is."""
        cloud = identity.cloud_of(self.settings)
        self.store: Store = identity.open_store(self.settings, cloud, own=True)
        self.pipeline: Pipeline = build.pipeline(
            self.settings, cloud, self.store, self.time.clock(), self.wire, Inline()
        )
        self.senders: list[Sender] = build.senders(self.settings, self.store, self._open)
        self._deliver_at = 0.0

    def _open(self, _: Target) -> Database:
        return self.database

    def end(self) -> None:
        """Stop the program as a crash would: what was not committed is gone."""
        for sender in self.senders:
            sender._db.close()
        self.store.close()

    def crash(self) -> None:
        self.end()
        self.begin()

    def spoil_token(self) -> None:
        """The vendor no longer takes the access token, ahead of its time."""
        files = self.authorizer().files
        kept = files.read("home")
        files.write("home", replace(kept, current=replace(kept.current, access="spoilt")))
        self.crash()

    def deliver(self) -> None:
        """Send what waits; after a failure not again at once, as a sender would not."""
        if self.database.down and self.time.true < self._deliver_at:
            return
        for sender in self.senders:
            while (done := sender.step()) is not None:
                self.pipeline.events.put(done)
                self.pipeline.record()
                if done.error:
                    self._deliver_at = self.time.true + 3 * HOUR
                    break

    def look(self) -> None:
        """The service's own look at what the database holds, where it is due, and what follows from it."""
        for sender in self.senders:
            if looked := sender.verify(int(self.time.true)):
                self.pipeline.events.put(looked)
                self.pipeline.record()
                self.deliver()

    def step(self, until: float) -> None:
        ahead = self.pipeline.clock.now() - int(self.time.true)
        tick = self.pipeline.tick()
        recorded = self.pipeline.record()
        self.deliver()
        if not tick.started and not recorded:
            self.time.true = min(max(tick.next_at - ahead, self.time.true + 1), until)

    def run(self, seconds: int) -> None:
        until = self.time.true + seconds
        while self.time.true < until:
            self.step(until)

    def rows(self, measurement: str, system: int | str) -> dict[int, dict[str, Any]]:
        """The archive's rows of a measurement with one series a system, by time."""
        wanted = archive.Filter((measurement,), str(system))
        return {time: decode_fields(row) for _, time, row in archive.select(self.store.db, wanted)}


def sun(
    cloud: Cloud, site: Site, start: int, end: int
) -> dict[tuple[str, tuple[tuple[str, str], ...], int], dict[str, float]]:
    """Everything that must be in the archive of intervals with start < end_at <= end, written without the program."""
    system = (("system", str(site.system_id)),)
    expected: dict[tuple[str, tuple[tuple[str, str], ...], int], dict[str, float]] = {}
    for stream, measurement, grain, key in (
        ("stats", "production_micro", 300, "enwh"),
        ("rgm_stats", "production_rgm", 900, "wh_del"),
        ("consumption", "consumption", 900, "enwh"),
    ):
        for row in cloud.truth(site.system_id, stream, start, end):
            time = row["end_at"] - grain
            fields = {"energy_wh": float(row[key]), "devices_reporting": float(row["devices_reporting"])}
            fields["power_w"] = float(row["powr"]) if "powr" in row else row[key] * 3600.0 / grain
            expected[measurement, system, time] = fields
            for channel in row.get("channels", ()):
                tags = tuple(
                    sorted(
                        {
                            "channel": str(channel["channel"]),
                            "meter": channel["meter_serial_number"],
                            **dict(system),
                        }.items()
                    )
                )
                values = {"energy_wh": channel["wh_del"], "snapshot_w": channel["curr_w"]}
                known = {name: float(value) for name, value in values.items() if value is not None}
                if known:
                    expected["production_rgm_channel", tags, time] = known
    return expected
