"""`systems`, `devices` and `find`: what is known of an installation, and what the cloud says when it is asked."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from ingest.core.errors import ConfigError, IngestError
from ingest.core.point import Point
from ingest.store import archive, own
from ingest.store.database import Store
from tests.cli.command import call
from tests.stories.program import Program, Vendor
from tests.world import DAY, START
from tests.worlds import HOME

BATTERY = replace(HOME, system_id=8001, name="Barn", modules=2, battery_wh=10_000)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor([HOME, BATTERY], START) as started:
        yield started


def rows(program: Program, vendor: Vendor, *words: str) -> list[dict[str, Any]]:
    result = call(program, vendor, *words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


@pytest.fixture
def known(program: Program, vendor: Vendor) -> Program:
    """The same once the cloud has listed its systems."""
    rows(program, vendor, "systems", "--refresh")
    return program


def test_systems_are_those_that_were_listed_and_can_be_asked_for_again(known: Program, vendor: Vendor) -> None:
    before = vendor.counted
    assert [(row["system"], row["name"], row["status"]) for row in rows(known, vendor, "systems")] == [
        ("8000", "House", "normal"),
        ("8001", "Barn", "normal"),
    ]
    assert [row["name"] for row in rows(known, vendor, "systems", "--name", "bar")] == ["Barn"]
    assert rows(known, vendor, "systems", "--status", "comm") == []
    assert vendor.counted == before
    vendor.cloud.put(replace(HOME, system_id=8002, name="Shed"))
    result = call(known, vendor, "systems", "--refresh")
    assert "This spends 1 call at least" in result.stderr
    assert "Shed" in result.stdout
    assert vendor.counted == before + 1


def test_devices_are_asked_for_when_told_to_and_remembered(known: Program, vendor: Vendor) -> None:
    result = call(known, vendor, "devices", "--system", "8001")
    assert "`" in result.stderr
    assert "devices --refresh" in result.stderr
    before = vendor.counted
    asked = rows(known, vendor, "devices", "--system", "8001", "--refresh")
    assert vendor.counted == before + 1
    assert sorted(row["kind"] for row in asked) == [*["battery"] * 2, "gateway", *["meter"] * 2, *["microinverter"] * 2]
    assert [row["config_type"] for row in asked if row["kind"] == "meter"] == ["Production", "Net"]
    assert rows(known, vendor, "devices", "--system", "8001") == asked
    printed = call(known, vendor, "devices", "--system", "8001").stdout.splitlines()
    for device in asked:
        (row,) = [line for line in printed if f" {device['device']} " in line]
        assert device["kind"] in row
    assert rows(known, vendor, "systems", "--name", "Barn")[0]["measures"] == [
        "battery",
        "consumption",
        "micro",
        "production",
    ]
    assert isinstance(call(known, vendor, "devices", "--system", "1").exception, ConfigError)


def test_a_device_that_is_gone_is_called_removed(known: Program, vendor: Vendor) -> None:
    rows(known, vendor, "devices", "--system", "8001", "--refresh")
    vendor.cloud.put(replace(BATTERY, modules=1))
    vendor.at += 8 * DAY
    known.consent(vendor)
    panels = [row for row in rows(known, vendor, "devices", "--system", "8001", "--refresh") if "micro" in row["kind"]]
    assert [row["state"] for row in panels] == ["normal", "removed"]
    assert panels[0]["last_report_at"] > panels[1]["last_report_at"]


def test_a_serial_number_finds_its_system(known: Program, vendor: Vendor) -> None:
    rows(known, vendor, "devices", "--refresh")
    before = vendor.counted
    serial = vendor.cloud.history(8001).site.battery_serials[1]
    (found,) = rows(known, vendor, "find", serial)
    assert (found["system"], found["kind"]) == ("8001", "battery")
    assert vendor.counted == before
    vendor.cloud.put(new := replace(HOME, system_id=8009))
    with pytest.raises(IngestError, match=r"no device 99 is known; to ask the cloud, for 1 call"):
        raise_(call(known, vendor, "find", "99"))
    assert rows(known, vendor, "find", new.gateway_serial, "--refresh")[0]["system"] == "8009"
    assert vendor.counted == before + 1


def test_what_cannot_be_done_so_is_said(known: Program, vendor: Vendor) -> None:
    assert "No database is configured" in call(known, vendor, "verify").stdout
    result = call(known, vendor, "export", "--format", "parquet")
    assert result.exit_code == 2
    assert "name one with -o" in result.stderr


def raise_(result: Result) -> None:
    assert result.exception is not None
    raise result.exception


def test_what_the_pipeline_said_of_itself_is_exported_among_the_rest(known: Program, vendor: Vendor) -> None:
    said = [Point("ingest", (("app", "home"),), START + 60 * at, {"gaps": float(at)}) for at in range(2)]
    of_barn = Point("ingest", (("app", "home"), ("system", "8001")), START, {"gaps": 5.0})
    with closing(Store(Path(known.state))) as store, store.transaction() as db:
        archive.upsert(db, [Point(name, (), START, {"energy_wh": 1.0}) for name in ("zone", "grid")])
        own.write(db, [own.said(point) for point in (said[0], of_barn, said[1])])
    lines = call(known, vendor, "export", "--format", "lp").stdout.splitlines()
    assert [line for line in lines if line.startswith(("grid", "ingest", "zone"))] == [
        f"grid energy_wh=1.0 {START}",
        f"ingest,app=home gaps=0.0 {START}",
        f"ingest,app=home gaps=1.0 {START + 60}",
        f"ingest,app=home,system=8001 gaps=5.0 {START}",
        f"zone energy_wh=1.0 {START}",
    ]
    before = call(known, vendor, "export", "--format", "lp", "--until", "2026-06-28").stdout
    assert "ingest" not in before
    alone = call(known, vendor, "export", "--format", "lp", "--system", "8001").stdout.splitlines()
    assert [line for line in alone if line.startswith("ingest")] == [f"ingest,app=home,system=8001 gaps=5.0 {START}"]
