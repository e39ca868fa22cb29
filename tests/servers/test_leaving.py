"""Real databases prove what leaves the archive: they hold all of it afterwards, and say how long they keep it."""

from pathlib import Path
from typing import Any

import duckdb
import requests

from ingest.core.point import Point
from ingest.core.tally import MeasuredSystem
from ingest.core.units import DAY
from ingest.deliver.influx import InfluxSink
from ingest.deliver.influx_v1 import InfluxV1Sink
from ingest.deliver.lake import ParquetSink
from ingest.deliver.verify import all_periods, differences
from ingest.store import archive, departures, outbox
from tests.influxd import Influxd
from tests.influxd2 import ReadyInfluxd2
from tests.service.fleeting import BEGIN, Fleet, Key


def held(sink: Any, rows: dict[Key, dict[str, Any]]) -> dict[MeasuredSystem, Any]:
    """What a database has of the measurements of some rows."""
    return dict(sink.tally(sorted({key[0] for key in rows}), BEGIN, BEGIN + 1000 * DAY))


def test_months_leave_and_every_database_has_them(influxd: Influxd, tmp_path: Path) -> None:
    influxd.execute('CREATE DATABASE "leaving"')
    lake = tmp_path / "lake"
    sinks: dict[str, Any] = {"pi": InfluxV1Sink(influxd.url, "leaving"), "lake": ParquetSink(str(lake))}
    fleet = Fleet(tmp_path / "fleet", sinks)
    whole = fleet.rows()
    for name in sinks:
        fleet.deliver(name)
    before = {name: held(sink, whole) for name, sink in sinks.items()}
    assert before["pi"] == before["lake"]
    for _ in range(3):
        fleet.day()
    assert fleet.oldest() == 57, "January and February"
    assert {name: held(sink, whole) for name, sink in sinks.items()} == before

    tags = (("system", "1"),)
    with fleet.store.transaction() as db:
        archive.upsert(db, [Point("production_micro", tags, BEGIN, {"energy_wh": 5.0})])
    fleet.day()
    (row,) = influxd.query("leaving", f'SELECT * FROM "production_micro" WHERE time = {BEGIN}s AND "system" = \'1\'')  # noqa: S608
    assert (row["energy_wh"], row["power_w"]) == (5.0, 1.0)
    query = f"SELECT energy_wh, power_w FROM '{lake}/measurement=production_micro/month=2025-01/*.parquet' "  # noqa: S608
    with duckdb.connect() as engine:
        assert engine.execute(f"{query} WHERE epoch(time) = {BEGIN} AND system = '1'").fetchall() == [(5.0, 1.0)]
        assert len(engine.execute(query).fetchall()) == 2 * 31 * 2, "a month that is written anew has what left"
    for name, sink in sinks.items():
        assert not list(differences(fleet.store.db, sink, name, all_periods(fleet.store.db), fleet.now))
        assert outbox.last_verification(fleet.store.db, name).differs == []
    fleet.end()


def test_a_database_that_loses_a_month_keeps_it_here(influxd: Influxd, tmp_path: Path) -> None:
    influxd.execute('CREATE DATABASE "losing"')
    sink: Any = InfluxV1Sink(influxd.url, "losing")
    fleet = Fleet(tmp_path / "fleet", {"pi": sink}, days=400)
    fleet.day()
    influxd.execute(f'DELETE FROM "production_micro" WHERE time < {BEGIN + 5 * DAY}s', "losing")  # noqa: S608
    fleet.day()
    assert fleet.oldest() == 0
    fleet.day()
    assert fleet.oldest() == 0, "it was sent again, and seen once since"
    fleet.day()
    assert fleet.oldest() == 29
    fleet.end()


def test_an_influxdb_1_says_how_long_it_keeps_points(influxd: Influxd) -> None:
    influxd.execute('CREATE DATABASE "short" WITH DURATION 800d')
    influxd.execute('CREATE DATABASE "long"')
    assert "800 days only" in InfluxV1Sink(influxd.url, "short").forgets(0)
    assert InfluxV1Sink(influxd.url, "long").forgets(0) == ""
    influxd.execute('CREATE RETENTION POLICY "two" ON "long" DURATION 800d REPLICATION 1')
    assert InfluxV1Sink(influxd.url, "long").forgets(0) == "", "another policy than that which is written to"
    influxd.execute('ALTER RETENTION POLICY "two" ON "long" DEFAULT')
    assert "800 days only" in InfluxV1Sink(influxd.url, "long").forgets(0)


def test_an_influxdb_2_says_it_to_a_sink_of_its_kind_alone(ready_influxd2: ReadyInfluxd2) -> None:
    server = ready_influxd2
    server.make("ever")
    server.make("years", 800)

    def of(bucket: str, token: str = server.token) -> str:
        return InfluxSink(server.url, token, "home", bucket).forgets(0)

    assert of("ever") == ""
    assert "800 days only" in of("years")
    old = InfluxV1Sink(server.url, "ever", "admin", server.token)
    assert "InfluxDB 2" in old.forgets(0)
    assert "does not say" in old.forgets(0)
    headers = {"Authorization": f"Token {server.token}"}
    org = requests.get(f"{server.url}/api/v2/orgs", headers=headers, timeout=9).json()["orgs"][0]["id"]
    may = [{"action": "write", "resource": {"type": "buckets", "orgID": org}}]
    body = {"orgID": org, "permissions": may}
    blind = requests.post(f"{server.url}/api/v2/authorizations", json=body, headers=headers, timeout=9).json()["token"]
    assert "does not say" in of("ever", blind)


def test_a_new_database_gets_what_is_here_and_is_not_held_against_the_rest(influxd: Influxd, tmp_path: Path) -> None:
    for name in ("first", "second"):
        influxd.execute(f'CREATE DATABASE "{name}"')
    sink: Any = InfluxV1Sink(influxd.url, "first")
    fleet = Fleet(tmp_path / "fleet", {"pi": sink}, days=400)
    for _ in range(2):
        fleet.day()
    assert departures.untils(fleet.store.db)
    fleet.end()
    other: Any = InfluxV1Sink(influxd.url, "second")
    fleet.databases["pi"] = other
    fleet.begin()
    for _ in range(3):
        fleet.day()
    assert outbox.last_verification(fleet.store.db, "pi").differs == []
    (count,) = influxd.query("second", 'SELECT count("energy_wh") AS n FROM "production_micro"')
    assert count["n"] == sum(key[0] == "production_micro" for key in fleet.rows())
    fleet.end()
