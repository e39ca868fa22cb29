"""Memory of a year through `ingest once`, and CPU of `ingest status` on what it leaves."""

import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from bench.timing import tell, within
from ingest.auth.token_files import StoredTokens, TokenFiles
from ingest.enphase.oauth import TokenPair
from ingest.simulator import API_KEY, CLIENT_ID, CLIENT_SECRET, Caller, Cloud, SimulatedServer, Site
from tests.influxd import Influxd

DAY, SYSTEM = 86_400, 1001
PLAN = {"per_minute": 100_000, "per_month": 10_000_000}
# A process is born with the memory of the one that starts it, which therefore has to be a small one.
WATCH = """
import json, resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_maxrss, used.ru_utime + used.ru_stime]))
"""
INGEST = Path(sys.executable).with_name("ingest")


def measured(config: Path, *words: str) -> tuple[float, float]:
    """Run a command to its end: (peak memory in MB, seconds of CPU)."""
    command = [sys.executable, "-c", WATCH, str(INGEST), "--config", str(config), *words]
    watched = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    peak, cpu = json.loads(watched.stdout.splitlines()[-1])
    return peak / 1000, cpu


def simulated(days: int = 800) -> Cloud:
    """One system that has been there for long, on a generous plan."""
    site = Site(SYSTEM, "Bench", "Europe/Berlin", 48.0, 11.0, 8000, 24, int(time.time()) - days * DAY)
    return Cloud([site], clock=time.time, plan=(PLAN["per_minute"], PLAN["per_month"]))


def authorize(cloud: Cloud, state: Path) -> None:
    """The owner's consent, kept where the program looks for it."""
    caller, now = Caller(cloud).authorize(), int(time.time())
    TokenFiles(state / "tokens").write("home", StoredTokens(TokenPair(caller.access, caller.refresh, now, now + DAY)))


def configure(folder: Path, cloud_url: str, since: str, **more: object) -> Path:
    """A configuration for the system, and `more` of its keys."""
    api = {"base_url": cloud_url, "key": API_KEY, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "plan": PLAN}
    document = {
        "api": api,
        "systems": [{"id": SYSTEM, "since": since}],
        "state_dir": str(folder / "state"),
        **more,
    }
    path = folder / "bench.yaml"
    path.write_text(json.dumps(document))
    return path


def sizes(path: Path) -> tuple[int, float]:
    """Bytes of a state, and of its points alone for each of them."""
    with closing(sqlite3.connect(path)) as db:
        (used,) = db.execute("SELECT sum(pgsize) FROM dbstat WHERE name = 'points'").fetchone()
        (count,) = db.execute("SELECT count(*) FROM points").fetchone()
    return path.stat().st_size, used / count


def footprint() -> bool:
    """One simulated year of four streams of one system, archived and delivered."""
    cloud = simulated()
    with tempfile.TemporaryDirectory() as name, Influxd(Path(name) / "db") as server, SimulatedServer(cloud) as vendor:
        folder = Path(name)
        sinks = {"db": {"type": "influxdb_v1", "url": server.url, "database": "bench"}}
        config = configure(folder, vendor.url, "1y", sinks=sinks, web="off")
        authorize(cloud, folder / "state")
        peak, _ = measured(config, "once")
        rows = server.query("bench", 'SELECT count("energy_wh") FROM "production_micro"')
        assert rows[0]["count"] > 100_000, rows
        cpu = min(measured(config, "status")[1] for _ in range(3))
        measured(config, "once")  # a start packs what reading history newest first has left half empty
        taken, of_intervals = sizes(folder / "state" / "state.db")
    fits = tell("a year through once, peak memory", f"{peak:.0f} MB", "under 80 MB", good=peak < 80)
    quick = within("status on that state", cpu, 0.5)
    text = f"{of_intervals:.0f} bytes a point; the whole file {taken / 1e6:.0f} MB"
    small = tell("a year's archive", text, "at most 40 bytes", good=of_intervals <= 40)
    return fits and quick and small
