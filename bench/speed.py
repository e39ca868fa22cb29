"""Reply bytes to committed rows against the official client's way, and delivery against posting ready text."""

import contextlib
import gc
import json
import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import starmap
from pathlib import Path

import requests
from influxdb_client import Point as ClientPoint
from influxdb_client import WritePrecision

from bench.timing import POINT_US, as_there, client_points, in_turns, seconds, tell
from ingest.commit import record
from ingest.commit.context import CommitContext
from ingest.core.http import Reply, Request
from ingest.core.series_rows import encode_lines
from ingest.core.span import Span
from ingest.deliver.influx_v1 import InfluxV1Sink
from ingest.deliver.sender import BATCH, Sender
from ingest.enphase.call import Purpose, Task
from ingest.enphase.streams import BY_NAME
from ingest.fetch import worker
from ingest.plan.state import Snapshot
from ingest.plan.work import Classes
from ingest.service.garbage import seldom_searched
from ingest.simulator import Caller, Cloud, Site
from ingest.store import archive, journal, outbox, snapshot
from ingest.store.database import Store
from tests.influxd import Influxd

COMMITS = 25
START, DAY = 1_782_864_000, 86_400
SITE = Site(1001, "Bench", "Europe/Berlin", 48.0, 11.0, 8000, 24, START - 400 * DAY)


class Canned:
    """A transport that always gives the same reply."""

    def __init__(self, body: bytes) -> None:
        self.reply = Reply(200, body)

    def send(self, _: Request) -> Reply:
        return self.reply


def replies(days: int) -> Iterator[tuple[Task, bytes]]:
    """A day of `stats`, and weeks of the meters, as the cloud sends them."""
    cloud = Cloud([SITE], clock=lambda: float(START), plan=(10_000, 10_000_000))
    caller = Caller(cloud).authorize()
    for name, path, step in (
        ("stats", "telemetry/production_micro", DAY),
        ("rgm_stats", "rgm_stats", 7 * DAY),
        ("consumption", "telemetry/consumption_meter", 7 * DAY),
    ):
        for start in range(START - days * DAY, START - step + 1, step):
            window = Span(start, start + step)
            stream = BY_NAME[name]
            answer = caller.get(f"/1001/{path}", **stream.v4.ask(window))
            assert answer.status == 200, answer
            yield Task("home", "1001", stream, window, Purpose.HISTORY), answer.body


def ours(wanted: list[tuple[Task, bytes]], store: Store) -> list[float]:
    """Fetch, read and commit every reply; returns how long (s) each took."""
    known = snapshot.load(store.db)
    gc.collect(1)  # so that young objects are searched at the same replies each time
    return [seconds(partial(_commit, task, body, store, known)) for task, body in wanted]


def _commit(task: Task, body: bytes, store: Store, known: Snapshot) -> None:
    outcome = worker.fetch(task, 0, Request("GET", ""), "v4", "", None, Canned(body))
    context = CommitContext(START, Classes(6 * 3600, 4 * DAY), START - 400 * DAY, "home")
    with store.transaction() as db:
        changes = record.record(db, known, outcome, context)
    changes.apply(known)


def theirs(task: Task, body: bytes) -> int:
    """The same points built with the official client and turned into line protocol; nothing is kept. How many."""
    reply = json.loads(body)
    total, per_wh, count = float(reply["total_devices"]), 3600 / task.stream.grain, 0
    for row in reply["intervals"]:
        energy = float(row["enwh"] if "enwh" in row else row["wh_del"])
        point = ClientPoint(task.stream.name).tag("system", task.system)
        point.field("devices_reporting", float(row["devices_reporting"])).field("devices_total", total)
        point.field("energy_wh", energy).field("power_w", energy * per_wh)
        point.time(row["end_at"], WritePrecision.S).to_line_protocol()
        count += 1
    for meter in reply.get("meter_intervals", ()):
        for row in meter["intervals"]:
            if row["wh_del"] is None:
                continue
            point = ClientPoint("production_rgm_channel").tag("system", task.system)
            point.tag("channel", str(row["channel"])).tag("meter", meter["meter_serial_number"])
            point.field("energy_wh", float(row["wh_del"])).field("snapshot_w", float(row["curr_w"]))
            point.time(row["end_at"], WritePrecision.S).to_line_protocol()
            count += 1
    return count


def commit_speed() -> bool:
    """Reply bytes to committed rows: the replies' points, and those that are derived and committed with them; and of
    each stream by itself, as nothing is derived before another is read.
    """
    wanted = list(replies(28))
    streams = dict.fromkeys(task.stream.name for task, _ in wanted)
    parts = {name: [part for part in wanted if part[0].stream.name == name] for name in streams}
    kept = [_commit_speed(name, some) for name, some in {"all streams": wanted, **parts}.items()]
    return all(kept)


def _commit_speed(name: str, wanted: list[tuple[Task, bytes]]) -> bool:
    """Of each reply the best time counts: whatever else the machine does can only add to it."""
    points, rows = sum(starmap(theirs, wanted)), 0
    took: list[list[float]] = []
    client: list[list[float]] = []
    alone: list[float] = []
    for _ in range(COMMITS):
        with tempfile.TemporaryDirectory() as folder, contextlib.closing(Store(Path(folder))) as store:
            with seldom_searched():  # as the service has it
                took.append(ours(wanted, store))
            rows = archive.size(store.db)
        client.append([seconds(partial(theirs, *part)) for part in wanted])
        alone.append(seconds(client_points))
    assert rows >= points, (rows, points)
    mine, others = (sum(map(min, zip(*rounds, strict=True))) * 1e6 for rounds in (took, client))
    there = mine / rows / as_there(min(alone))
    text = (
        f"{mine / rows:.2f} µs a row, {there:.2f} on a machine whose client takes {POINT_US} µs a point; "
        f"{mine / rows / others * points:.2f} of what the client takes for a point that it does not keep"
    )
    return tell(f"reply bytes to committed rows, {name}", text, "at most 3 µs there", good=there <= 3)


def delivery_speed() -> bool:
    """From the archive to a local InfluxDB 1.6 against posting the same, already encoded text."""
    with tempfile.TemporaryDirectory() as folder, Influxd(Path(folder) / "db") as server:
        store = Store(Path(folder) / "state")
        ours(list(replies(182)), store)
        rows = journal.changes(store.db, 0, 10**9)
        keys = archive.series_keys(store.db)
        lines = encode_lines((keys[series], time, row) for series, time, row, _ in rows)
        batches = ["\n".join(lines[at : at + BATCH]).encode() for at in range(0, len(lines), BATCH)]
        for name in ("ours", "theirs"):
            server.execute(f'CREATE DATABASE "{name}"')
        session = requests.Session()

        def post() -> None:
            for batch in batches:
                url = f"{server.url}/write?db=theirs&precision=s"
                assert session.post(url, data=batch).status_code == 204

        def deliver() -> None:
            sink = InfluxV1Sink(server.url, "ours")
            with store.transaction() as db:
                outbox.register(db, "ours", sink.fingerprint)
            sender = Sender("ours", sink, store.reader(), 0)
            while sender.step() is not None:
                pass
            sender.close()

        mine, direct = in_turns(deliver, post, 5)
        store.close()
    ratio = direct / mine
    text = f"{ratio:.0%} ({len(lines) / mine:,.0f} against {len(lines) / direct:,.0f} points per second)"
    return tell("delivery to a local InfluxDB 1.6", text, "at least 60 %", good=ratio >= 0.6)
