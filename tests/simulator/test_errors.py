"""Every error body of the API reference happens here in some situation, with the same names and kinds of values."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.simulator import Answer, Caller, Cloud, Faults, Site

DAY = 86400
NOW = int(datetime(2026, 4, 20, 21, 7, 30, tzinfo=UTC).timestamp())
HOUSE = Site(66, "House", "UTC", 37.8, -121.3, 7600, 20, NOW - 100 * DAY)


class World(Caller):
    def __init__(self, site: Site = HOUSE, plan: Any = "kilowatt", **faults: Any) -> None:
        super().__init__(Cloud([site], clock=lambda: NOW, plan=plan))
        self.authorize()
        self.cloud.faults = Faults(**faults)

    def signed_out(self) -> "World":
        self.access = "expired"
        return self

    def again(self, path: str) -> Answer:
        for _ in range(60):
            answer = self.get(path)
        return answer


def v4(message: str, details: str, code: int | str, **more: Any) -> dict[str, Any]:
    return {"message": message, "details": details, "code": code, **more}


FUTURE = "Requested date is in the future"
RANGE = "Requested date range is invalid for this system"
BOUNDS = ":start_at=>1, :end_at=>1, :first_interval=>1, :last_interval=>1"
PERIOD = {"period": "minute", "period_start": 1, "period_end": 1, "limit": 50}
LIVE = {"timestamp_epoch": 1, "timestamp_utc": "any", "type": "any"}
SITUATIONS: dict[str, tuple[int, Any, Callable[[], Answer]]] = {
    "not authorized": (
        401,
        v4("Not Authorized", "User is not authorized", 401),
        lambda: World().signed_out().get("/66"),
    ),
    "group not ticked": (
        401,
        v4("Not Authorized", "Not authorized to access this resource", 401),
        lambda: World(denied_groups={"system"}).get("/66"),
    ),
    "plan lacks the group": (
        401,
        v4("Not Authorized", "Not authorized to access this resource", 401),
        lambda: World(plan="watt").get("/66/devices/micros/telemetry"),
    ),
    "key of another application": (
        401,
        v4("Not Authorized", "API Key -Client mismatch", 401),
        lambda: World(wrong_key=True).get("/66"),
    ),
    "forbidden": (
        403,
        v4("Forbidden", "Not authorized to access this resource", 403),
        lambda: World(replace(HOUSE, shared=False)).get("/66"),
    ),
    "unknown system": (
        404,
        v4("Not Found", 'System not found for {:id=>"1"}', 404),
        lambda: World().get("/1/rgm_stats"),
    ),
    "readings of an unknown system": (
        404,
        v4("Not Authorized", 'System not found for {:id=>"1"}', 404),
        lambda: World().get("/1/production_meter_readings"),
    ),
    "unknown microinverter": (
        404,
        v4("Not Found", 'Micro not found for {:id=>"1"}', 404),
        lambda: World().get("/66/devices/micros/1/telemetry"),
    ),
    "another method": (
        405,
        {"reason": "405", "message": ["Method not allowed"]},
        lambda: World().get("/66", "DELETE"),
    ),
    "unknown method": (
        501,
        {"reason": "501", "message": ["Not Implemented"]},
        lambda: World().get("/66", "BREW"),
    ),
    "range": (
        422,
        v4("Unprocessable Entity", RANGE, 422),
        lambda: World().get("/66/energy_lifetime", start_date="2026-04-05", end_date="2026-04-01"),
    ),
    "range with its bounds": (
        422,
        v4("Unprocessable Entity", f"Invalid request because of '{RANGE}. {{{BOUNDS}}}'", 422),
        lambda: World(replace(HOUSE, history_from=NOW - 9 * DAY)).get("/66/rgm_stats", start_at=NOW - 20 * DAY),
    ),
    "future": (
        422,
        v4("Unprocessable Entity", FUTURE, 422),
        lambda: World().get("/66/energy_lifetime", start_date="2026-04-25"),
    ),
    "future, wrapped": (
        422,
        v4("Unprocessable Entity", f"Invalid request because of '{FUTURE}'", 422),
        lambda: World().get("/66/devices/micros/telemetry", start_at=NOW + 9),
    ),
    "range of a heat pump": (
        422,
        v4("Unprocessable Entity", "Invalid request because of 'Invalid date/time range'", 422),
        lambda: World().get("/66/hp_telemetry", start_at=NOW + 9),
    ),
    "unreadable date": (
        422,
        v4("Unprocessable Entity", "Failed to parse date yesterday", 422),
        lambda: World().get("/66/production_meter_readings", end_at="yesterday"),
    ),
    "unknown order": (
        422,
        v4(
            "Unprocessable Entity",
            "Invalid request because of 'The sorting parameter is not supported. "
            "Please use id for sorting by Asc or -id for sorting by Desc'",
            422,
        ),
        lambda: World().get("", sort_by="size"),
    ),
    "events without a start": (
        422,
        v4("Unprocessable Entity", "start_time is required", 422),
        lambda: World().get("/66/events"),
    ),
    "too many calls": (
        429,
        v4("Too Many Requests", "Usage limit exceeded for plan Kilowatt", 429, **PERIOD),
        lambda: World().again("/66"),
    ),
    "devices out of order": (
        500,
        v4("Internal Server Error", "unable to fetch data", 500),
        lambda: World(error_5xx=1.0).get("/66/devices"),
    ),
    "rgm_stats out of order": (
        500,
        {"errorCode": 7, "errorMessages": ["Data is temporarily unavailable"]},
        lambda: World(error_5xx=1.0).get("/66/rgm_stats"),
    ),
    "charger of nobody": (
        400,
        {"message": "Bad request", "code": "400", "details": "Invalid system_id"},
        lambda: World().get("/x/ev_charger/devices"),
    ),
    "charger, not authorized": (
        401,
        {"message": "Not Authorized", "code": "401", "details": "User is not authorized"},
        lambda: World().signed_out().get("/66/ev_charger/devices"),
    ),
    "live data, wrong key": (
        401,
        {
            "error": {
                "code": 401,
                "details": [{}],
                "message": "API Key is invalid",
                "status": "NOT_AUTHENTICATED",
            },
            **LIVE,
            "type": "authentication_error",
        },
        lambda: World(wrong_key=True).get("/66/live_data"),
    ),
    "live data, silent gateway": (
        473,
        {
            "error": {
                "code": 473,
                "details": [{}],
                "message": "IQ gateway is not reporting",
                "status": "IQ_GATEWAY_NOT_REPORTING",
            },
            **LIVE,
            "type": "site_connectivity_error",
        },
        lambda: World().get("/66/live_data"),
    ),
    "v2, not authorized": (
        401,
        {"reason": 401, "message": ["Not authorized to access requested resource."]},
        lambda: World(wrong_key=True).get_v2("/66/stats"),
    ),
    "v2, unknown gateway": (
        404,
        {"reason": 404, "errorMessages": ["Envoy not found with this serial number"]},
        lambda: World().get_v2("/search_system_id", serial_num="1"),
    ),
    "v2, too many calls": (
        409,
        {"reason": "409", "message": ["Usage limit exceeded for plan Kilowatt"], **PERIOD},
        lambda: World(throttle=1.0).get_v2("/66/stats"),
    ),
    "v2, range": (
        422,
        {"reason": RANGE, "start_at": 1, "end_at": 1, "first_interval": 1, "last_interval": 1},
        lambda: World().get_v2("/66/stats", start_at=NOW - 1),
    ),
    "v2, out of order": (
        503,
        {"errorCode": 7, "errorMessages": ["Data temporarily unavailable."]},
        lambda: World(error_5xx=1.0).get_v2("/66/stats"),
    ),
    "oauth": (
        401,
        {"error": "invalid_client", "error_description": "Bad client credentials"},
        lambda: World().cloud.handle("POST", "/oauth/token", {}),
    ),
}


def blurred(value: Any, name: str = "") -> Any:
    """The value with every moment in it replaced by 1."""
    if isinstance(value, dict):
        return {key: blurred(each, key) for key, each in value.items()}
    if isinstance(value, int) and value > 10**9:
        return 1
    if name == "timestamp_utc":
        return "any"
    return re.sub(r"=>\d{10}", "=>1", value) if isinstance(value, str) else value


@pytest.mark.parametrize("name", SITUATIONS)
def test_an_error_of_the_reference_happens(name: str) -> None:
    status, body, situation = SITUATIONS[name]
    answer = situation()
    assert answer.status == status
    assert blurred(json.loads(answer.body)) == blurred(body)
