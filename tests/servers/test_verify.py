"""The database is proved: what it lost is found and sent again, by itself or by `ingest verify`."""

import json
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result

from ingest.cli import cli
from ingest.config import load
from ingest.core.point import Point
from ingest.core.units import DAY, HOUR
from ingest.deliver.sender import Delivery, record_delivery
from ingest.deliver.sink import Sink
from ingest.deliver.verify import Verification
from ingest.service import build
from ingest.store import archive, outbox
from ingest.store.database import Store
from tests import influxd2
from tests.influxd import Influxd
from tests.influxd2 import Influxd2
from tests.servers.installation import ADMIN_TOKEN, Installation

KILLS = 30 if os.environ.get("INGEST_LONG") else 10
NOW = int(time.time()) // 900 * 900
DAYS = 100


class Home:
    """A state, its sender, and a real database."""

    def __init__(self, folder: Path, sink: str, environment: dict[str, str]) -> None:
        self.config, self.environment = folder / "ingest.yaml", environment
        self.config.write_text(
            f"api: {{base_url: simulator}}\nstate_dir: {folder / 'state'}\nsinks:\n  influx: {sink}\n"
        )
        self.folder = folder
        self.now = NOW
        self.begin()

    def begin(self) -> None:
        settings = load(self.config, self.environment)
        self.store = Store(settings.state_dir, own=True)
        (self.sender,) = build.senders(settings, self.store, reload=lambda: load(self.config, self.environment))

    def end(self) -> None:
        self.sender.close()
        self.store.close()

    def query(self, statement: str) -> list[dict[str, Any]]:
        raise NotImplementedError

    def execute(self, statement: str) -> None:
        raise NotImplementedError

    def record(self, done: Delivery | Verification) -> None:
        with self.store.transaction() as db:
            record_delivery(db, done, self.now)

    def deliver(self) -> str:
        while (done := self.sender.step()) is not None:
            self.record(done)
            if isinstance(done, Delivery) and done.error:
                return done.error
        return ""

    def look(self) -> Verification:
        """The service's own look, and what follows from it."""
        looked = self.sender.verify(self.now)
        assert looked, "it is due"
        self.record(looked)
        assert self.deliver() == ""
        return looked

    def add(self, *points: Point) -> None:
        with self.store.transaction() as db:
            archive.upsert(db, points)

    def fill(self) -> None:
        """A hundred days of two systems: numbers, texts, channels, and a point of nobody."""
        for system in ("1", "2"):
            tags = (("system", system),)
            self.add(*[Point("energy", tags, NOW - 3600 * n, {"produced_wh": n / 7}) for n in range(24 * DAYS)])
            rows = [("channel", str(n % 3)) for n in range(24 * DAYS)]
            self.add(
                *[Point("channels", (row, *tags), NOW - 3600 * n, {"power_w": n * 1.1}) for n, row in enumerate(rows)]
            )
            self.add(Point("system_info", tags, NOW - DAY, {"label": 'Home, "one"', "size_w": 5.0}))
        self.add(Point("ingest", (("app", "a"),), NOW, {"gaps": 0.0}))

    def stored(self) -> int:
        return sum(row["count"] for row in self.query('SELECT count("produced_wh") FROM "energy"'))

    def lose(self, system: str, at: int) -> None:
        """Take one point away behind the pipeline's back."""
        self.execute(f'DELETE FROM "energy" WHERE "system" = \'{system}\' AND time = {at}s')  # noqa: S608

    def cli(self, *arguments: str) -> Result:
        command = ["--config", str(self.config), "verify", *arguments]
        return CliRunner().invoke(cli, command, env=self.environment)


class HomeV1(Home):
    def __init__(self, folder: Path, server: Influxd) -> None:
        self.server, self.name, self.wal = server, folder.name, server.root / "wal"
        server.execute(f'CREATE DATABASE "{self.name}"')
        super().__init__(folder, f'{{type: influxdb_v1, url: "{server.url}", database: "{self.name}"}}', {})

    def query(self, statement: str) -> list[dict[str, Any]]:
        return self.server.query(self.name, statement)

    def execute(self, statement: str) -> None:
        self.server.execute(statement, self.name)

    def drop(self) -> None:
        self.server.execute(f'DROP DATABASE "{self.name}"')
        self.server.execute(f'CREATE DATABASE "{self.name}"')


class HomeV2(Home):
    def __init__(self, folder: Path, server: Influxd2) -> None:
        self.server, self.wal = server, server.root / "engine" / "wal"
        self.stack = stack = Installation(folder, server.url)
        stack.reach()
        sink = f'{{type: influxdb, url: "{server.url}", org: home, bucket: enphase, token: "${{INFLUXDB_TOKEN}}"}}'
        super().__init__(folder, sink, stack.settings)

    def query(self, statement: str) -> list[dict[str, Any]]:
        return self.server.query(ADMIN_TOKEN, "enphase", statement)

    def execute(self, statement: str) -> None:
        self.server.query(ADMIN_TOKEN, "enphase", statement)

    def drop(self) -> None:
        for measurement in ("energy", "channels", "system_info", "ingest"):
            self.execute(f'DROP MEASUREMENT "{measurement}"')

    def make_anew(self) -> None:
        """Take the bucket away; the set-up of the stack makes another, and a token for it."""
        headers, place = {"Authorization": f"Token {ADMIN_TOKEN}"}, f"{self.server.url}/api/v2/buckets"
        (bucket,) = requests.get(f"{place}?name=enphase", headers=headers, timeout=9).json()["buckets"]
        assert requests.delete(f"{place}/{bucket['id']}", headers=headers, timeout=9).status_code == 204
        self.stack.reach()


@pytest.fixture(params=["1.6.7", "2.x"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HomeV1 | HomeV2]:
    if request.param == "1.6.7":
        made: HomeV1 | HomeV2 = HomeV1(tmp_path, request.getfixturevalue("influxd"))
        yield made
    elif influxd2.BINARY is None:
        pytest.skip(influxd2.MISSING)
    else:
        with Influxd2(tmp_path / "influxd2") as server:
            made = HomeV2(tmp_path, server)
            yield made
    made.end()


def test_what_was_delivered_whole_is_equal_and_looked_at_once_a_day(home: HomeV1 | HomeV2) -> None:
    home.fill()
    assert home.deliver() == ""
    assert home.look().found == ()
    assert home.sender.verify(home.now + DAY - 1) is None
    assert home.sender.verify(home.now + DAY)


def test_an_emptied_database_is_found_and_refilled_by_itself(home: HomeV1 | HomeV2) -> None:
    home.fill()
    home.deliver()
    home.drop()
    looked = home.look()
    assert "of 2" in looked.sentence
    assert home.stored() == 2 * 24 * DAYS
    home.now += HOUR
    assert home.look().found == (), "an hour later it is looked at whether that helped"


def test_a_bucket_that_is_deleted_and_made_again_is_refilled_by_itself(tmp_path: Path) -> None:
    if influxd2.BINARY is None:
        pytest.skip(influxd2.MISSING)
    with Influxd2(tmp_path / "influxd2") as server:
        home = HomeV2(tmp_path, server)
        home.fill()
        home.deliver()
        home.make_anew()
        home.add(Point("energy", (("system", "1"),), NOW + 900, {"produced_wh": 1.0}))
        assert "401" in home.deliver(), "its token may write to the old one"
        assert home.deliver() == ""
        home.look()
        assert home.stored() == 2 * 24 * DAYS + 1
        home.end()


def test_lost_rows_of_an_old_month_are_found_within_as_many_days_as_there_are_months(home: HomeV1 | HomeV2) -> None:
    home.fill()
    home.deliver()
    assert home.look().found == ()
    lost = NOW - 3600 * 24 * 60
    home.lose("2", lost)
    assert home.stored() == 2 * 24 * DAYS - 1
    for _ in range(6):
        home.now += DAY
        home.look()
    assert home.stored() == 2 * 24 * DAYS


def test_the_command_says_what_differs_mends_it_and_ends_with_0(home: HomeV1 | HomeV2) -> None:
    home.fill()
    home.deliver()
    home.end()
    assert home.cli().exit_code == 0
    home.lose("1", NOW - 3600)
    done = home.cli()
    assert done.exit_code == 1
    assert "✗ sink influx: energy of 1, " in done.output
    assert "points in the database (produced_wh)" in done.output
    (item, *_) = json.loads(home.cli("--json").stdout)["influx"]
    assert (item["measurement"], item["system"], item["archive"] - item["database"]) == ("energy", "1", 1)
    assert home.cli("--sink", "influx", "--since", "2d", "--fix").exit_code == 0
    assert home.cli().exit_code == 0
    assert home.stored() == 2 * 24 * DAYS
    home.begin()


def test_what_is_only_in_the_database_is_deleted_by_the_command_alone(home: HomeV1 | HomeV2) -> None:
    home.fill()
    home.deliver()
    sink: Sink = home.sender._sink
    sink.write([f"energy,old=yes,system=1 produced_wh=1.0 {NOW - 3600}"])
    looked = home.look()
    assert [item.is_surplus for item in looked.found] == [True]
    home.now += HOUR
    home.look()
    assert outbox.last_verification(home.store.db, "influx").stays, "left to a person"
    home.end()
    assert home.cli("--fix").exit_code == 0
    assert home.stored() == 2 * 24 * DAYS
    home.begin()


def test_what_the_database_does_not_keep_is_not_missed(influxd: Influxd, tmp_path: Path) -> None:
    home = HomeV1(tmp_path, influxd)
    influxd.execute(f'ALTER RETENTION POLICY "autogen" ON "{home.name}" DURATION 14d')
    home.fill()
    home.deliver()
    assert home.look().found == ()
    home.end()
    assert home.cli().exit_code == 0


def test_what_waits_is_not_taken_for_lost(home: HomeV1 | HomeV2) -> None:
    home.fill()
    home.deliver()
    home.add(Point("energy", (("system", "1"),), NOW + 900, {"produced_wh": 1.0}))
    assert home.cli().exit_code == 0


def test_a_token_that_may_only_write_is_told(tmp_path: Path) -> None:
    if influxd2.BINARY is None:
        pytest.skip(influxd2.MISSING)
    with Influxd2(tmp_path / "influxd2") as server:
        home = HomeV2(tmp_path, server)
        headers = {"Authorization": f"Token {ADMIN_TOKEN}"}
        (bucket,) = requests.get(f"{server.url}/api/v2/buckets?name=enphase", headers=headers, timeout=9).json()[
            "buckets"
        ]
        right = {"action": "write", "resource": {"type": "buckets", "id": bucket["id"], "orgID": bucket["orgID"]}}
        body = {"orgID": bucket["orgID"], "description": "by hand", "permissions": [right]}
        made = requests.post(f"{server.url}/api/v2/authorizations", json=body, headers=headers, timeout=9).json()
        home.end()
        home.environment = {"INFLUXDB_TOKEN": made["token"]}
        home.begin()
        home.fill()
        assert home.deliver() == ""
        assert "--read-bucket" in home.look().error
        assert "--read-bucket" in str(home.cli().exception)
        home.end()


@pytest.mark.parametrize("kind", ["1.6.7", "2.x"])
def test_killed_in_the_middle_of_writes_it_ends_equal(kind: str, tmp_path: Path) -> None:
    """With a torn last entry of its log, the 1.6.7 drops at its next start what it acknowledged in between."""
    if kind == "2.x" and influxd2.BINARY is None:
        pytest.skip(influxd2.MISSING)
    seed = random.randrange(10_000)
    print(f"seed {seed}")
    dice = random.Random(seed)
    with Influxd2(tmp_path / "data") if kind == "2.x" else Influxd(tmp_path / "influxd") as server:
        home = HomeV2(tmp_path, server) if isinstance(server, Influxd2) else HomeV1(tmp_path, server)
        count = torn = 0
        for kill in range(KILLS):
            points = [
                Point("energy", (("system", str(n % 40)),), NOW - 900 * (count + n), {"produced_wh": n / 3})
                for n in range(6_000)
            ]
            count += len(points)
            home.add(*points)
            blow = threading.Timer(dice.random() * 0.15, server.kill)
            blow.start()
            home.deliver()
            blow.join()
            if kill % 3 == 0:
                torn += _tear(home.wal, dice)
            server.start()
            home.deliver()
        assert home.deliver() == ""
        home.now += DAY
        home.look()
        home.now += DAY
        assert home.look().found == ()
        assert home.stored() == count
        print(f"{KILLS} kills, {torn} logs torn, {count:,} points")
        assert torn
        home.end()


def _tear(wal: Path, dice: random.Random) -> bool:
    """Leave the newest log as a power cut does: with a part of an entry at its end, or the last one cut short. Whether
    there was one.
    """
    logs = sorted(wal.rglob("*.wal"), key=lambda path: path.stat().st_mtime)
    if not logs or logs[-1].stat().st_size <= 100:
        return False
    with logs[-1].open("r+b") as log:
        if dice.random() < 0.5:
            log.seek(0, 2)
            log.write(b"\x01" + (5_000).to_bytes(4) + dice.randbytes(700))
        else:
            log.truncate(logs[-1].stat().st_size - dice.randrange(1, 60))
    return True
