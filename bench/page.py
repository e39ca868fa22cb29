"""The status page: CPU and bytes of one look, and what `run` takes while nobody looks."""

import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import requests

from bench.fleet import DAILY, DERIVED, FIELDS, GRAINS, packed
from bench.footprint import INGEST, authorize, configure, simulated
from bench.timing import tell, within
from ingest.config import load
from ingest.core.span import Span
from ingest.plan.coverage import Advance
from ingest.plan.state import Pair, SystemRow
from ingest.simulator import SimulatedServer
from ingest.store import archive, journal, progress
from ingest.store.database import Store
from ingest.web import Source, create_app

DAY, YEARS = 86_400, 2 * 365
IDLE_S = 600 if os.environ.get("INGEST_LONG") else 120
PORT = 18_099


def fill(store: Store, system: str, now: int) -> None:
    """Two years of a system whose every interval was read."""
    begin = now - now % DAY - YEARS * DAY
    series = [(name, grain, FIELDS) for name, grain in GRAINS.values()]
    series += [("energy", 900, DERIVED), ("energy_daily", DAY, DAILY)]
    with store.transaction() as db:
        progress.save_system(db, SystemRow(system, "home", f"House {system}", "Europe/Berlin", begin))
        progress.save_log(db, system, (), [Advance(now - 60, now - 300)])
        for name, grain, fields in series:
            number, seq = archive.new_series(db, f"{name},system={system}"), journal.next_seq(db)
            size, count = archive.size(db), YEARS * DAY // grain
            db.execute(
                "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1) "
                "INSERT INTO points SELECT ?, ? + i * ?, ?, ? + i FROM n",
                (count, number, begin, grain, packed(db, fields), seq),
            )
            db.execute(
                "INSERT OR REPLACE INTO meta VALUES ('seq', ?), ('points', ?)", (str(seq + count), str(size + count))
            )
        for stream in GRAINS:
            progress.save_pair(db, Pair(system, stream, floor=begin, asked_at=now - 60))
            read = {age: (Span(begin, now - age),) for age in (6 * 3600, 4 * DAY)}
            progress.save_coverage(db, system, stream, {}, read)


def look() -> bool:
    """One look at ten systems with two years of four streams, the report made anew."""
    now = int(time.time())
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "page.yaml"
        keys = {"key": "bench-key", "client_id": "bench", "client_secret": "bench-secret"}
        config.write_text(json.dumps({"api": keys, "state_dir": str(Path(name) / "state")}))
        store = Store(Path(name) / "state")
        for number in range(10):
            fill(store, str(1000 + number), now)
        source = Source(load(config, {}), store, lambda: now, lambda: now)
        client = create_app(source).test_client()
        took = []
        for _ in range(5):
            source._made = None
            began = time.process_time()
            reply = client.get("/")
            took.append(time.process_time() - began)
            assert reply.status_code == 200
        text = reply.get_data(as_text=True)
        paths = ["/", *re.findall(r'(?:src|href)="(/static/[^"]+)"', text)]
        size = sum(len(client.get(path, headers={"Accept-Encoding": "gzip"}).data) for path in paths)
        store.close()
    quick = within("the page, ten systems, two years", min(took), 0.2)
    return tell("its first load", f"{size / 1000:.0f} kB", "under 300 kB", good=size < 300_000) and quick


def idle() -> bool:
    """`run` when its first history is there, the page opened once, the simulator in another process."""
    cloud = simulated()
    with tempfile.TemporaryDirectory() as name, SimulatedServer(cloud) as vendor:
        folder = Path(name)
        config = configure(folder, vendor.url, "7d", web={"listen": f"127.0.0.1:{PORT}"})
        authorize(cloud, folder / "state")
        process = subprocess.Popen([INGEST, "--config", config, "run"], stderr=subprocess.DEVNULL)
        try:
            memory, share = _watched(psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(20)
    small = tell("run with the page opened", f"{memory:.0f} MB", "under 120 MB", good=memory < 120)
    value = f"{share:.2%} of a core over {IDLE_S // 60} minutes"
    return tell("run while nothing happens", value, "under 1 %", good=share < 0.01) and small


def _watched(process: psutil.Process) -> tuple[float, float]:
    """(MB after a look, share of a core while idle)."""
    address = f"http://127.0.0.1:{PORT}"
    deadline = time.monotonic() + 60
    while not _is_read(address):
        assert time.monotonic() < deadline, "no history within a minute"
        time.sleep(0.5)
    text = requests.get(address, timeout=10).text
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', text):
        requests.get(address + path, timeout=10)
    memory = process.memory_info().rss / 1e6
    before = sum(process.cpu_times()[:2])
    time.sleep(IDLE_S)
    return max(memory, process.memory_info().rss / 1e6), (sum(process.cpu_times()[:2]) - before) / IDLE_S


def _is_read(address: str) -> bool:
    try:
        made = requests.get(f"{address}/api/status", timeout=10).json()
    except requests.RequestException:
        return False
    return bool(made["systems"]) and made["backfill"]["calls"] == 0


MEASURES = (look, idle)
