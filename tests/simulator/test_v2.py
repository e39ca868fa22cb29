"""The retired v2 routes: the same data, other windows, other words."""

import json
from dataclasses import replace
from typing import Any

from ingest.simulator import Caller, Cloud, Site, enlighten_id, v2_code
from tests.simulator.test_api import DAY, HOUSE, MICRO, MIDNIGHT, NOW, USED


def caller_of(*sites: Site, now: int = NOW, **options: Any) -> Caller:
    cloud = Cloud(sites or (HOUSE,), clock=lambda: now, **{"plan": (10**9, 10**9), **options})
    return Caller(cloud)


def v2(caller: Caller, path: str, **params: object) -> Any:
    return json.loads(caller.get_v2(path, **params).body)


def test_v2_user_ids_are_written_as_the_vendor_writes_them() -> None:
    assert v2_code(247) == "4d6a51330a"
    assert len(v2_code(enlighten_id("owner"))) == 18


def test_v2_has_the_same_data_in_other_windows() -> None:
    caller = caller_of()
    day = v2(caller, "/66/stats", start_at=MIDNIGHT - DAY, end_at=MIDNIGHT + DAY)
    assert day["intervals"] == caller.json(MICRO, start_at=MIDNIGHT - DAY)["intervals"]
    month = v2(caller, "/66/rgm_stats", start_at=MIDNIGHT - 60 * DAY, end_at=NOW)
    assert len(month["intervals"]) == 31 * 96
    used = v2(caller, "/66/consumption_stats", start_at=MIDNIGHT - 7 * DAY, end_at=MIDNIGHT)
    assert used["intervals"] == caller.json(USED, start_at=MIDNIGHT - 7 * DAY, granularity="week")["intervals"]
    for path in ("production_meter_readings", "energy_lifetime", "consumption_lifetime"):
        assert v2(caller, f"/66/{path}") == caller.json(f"/66/{path}")
    assert v2(caller, "/66/summary")["energy_today"] == caller.json("/66/summary")["energy_today"]


def test_v2_is_empty_beyond_a_year_and_422_after_the_last_interval() -> None:
    caller = caller_of(replace(HOUSE, operational_at=NOW - 1000 * DAY))
    assert v2(caller, "/66/stats", start_at=NOW - 400 * DAY)["intervals"] == []
    late = v2(caller, "/66/stats", start_at=NOW - 60)
    assert late["reason"] == "Requested date range is invalid for this system"
    assert late["first_interval"] < late["last_interval"] <= NOW
    young = caller_of()
    early = v2(young, "/66/stats", start_at=HOUSE.operational_at - 300)
    assert early["first_interval"] == HOUSE.operational_at + 300


def test_v2_lists_systems_by_cursor() -> None:
    caller = caller_of(*(replace(HOUSE, system_id=number) for number in range(1, 8)))
    found: list[int] = []
    cursor: dict[str, object] = {}
    for _ in range(4):
        reply = v2(caller, "", limit=2, **cursor)
        found += [row["system_id"] for row in reply["systems"]]
        cursor = {"next": reply.get("next")}
    assert found == [1, 2, 3, 4, 5, 6, 7]
    assert cursor == {"next": None}
    assert v2(caller, "/1/inventory")["meters"][0]["sn"].endswith("EIM1")
    assert v2(caller, "/1/envoys")["envoys"][0]["status"] == "normal"


def test_v2_needs_a_known_user() -> None:
    caller = caller_of()
    caller.owner = "stranger"
    assert caller.get_v2("/66/stats").status == 401
