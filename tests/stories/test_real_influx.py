"""The demo against the real InfluxDB 1.6.7, and a 2.x where there is one: what it holds equals the archive, whatever
happens in between.
"""

import contextlib
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.core.point import Point, decode
from ingest.simulator import Cloud, demo_sites
from ingest.store import archive
from ingest.store.database import Store
from tests import influxd2
from tests.influxd import Influxd
from tests.influxd2 import ReadyInfluxd2
from tests.servers.v2_proxy import V2Proxy
from tests.stories import stored
from tests.stories.program import Program, Vendor
from tests.stories.stored import Rows
from tests.world import DAY, HOUR, START, World, sun

pytestmark = pytest.mark.influxd

TOKEN = "a-token-that-is-secret"
Server = Influxd | ReadyInfluxd2
INTERVALS = {"production_micro", "production_rgm", "production_rgm_channel", "consumption"}
DAYS = 8
SYSTEMS = [{"id": 700_001 + number, "since": f"{DAYS}d"} for number in range(2)]


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    """The demo systems; the cloud's time stands still, at present, for InfluxDB's retention goes by real time."""
    now = math.floor(time.time())
    with Vendor(demo_sites(now)[:2], now) as started:
        yield started


@pytest.fixture(scope="module")
def filled(vendor: Vendor, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """An installation that has read everything, without a database."""
    program = Program(tmp_path_factory.mktemp("filled"), api=vendor.api, systems=SYSTEMS)
    program.consent(vendor)
    program.run("once")
    return program


@pytest.fixture
def installed(filled: Program, tmp_path: Path) -> Program:
    """A copy of it, for a test to do with as it likes."""
    return filled.copy(tmp_path / "program")


@pytest.fixture(params=["1.6.7", "2.x"])
def server(request: pytest.FixtureRequest) -> Server:
    started: Server = request.getfixturevalue("influxd" if request.param == "1.6.7" else "ready_influxd2")
    return started


@pytest.fixture
def database(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a database of the test's own."""
    name = request.node.name.replace("[", "_").rstrip("]")[:60]
    yield name
    with contextlib.suppress(RuntimeError):
        server.execute(f'DROP DATABASE "{name}"')


def sinks(server: Server, database: str) -> dict[str, Any]:
    return {"db": server.sink(database)}


def exported(program: Program) -> Rows:
    found: Rows = {}
    for line in program.run("export", "--format", "lp").out.splitlines():
        point = decode(line)
        found[point.measurement, point.tags, point.time] = dict(point.fields)
    return found


def forget_what_was_read(program: Program) -> None:
    """Everything is asked for again."""
    with contextlib.closing(Store(program.state)) as store, store.transaction() as db:
        db.execute("DELETE FROM coverage")
        db.execute("UPDATE pairs SET asked_at = NULL")


@pytest.mark.parametrize(
    ("server", "is_1_8"),
    [pytest.param("1.6.7", False, marks=pytest.mark.long), ("1.6.7", True), ("2.x", False)],
    indirect=["server"],
)
def test_reading_everything_again_changes_nothing(
    vendor: Vendor,
    server: Server,
    database: str,
    tmp_path: Path,
    is_1_8: bool,  # noqa: FBT001
) -> None:
    program = Program(tmp_path / "program", api=vendor.api, systems=SYSTEMS)
    with contextlib.ExitStack() as stack:
        target = server.sink(database)
        if is_1_8 and isinstance(server, Influxd):
            server.execute(f'CREATE DATABASE "{database}"')
            proxy = stack.enter_context(V2Proxy(server, TOKEN))
            target = {"type": "influxdb", "url": proxy.url, "token": TOKEN, "org": "home", "bucket": database}
        program.document["sinks"] = {"db": target}
        program.consent(vendor)
        program.run("once")
        first = exported(program)
        check_demo(vendor, first)
        assert stored.differences(stored.database_rows(server, database), first) == []
        (before,) = program.json("status")["sinks"]
        calls = vendor.counted
        program.run("once")
        program.run("once")
        assert vendor.counted == calls, "nothing was due"
        forget_what_was_read(program)
        program.run("once")
        assert vendor.counted > calls + 15, "everything was to be read again"
        again = exported(program)
        assert stored.differences(data(again), data(first)) == []
        assert stored.differences(stored.database_rows(server, database), again) == []
    (sink,) = program.json("status")["sinks"]
    assert (sink["backlog"], sink["error"]) == (0, "")
    assert parked(program) == []
    assert sink["sent"] - before["sent"] == len(again) - len(first), "an unchanged point was sent again"


def data(rows: Rows) -> Rows:
    """What was measured; `system_info` is noted anew whenever it is asked for."""
    return {key: row for key, row in rows.items() if key[0] != "system_info"}


def parked(program: Program) -> list[str]:
    """The reasons of the lines that were set aside."""
    return [reason for (reason,) in stored.ask(program.state, "SELECT reason FROM parked")]


def odometer(cloud: Cloud, system: int, read_at: int) -> int | None:
    """What the meter showed at `read_at`, which the cloud tells once the gateway has reported it."""
    readings = (cloud.odometer(system, at) for at in range(read_at, read_at + HOUR, 60))
    return next((value for found in readings if found for at, value in [found] if at == read_at), None)


def check_demo(vendor: Vendor, rows: Rows) -> None:
    """Whatever is settled equals the sun, nothing else is there, and each odometer reading is the meter's."""
    until = int(vendor.at) - 12 * HOUR
    for site in vendor.cloud.sites:
        wanted = sun(vendor.cloud, site, int(vendor.at) - (DAYS - 1) * DAY, until)
        assert len(wanted) > (DAYS - 2) * (288 + 3 * 96)
        assert stored.unlike_sun(rows, wanted)[:3] == []
        tag = ("system", str(site.system_id))
        ever = sun(vendor.cloud, site, int(vendor.at) - 20 * DAY, int(vendor.at) + DAY)
        assert [key for key in rows if key[0] in INTERVALS and tag in key[1] and key not in ever] == []
        readings = [(key, row) for key, row in rows.items() if key[0] == "production_meter_reading" and tag in key[1]]
        assert readings
        for (_, _, at), row in readings:
            assert row["reading_wh"] == odometer(vendor.cloud, site.system_id, at)


def test_each_odometer_reading_is_the_meters_and_there_is_one_a_day(tmp_path: Path) -> None:
    site = demo_sites(START)[0]
    world = World(tmp_path, [site], systems=[{"id": site.system_id}])
    world.run(7 * DAY)
    times = [key[2] for key in world.database.rows if key[0] == "production_meter_reading"]
    assert {site.local_date(at) for at in times} >= {site.local_date(START + day * DAY) for day in range(1, 7)}
    for key, row in world.database.rows.items():
        if key[0] == "production_meter_reading":
            assert row["reading_wh"] == odometer(world.cloud, site.system_id, key[2])
    world.end()


def test_a_sink_that_is_added_later_and_one_pointed_elsewhere_receive_everything(
    vendor: Vendor, server: Server, database: str, installed: Program
) -> None:
    calls = vendor.counted
    for name in (database, f"{database}_2", database):
        installed.document["sinks"] = sinks(server, name)
        installed.run("once")
        assert stored.differences(stored.database_rows(server, name), exported(installed)) == []
    server.execute(f'DROP DATABASE "{database}_2"')
    assert vendor.counted == calls, "the archive is at hand: no call is needed"


def test_replay_sends_again_what_a_database_has_lost(
    vendor: Vendor, server: Server, database: str, installed: Program
) -> None:
    installed.document["sinks"] = sinks(server, database)
    installed.run("once")
    calls = vendor.counted
    for measurement in ("production_micro", "consumption"):
        server.execute(f'DROP MEASUREMENT "{measurement}"', database)
    said = installed.run("replay", "--sink", "db", "--stream", "stats", "--system", "700002", "--since", "5d").out
    assert "once" in said
    installed.run("once")
    held = stored.database_rows(server, database)
    tag = (("system", "700002"),)
    wanted = {
        key: row
        for key, row in exported(installed).items()
        if key[0] == "production_micro" and key[1] == tag and key[2] > time.time() - 5 * DAY + HOUR
    }
    got = {key: row for key, row in held.items() if key[0] == "production_micro" and key[2] > min(wanted)[2]}
    assert stored.differences({**wanted, **got}, wanted) == []
    assert not any(key[0] == "consumption" for key in held)
    installed.run("replay", "--sink", "db")
    installed.run("once")
    assert stored.differences(stored.database_rows(server, database), exported(installed)) == []
    installed.run("once")
    assert vendor.counted == calls


def test_poison_lines_are_parked_with_their_reason_and_tried_again_when_the_row_changes(
    server: Server, database: str, installed: Program
) -> None:
    reading = next(key for key in exported(installed) if key[0] == "production_meter_reading")
    server.execute(f'CREATE DATABASE "{database}"')
    server.put(database, f'production_meter_reading,system=1 reading_wh="text" {reading[2]}')
    installed.document["sinks"] = sinks(server, database)
    installed.run("once")
    (sink,) = installed.json("status")["sinks"]
    assert (sink["backlog"], sink["error"]) == (0, "")
    assert len(parked(installed)) == len(SYSTEMS)
    assert all("field type conflict" in reason for reason in parked(installed))
    told = " ".join(installed.run("status", "--problems", code=1).out.split())
    assert f"{len(SYSTEMS)} points" in told
    assert "field type conflict" in told
    others = {key: row for key, row in exported(installed).items() if key[0] != "production_meter_reading"}
    held = stored.database_rows(server, database)
    assert stored.differences({key: held[key] for key in held if key[0] != "production_meter_reading"}, others) == []

    server.execute('DROP MEASUREMENT "production_meter_reading"', database)
    with contextlib.closing(Store(installed.state)) as store, store.transaction() as db:
        archive.upsert(db, [Point(*reading, {"reading_wh": 1.0})])
    installed.run("once")
    assert stored.database_rows(server, database)[reading] == {"reading_wh": 1}
    assert len(parked(installed)) == len(SYSTEMS) - 1
    installed.run("replay", "--sink", "db", "--stream", "production_meter_readings")
    installed.run("once")
    assert stored.differences(stored.database_rows(server, database), exported(installed)) == []
    assert parked(installed) == []


def test_points_older_than_the_database_keeps_are_counted(server: Server, database: str, installed: Program) -> None:
    server.execute(f'CREATE DATABASE "{database}" WITH DURATION 3d')
    installed.document["sinks"] = sinks(server, database)
    installed.run("once")
    (sink,) = installed.json("status")["sinks"]
    rows, held = exported(installed), stored.database_rows(server, database)
    assert parked(installed) == []
    assert (sink["backlog"], sink["error"]) == (0, "")
    assert sink["too_old"] + len(held) == len(rows)
    young = {key: row for key, row in rows.items() if key[2] > time.time() - 3 * DAY + HOUR}
    assert young
    assert stored.differences({key: held[key] for key in held if key in young}, young) == []
    assert "older than the database keeps" in installed.run("status").out


@pytest.mark.parametrize("kind", ["1.6.7", "2.x"])
def test_an_outage_loses_nothing_and_spends_no_call(vendor: Vendor, tmp_path: Path, kind: str) -> None:
    if kind == "2.x" and influxd2.BINARY is None:
        pytest.skip(influxd2.MISSING)
    folder, database = tmp_path / "influxd" / "data", "outage"
    with ReadyInfluxd2(folder) if kind == "2.x" else Influxd(folder) as server:
        program = Program(tmp_path / "program", api=vendor.api, systems=SYSTEMS[:1], sinks=sinks(server, database))
        program.consent(vendor)
        program.run("once", "--max-calls", "8")
        server.kill()
        failed = program.run("once", code=1).sentence
        assert "refuses connections" in failed
        assert "kept" in failed
        calls = vendor.counted
        for _ in range(2):
            program.run("once", code=1)
        assert vendor.counted == calls, "a database that is down spends calls"
        assert program.json("status")["sinks"][0]["backlog"] > 1000
        server.start()
        program.run("once")
        assert vendor.counted == calls
        assert stored.differences(stored.database_rows(server, database), exported(program)) == []
        assert program.json("status")["sinks"][0]["error"] == ""
