"""`api`: any documented call, counted, with its price; nothing else is ever sent."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from ingest.core.errors import AuthNeeded, IngestError
from ingest.simulator.users import enlighten_id
from tests.cli.command import call
from tests.stories.program import Program, Vendor
from tests.world import START
from tests.worlds import HOME

SITES = [replace(HOME, system_id=8000 + number) for number in range(3)]


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor(SITES, START) as started:
        yield started


def ask(program: Program, vendor: Vendor, *words: str) -> Result:
    return call(program, vendor, "api", *words)


def answered(result: Result) -> Any:
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def test_a_call_prints_what_the_cloud_answers_and_is_counted(program: Program, vendor: Vendor) -> None:
    reply = answered(ask(program, vendor, "systems/{system}/summary", "summary_date=2026-06-20", "--system", "8001"))
    assert (reply["system_id"], reply["summary_date"]) == (8001, "2026-06-20")
    assert vendor.counted == 1
    assert vendor.cloud.calls[-1].params == {"summary_date": "2026-06-20"}
    left = ask(program, vendor, "systems/8001/devices", "--dry-run").output
    assert "999,999 calls of 1,000,000 are left" in left


def test_the_price_is_said_before_and_nothing_is_asked(program: Program, vendor: Vendor) -> None:
    said = ask(program, vendor, "systems/8000/latest_telemetry", "--dry-run")
    assert "GET /api/v4/systems/8000/latest_telemetry through account home: 1 call\n" in said.output
    assert "Site Level Consumption Monitoring" in said.output
    assert not vendor.cloud.calls


def test_all_pages_of_a_list_become_one(program: Program, vendor: Vendor) -> None:
    reply = answered(ask(program, vendor, "systems", "size=2", "--paginate"))
    assert [row["system_id"] for row in reply["systems"]] == [8000, 8001, 8002]
    assert reply["count"] == reply["total"] == 3
    assert vendor.counted == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["systems/8000/ev_charger/1/start_charging"], "no call that changes or controls anything"),
        (["systems/8000/live_data"], "USD 0.10 a call"),
        (["systems/8000/sumary"], "`systems/{system}/summary`"),
        (["systems", "key=mine"], "filled in by the program"),
        (["systems", "page"], "no KEY=VALUE"),
        (["systems", "--account", "other"], "there are: home"),
        (["systems/{system}/summary"], "--system"),
    ],
)
def test_what_is_not_asked_is_refused_for_no_call(
    program: Program, vendor: Vendor, words: list[str], sentence: str
) -> None:
    result = ask(program, vendor, *words)
    assert result.exit_code
    assert sentence in result.output + str(result.exception)
    assert not vendor.cloud.calls


def test_a_callback_is_taken_off(program: Program, vendor: Vendor) -> None:
    result = ask(program, vendor, "systems", "callback=f", "page=1")
    assert vendor.cloud.calls[-1].params == {"page": "1"}
    assert "callback is left out" in result.stderr


def test_a_token_that_ran_out_is_renewed_once(program: Program, vendor: Vendor) -> None:
    vendor.at += 2 * 86400
    assert answered(ask(program, vendor, "systems"))["total"] == 3
    assert [call.params["grant_type"] for call in vendor.cloud.token_calls][-1] == "refresh_token"
    vendor.cloud.revoke()
    result = ask(program, vendor, "systems")
    assert isinstance(result.exception, AuthNeeded)


def test_the_minute_is_waited_for_and_the_month_is_not_exceeded(program: Program, vendor: Vendor) -> None:
    program.document["api"] = vendor.api | {"plan": {"per_minute": 3, "per_month": 4}}
    began = vendor.at
    for _ in range(4):
        answered(ask(program, vendor, "systems"))
    assert vendor.at - began >= 60
    result = ask(program, vendor, "systems")
    assert isinstance(result.exception, IngestError)
    assert "4 calls of this month are used up" in str(result.exception)
    assert vendor.counted == 4


def test_a_refusal_says_what_to_do_and_tells_no_secret(program: Program, vendor: Vendor) -> None:
    vendor.cloud.faults = replace(vendor.cloud.faults, denied_groups={"consumption"})
    result = ask(program, vendor, "systems/8000/telemetry/battery")
    assert 'tick the access control "Site Level Consumption Monitoring"' in str(result.exception)
    vendor.cloud.faults = replace(vendor.cloud.faults, denied_groups=set(), quotes_key=1.0)
    result = ask(program, vendor, "systems")
    assert vendor.api["key"] not in str(result.exception)


def test_v2_is_asked_in_its_own_way(vendor: Vendor, tmp_path: Path) -> None:
    accounts = {"old": {"enlighten_id": enlighten_id("owner")}}
    program = Program(tmp_path / "old", api=vendor.api | {"version": "v2"}, accounts=accounts)
    reply = answered(
        ask(program, vendor, "/api/v2/systems", "limit=1", "status[]=normal", "status[]=comm", "--paginate")
    )
    assert [row["system_id"] for row in reply["systems"]] == [8000, 8001, 8002]
    assert vendor.counted == 3


def test_what_only_v2_has_is_within_reach(vendor: Vendor, tmp_path: Path) -> None:
    accounts = {"old": {"enlighten_id": enlighten_id("owner")}}
    program = Program(tmp_path / "old", api=vendor.api | {"version": "v2"}, accounts=accounts)
    month = answered(ask(program, vendor, "systems/8001/monthly_production", "start_date=2026-06-01"))
    days = vendor.cloud.daily(8001)
    assert month["production_wh"] == sum(wh for day, wh in days.items() if day.isoformat() >= "2026-06-01")
    assert answered(ask(program, vendor, "systems/8001/envoys", "datetime_format=epoch"))["envoys"]
    assert answered(ask(program, vendor, "systems", "status[]=comm"))["systems"] == []
    serial = SITES[1].gateway_serial
    assert answered(ask(program, vendor, "systems/search_system_id", f"serial_num={serial}")) == {"system_id": 8001}
