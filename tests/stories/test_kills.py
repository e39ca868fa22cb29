"""Weeks of history, read while the program is killed again and again and its database comes and goes."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from ingest.config import load
from ingest.service import build, identity
from ingest.simulator import API_KEY, CLIENT_ID, CLIENT_SECRET, Cloud, Faults, SimulatedServer, Site
from tests import influxd2
from tests.influxd import BINARY, Influxd
from tests.influxd2 import ReadyInfluxd2
from tests.stories import stored
from tests.stories.fasttime import FastTime
from tests.world import DAY, HOUR, START, Wire, sun
from tests.world import Time as WorldTime

LONG = os.environ.get("INGEST_LONG") == "1"
KILLS = 100 if LONG else 5
HOUSES = 6 if LONG else 2
SPEED = 60.0
PATIENCE = 60.0
SINCE, UNTIL = date(2026, 4, 20) if LONG else date(2026, 5, 25), date(2026, 6, 18)
DAYS = (UNTIL - SINCE).days + 1
PLAN = {"per_minute": 6000, "per_month": 300_000}
INTERVALS = {"production_micro", "production_rgm", "production_rgm_channel", "consumption"}


class Houses:
    """Sold houses behind real HTTP: their whole history is fixed, and nothing of them is polled any more."""

    def __init__(self, folder: Path, server: Influxd | ReadyInfluxd2, name: str, slow_by: float) -> None:
        self.folder, self.server, self.database = folder, server, name
        folder.mkdir()
        self.state = folder / "state"
        self.time = FastTime.make(folder / "time", START, SPEED)
        faults = Faults(slow=1.0, slow_by=slow_by) if slow_by else Faults()
        plan = (PLAN["per_minute"], PLAN["per_month"])
        self.cloud = Cloud(list(map(_house, range(HOUSES))), clock=self.time.now, plan=plan, faults=faults)
        self.web = SimulatedServer(self.cloud).start()
        self.config = folder / "ingest.yaml"
        self.config.write_text(json.dumps(self._document()))
        self._consent()

    def _document(self) -> dict[str, object]:
        window = {"since": SINCE.isoformat(), "until": UNTIL.isoformat()}
        return {
            "api": {
                "base_url": self.web.url,
                "key": API_KEY,
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "plan": PLAN,
            },
            "systems": [{"id": site.system_id, **window} for site in self.cloud.sites],
            "sinks": {"db": self.server.sink(self.database)},
            "state_dir": str(self.state),
            "web": "off",
        }

    def _consent(self) -> None:
        """An owner's consent, given as a person would before the first run."""
        settings, time = load(self.config, {}), WorldTime(int(self.time.now()))
        auth = build.authorizer(settings, identity.cloud_of(settings), time.clock(), Wire(self.cloud, time, 0))
        auth.by_code("home", self.cloud.consent())

    def bounds(self, site: Site) -> tuple[int, int]:
        """The wanted time of a house: whole local days."""
        return site.midnight(SINCE), site.midnight(UNTIL + timedelta(days=1))

    def start(self) -> "subprocess.Popen[str]":
        with (self.folder / "log").open("a") as log:
            command = [sys.executable, "-m", "tests.stories.runner", str(self.config), str(self.folder / "time")]
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)

    def history_calls(self) -> int:
        """Calls that the vendor counted, the daily list of systems aside."""
        return sum(call.counted and call.path != "/api/v4/systems" for call in self.cloud.calls)

    def listings(self) -> int:
        return sum(call.counted and call.path == "/api/v4/systems" for call in self.cloud.calls)

    def is_complete(self) -> bool:
        """Whether every pair has been read to stay, and everything is in the database."""
        pairs = [(site, stream) for site in self.cloud.sites for stream in ("stats", "rgm_stats", "consumption")]
        return all(self._is_read(site, stream) for site, stream in pairs) and stored.delivered(self.state)

    def _is_read(self, site: Site, stream: str) -> bool:
        statement = "SELECT 1 FROM coverage WHERE system = ? AND stream = ? AND age = ? AND start <= ? AND end >= ?"
        return bool(stored.ask(self.state, statement, str(site.system_id), stream, 4 * DAY, *self.bounds(site)))

    def finish(self) -> None:
        """Let it work until all is done, then ask it to end."""
        process = self.start()
        deadline = time.monotonic() + PATIENCE
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n", self.log()
            while not self.is_complete():
                assert time.monotonic() < deadline, f"not complete in time\n{self.log()}"
                assert process.poll() is None, self.log()
                time.sleep(0.05)
            process.terminate()
            assert process.wait(10) == 0, self.log()
        finally:
            process.kill()
            process.communicate()

    def log(self) -> str:
        return (self.folder / "log").read_text()[-3000:]

    def check(self) -> None:
        """Archive and database hold the truth, whole and once."""
        archive = stored.archive_rows(self.state)
        intervals = {key: row for key, row in archive.items() if key[0] in INTERVALS}
        all_of_it: stored.Rows = {}
        for site in self.cloud.sites:
            since, until = self.bounds(site)
            wanted = sun(self.cloud, site, since, until)
            assert len(wanted) > DAYS * (288 + 3 * 96), "the truth of so many days is larger"
            assert stored.unlike_sun(intervals, wanted)[:3] == []
            all_of_it |= sun(self.cloud, site, since - 40 * DAY, until + 40 * DAY)
        assert [key for key in intervals if key not in all_of_it][:3] == [], "intervals that never were"
        aside = stored.ask(self.state, "SELECT too_old, (SELECT count(*) FROM parked) FROM sinks")
        assert aside == [(0, 0)], "rows were set aside or counted as too old"
        assert stored.differences(stored.database_rows(self.server, self.database), archive) == []


def _house(number: int) -> Site:
    zone, latitude, longitude = (("US/Pacific", 37.0, -122.0), ("Europe/Berlin", 52.0, 13.0))[number % 2]
    return Site(
        system_id=2000 + number,
        name=f"House {number}",
        timezone=zone,
        latitude=latitude,
        longitude=longitude,
        size_w=6000 + 500 * number,
        modules=18,
        operational_at=START - 400 * DAY,
        late=0.2,
        partial=0.3,
    )


class Killer:
    """Kills the program, and now and then its database too, at moments drawn from a seed."""

    def __init__(self, houses: Houses, rng: random.Random) -> None:
        self.houses, self.rng = houses, rng
        self.in_flight = 0
        self._outage: threading.Thread | None = None

    def kill(self) -> None:
        """One life of the program: it starts, works for a moment, and is gone."""
        process = self.houses.start()
        try:
            if self.rng.random() < 0.8:
                assert process.stdout
                assert process.stdout.readline() == "ready\n", self.houses.log()
            self._trouble_the_database()
            time.sleep(self.rng.random() * 0.8)
            assert process.poll() is None, self.houses.log()
        finally:
            process.kill()
            process.communicate()
        self.in_flight += self._cut_off()
        self.houses.time.leap(self.rng.randrange(12 * HOUR))

    def _cut_off(self) -> int:
        """Calls that were entered and never came to an end; the next start settles them."""
        if not (self.houses.state / "state.db").exists():
            return 0
        return int(stored.ask(self.houses.state, "SELECT count(*) FROM calls WHERE ended IS NULL")[0][0])

    def _trouble_the_database(self) -> None:
        if self._outage is None and self.rng.random() < 0.4:
            self._outage = threading.Thread(target=self._fail, args=(self.rng.random(), self.rng.random() * 2))
            self._outage.start()
        elif self._outage is not None and not self._outage.is_alive():
            self.wait()

    def _fail(self, after: float, length: float) -> None:
        time.sleep(after)
        self.houses.server.stop()  # a database that is killed may forget what it has acknowledged: not our matter here
        time.sleep(length)
        self.houses.server.start()

    def wait(self) -> None:
        """Let the database come back."""
        if self._outage is not None:
            self._outage.join()
            self._outage = None


@pytest.fixture(params=["1.6.7", "2.x"])
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Influxd | ReadyInfluxd2]:
    """A database of this test's own, for it is killed."""
    if request.param == "2.x":
        if influxd2.BINARY is None:
            pytest.skip(influxd2.MISSING)
        with ReadyInfluxd2(tmp_path / "influxd2") as ready:
            yield ready
        return
    if BINARY is None:
        if os.environ.get("INGEST_REQUIRE_SERVERS") == "1":
            pytest.fail("the real InfluxDB is missing: apt-get install influxdb")
        pytest.skip("the real InfluxDB is missing: apt-get install influxdb")
    with Influxd(tmp_path / "influxd") as started:
        yield started


@pytest.mark.influxd
@pytest.mark.timeout(1200 if LONG else 300)
def test_weeks_of_history_survive_any_number_of_kills(tmp_path: Path, server: Influxd | ReadyInfluxd2) -> None:
    seed = int(os.environ.get("INGEST_SEED") or random.randrange(10**6))
    print(f"kills of seed {seed}; again with INGEST_SEED={seed}")
    undisturbed = Houses(tmp_path / "calm", server, "calm", slow_by=0)
    undisturbed.finish()
    undisturbed.check()

    houses = Houses(tmp_path / "killed", server, "killed", slow_by=0.15)
    killer = Killer(houses, random.Random(seed))
    before = houses.time.now()
    for _ in range(KILLS):
        killer.kill()
    killer.wait()
    houses.finish()
    houses.check()

    assert killer.in_flight >= KILLS / 3, "most kills fell on an idle program: they prove little"
    extra = houses.history_calls() - undisturbed.history_calls()
    assert 0 <= extra <= killer.in_flight, f"{extra} calls more, {killer.in_flight} were in flight at the kills"
    days = int((houses.time.now() - before) / DAY)
    assert houses.listings() <= undisturbed.listings() + days + killer.in_flight - extra
