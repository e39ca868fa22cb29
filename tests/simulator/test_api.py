"""The rules of the routes: windows, echoes, pages, access, and both ways to send a key."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.simulator import API_KEY, Answer, Caller, Cloud, Faults, Site

DAY = 86400
NOW = int(datetime(2026, 4, 20, 21, 7, 30, tzinfo=UTC).timestamp())
MIDNIGHT = int(datetime(2026, 4, 20, 7, 0, tzinfo=UTC).timestamp())  # in California
HOUSE = Site(
    system_id=66,
    name="House",
    timezone="US/Pacific",
    latitude=37.8,
    longitude=-121.3,
    size_w=7600,
    modules=20,
    operational_at=int(datetime(2025, 10, 1, 15, 20, tzinfo=UTC).timestamp()),
)
MICRO, METER, USED = (f"/66/telemetry/{s}" for s in ("production_micro", "production_meter", "consumption_meter"))


def caller_of(*sites: Site, now: int = NOW, **options: Any) -> Caller:
    cloud = Cloud(sites or (HOUSE,), clock=lambda: now, **{"plan": (10**9, 10**9), **options})
    return Caller(cloud)


def details(answer: Answer) -> tuple[int, str]:
    return answer.status, json.loads(answer.body).get("details", "")


def ends(reply: Any) -> list[int]:
    return [row["end_at"] for row in reply["intervals"]]


ROWS = [
    (MICRO, "5mins", 1),
    (MICRO, "15mins", 3),
    (MICRO, "day", 288),
    (METER, "15mins", 1),
    (METER, "day", 96),
    (METER, "week", 672),
    (USED, "day", 96),
    (USED, "week", 672),
]


@pytest.mark.parametrize(("path", "granularity", "rows"), ROWS)
def test_granularity_is_the_length_of_the_window(path: str, granularity: str, rows: int) -> None:
    start = MIDNIGHT - 10 * DAY
    reply = caller_of().json(path, start_at=start, granularity=granularity)
    assert len(reply["intervals"]) == rows
    assert reply["start_at"] < min(ends(reply))
    assert max(ends(reply)) == reply["end_at"]
    assert reply["granularity"] == granularity


def test_the_interval_that_ends_at_midnight_belongs_to_the_day_before() -> None:
    reply = caller_of().json(MICRO, start_at=MIDNIGHT - DAY)
    assert ends(reply)[0] == MIDNIGHT - DAY + 300
    assert ends(reply)[-1] == MIDNIGHT


def test_the_default_window_is_today_so_far_and_end_at_is_ignored() -> None:
    caller = caller_of()
    for reply in (
        caller.json(MICRO),
        caller.json(MICRO, end_at=MIDNIGHT + 600),
        caller.json(MICRO, granularity="week"),
    ):
        assert (reply["start_at"], reply["end_at"]) == (MIDNIGHT, NOW)
        assert NOW - 900 <= max(ends(reply)) <= NOW
    assert "meta" in caller.json(USED)
    assert "meta" not in caller.json(METER)


def test_a_start_date_is_echoed_as_dates() -> None:
    reply = caller_of().json(USED, start_date="2026-04-10")
    assert reply["start_date"] == "2026-04-10"
    assert "start_at" not in reply
    assert ends(reply)[0] == MIDNIGHT - 10 * DAY + 900


def test_a_week_of_microinverters_is_cut_kept_or_lied_about() -> None:
    start, asked = MIDNIGHT - 10 * DAY, {"granularity": "week"}
    cut = caller_of().json(MICRO, start_at=start, **asked)
    lie = caller_of(micro_week_echo=True).json(MICRO, start_at=start, **asked)
    whole = caller_of(micro_week=True).json(MICRO, start_at=start, **asked)
    assert (len(cut["intervals"]), cut["end_at"]) == (288, start + DAY)
    assert (len(lie["intervals"]), lie["end_at"]) == (288, start + 7 * DAY)
    assert (len(whole["intervals"]), whole["end_at"]) == (2016, start + 7 * DAY)


def test_a_start_before_the_first_report_moves_to_midnight_of_the_first_day() -> None:
    reply = caller_of().json(MICRO, start_at=HOUSE.operational_at - 90 * DAY)
    assert reply["start_at"] == int(datetime(2025, 10, 1, 7, 0, tzinfo=UTC).timestamp())
    assert ends(reply)[0] == HOUSE.operational_at + 300


def test_a_start_after_the_last_report_gives_nothing_and_a_future_one_422() -> None:
    caller = caller_of()
    assert caller.json(MICRO, start_at=NOW)["intervals"] == []
    assert details(caller.get(MICRO, start_at=NOW + 1)) == (422, "Requested date is in the future")


@pytest.mark.parametrize("path", [MICRO, METER, USED, "/66/rgm_stats"])
def test_a_start_that_is_too_old_gives_422_that_names_the_first_interval(path: str) -> None:
    caller = caller_of(replace(HOUSE, operational_at=NOW - 1000 * DAY))
    status, text = details(caller.get(path, start_at=NOW - 800 * DAY))
    first = int(text.partition(":first_interval=>")[2].partition(",")[0])
    assert status == 422
    assert NOW - 731 * DAY < first <= NOW - 730 * DAY + 900
    step = 300 if path == MICRO else 900
    assert ends(caller.json(path, start_at=first - step))[0] == first
    assert caller.get(path, start_at=first - step - DAY).status == 422


def test_rgm_stats_knows_its_own_rules() -> None:
    caller = caller_of()
    assert details(caller.get("/66/rgm_stats", end_at=NOW + 1))[1] == "Requested date is in the future"
    early = details(caller.get("/66/rgm_stats", start_at=HOUSE.operational_at - 900))
    assert early[0] == 422
    assert f":first_interval=>{HOUSE.operational_at // 900 * 900 + 1800}" in early[1]
    week = caller.json("/66/rgm_stats", start_at=NOW - 20 * DAY, end_at=NOW)
    assert len(week["intervals"]) == 672
    odd = caller.json("/66/rgm_stats", start_at=MIDNIGHT - 3600 + 7, end_at=MIDNIGHT + 899)
    assert ends(odd) == [MIDNIGHT - 2700, MIDNIGHT - 1800, MIDNIGHT - 900, MIDNIGHT]
    backwards = caller.get("/66/rgm_stats", start_at=NOW - DAY, end_at=NOW - 2 * DAY)
    assert details(backwards)[1] == "Requested date range is invalid for this system"


def test_a_site_without_a_device_has_nothing_to_say_about_it() -> None:
    caller = caller_of(replace(HOUSE, meter=False, consumption_meter=False))
    rgm = caller.json("/66/rgm_stats")
    assert (rgm["total_devices"], rgm["intervals"], rgm["meter_intervals"]) == (0, [], [])
    assert caller.json(USED)["intervals"] == caller.json(METER)["intervals"] == []
    assert caller.json("/66/production_meter_readings")["meter_readings"] == []
    assert caller.json("/66/consumption_lifetime")["consumption"] == []
    assert set(caller.json("/66/devices")["devices"]) == {"micros", "gateways"}
    assert caller.json("/66/summary")["source"] == "microinverters"
    assert caller.get_v2("/66/consumption_lifetime").status == 204


def test_a_meter_added_later_has_no_rows_before() -> None:
    caller = caller_of(replace(HOUSE, meter_since=MIDNIGHT - 3 * DAY))
    assert caller.json(METER, start_at=MIDNIGHT - 5 * DAY)["intervals"] == []
    assert len(caller.json(METER, start_at=MIDNIGHT - 3 * DAY)["intervals"]) == 96
    assert caller.get("/66/rgm_stats", start_at=MIDNIGHT - 5 * DAY).status == 422


def test_lifetime_arrays_start_where_asked_and_end_yesterday() -> None:
    caller = caller_of()
    some = caller.json("/66/energy_lifetime", start_date="2026-04-01", end_date="2026-04-05")
    assert (some["start_date"], len(some["production"])) == ("2026-04-01", 5)
    assert len(caller.json("/66/energy_lifetime", start_date="2026-04-15")["production"]) == 5
    today = caller.json("/66/energy_lifetime", start_date="2026-04-20")["production"]
    assert today == [caller.json("/66/summary")["energy_today"]]
    assert caller.json("/66/energy_lifetime", start_date="2001-01-01")["start_date"] == "2025-10-01"
    assert "micro_production" not in some


def test_a_system_that_never_reported_has_null_dates() -> None:
    caller = caller_of(replace(HOUSE, operational_at=NOW + DAY))
    assert caller.json("/66/energy_lifetime")["start_date"] is None
    assert caller.json("/66")["last_report_at"] is None


def test_the_list_has_pages_and_an_order() -> None:
    sites = [replace(HOUSE, system_id=number) for number in range(1, 26)]
    caller = caller_of(*sites)
    first = caller.json("")
    assert (first["total"], first["count"], first["size"], first["current_page"]) == (25, 10, 10, 1)
    last = caller.json("", page=3, size=10, sort_by="-id")
    assert [row["system_id"] for row in last["systems"]] == [5, 4, 3, 2, 1]
    assert all(row["energy_today"] == row["system_size"] == -1 for row in last["systems"])
    assert len(caller.json("", size=100)["systems"]) == 25
    assert caller.get("", sort_by="name").status == 422


def test_an_owner_sees_his_systems_only_and_a_partner_all() -> None:
    caller = caller_of(HOUSE, replace(HOUSE, system_id=67, owner="else"), replace(HOUSE, system_id=68, shared=False))
    assert [row["system_id"] for row in caller.json("")["systems"]] == [66]
    assert [caller.get(f"/{number}").status for number in (66, 67, 68, 69)] == [200, 403, 403, 404]
    reply = caller.token(grant_type="password", username="installer@example.com", password="simulated-password")
    caller.access = json.loads(reply.body)["access_token"]
    assert [row["system_id"] for row in caller.json("")["systems"]] == [66, 67]


def test_a_group_that_is_not_ticked_is_denied_and_others_are_not() -> None:
    caller = caller_of(faults=Faults(denied_groups={"consumption"}))
    assert details(caller.get(USED)) == (401, "Not authorized to access this resource")
    assert caller.get("/66/consumption_lifetime").status == 401
    assert caller.get(MICRO).status == caller.get("/66").status == 200
    caller.cloud.faults = Faults()
    assert caller.get(USED).status == 200


def test_the_key_is_taken_from_the_header_too() -> None:
    caller = caller_of().authorize()
    headers = {"authorization": f"bearer {caller.access}", "KEY": API_KEY}
    assert caller.cloud.handle("GET", "/api/v4/systems", headers).status == 200
    del headers["KEY"]
    assert details(caller.cloud.handle("GET", "/api/v4/systems", headers))[1] == "User is not authorized"


def test_every_answer_has_a_date_and_a_content_type() -> None:
    caller = caller_of(faults=Faults(clock_skew=3600))
    for answer in (caller.get(), caller.get("/1"), caller.cloud.handle("GET", "/oauth/redirect_uri?code=a1B2c3", {})):
        assert answer.headers["Date"] == "Mon, 20 Apr 2026 22:07:30 GMT"
        assert answer.headers["Content-Type"]


def test_a_changed_site_is_answered_for_at_once() -> None:
    caller = caller_of()
    assert caller.get(MICRO).status == 200
    caller.cloud.put(replace(HOUSE, shared=False))
    assert caller.get(MICRO).status == 403
