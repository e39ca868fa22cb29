"""Requests: path, parameters and credentials as the reference of each version has them."""

import pytest

from ingest.core.http import Request
from ingest.core.span import Span
from ingest.core.units import DAY, WEEK
from ingest.enphase.call import Purpose, Task
from ingest.enphase.requests import ApiTarget, request
from ingest.enphase.streams import BY_NAME

BASE = "https://api.example"
START = 1_750_000_500


def _request(stream: str, version: str, length: int = DAY, cursor: str = "") -> Request:
    window = Span(START, START + length)
    task = Task("home", "42", BY_NAME[stream], window, Purpose.LIVE, cursor)
    return request(ApiTarget(version, BASE, "the-key"), task, "the-grant")


ENDS = {"start_at": str(START), "end_at": str(START + DAY)}
FROM = {"start_at": str(START), "granularity": "day"}
IN_V2 = [name for name, stream in BY_NAME.items() if stream.is_served("v2")]
EVERYWHERE = [(version, name) for version, names in (("v2", IN_V2), ("v4", [*BY_NAME])) for name in names]
V2 = {"key": "the-key", "user_id": "the-grant"}
V4 = {"key": "the-key"}


@pytest.mark.parametrize(
    ("stream", "version", "path", "params"),
    [
        ("stats", "v2", "systems/42/stats", V2 | ENDS),
        ("stats", "v4", "systems/42/telemetry/production_micro", V4 | FROM),
        ("rgm_stats", "v2", "systems/42/rgm_stats", V2 | ENDS),
        ("rgm_stats", "v4", "systems/42/rgm_stats", V4 | ENDS),
        ("consumption", "v2", "systems/42/consumption_stats", V2 | ENDS),
        ("consumption", "v4", "systems/42/telemetry/consumption_meter", V4 | FROM),
        ("production_meter_readings", "v2", "systems/42/production_meter_readings", V2),
        ("production_meter_readings", "v4", "systems/42/production_meter_readings", V4),
        ("grid_import", "v4", "systems/42/energy_import_telemetry", V4 | FROM),
        ("grid_export", "v4", "systems/42/energy_export_telemetry", V4 | FROM),
        ("battery", "v4", "systems/42/telemetry/battery", V4 | FROM),
        ("import_lifetime", "v4", "systems/42/energy_import_lifetime", V4),
        ("export_lifetime", "v4", "systems/42/energy_export_lifetime", V4),
        ("battery_lifetime", "v4", "systems/42/battery_lifetime", V4),
        ("consumption_meter_readings", "v4", "systems/42/consumption_meter_readings", V4),
        ("storage_meter_readings", "v4", "systems/42/storage_meter_readings", V4),
        ("production_meter", "v4", "systems/42/telemetry/production_meter", V4 | FROM),
        ("summary", "v2", "systems/42/summary", V2),
        ("summary", "v4", "systems/42/summary", V4),
        ("systems", "v2", "systems", V2 | {"limit": "100"}),
        ("systems", "v4", "systems", V4 | {"page": "1", "size": "100"}),
    ],
)
def test_a_stream_is_asked_for_as_documented(stream: str, version: str, path: str, params: dict[str, str]) -> None:
    asked = _request(stream, version)
    assert ("GET", f"{BASE}/api/{version}/{path}") == (asked.method, asked.url)
    assert params == dict(asked.params)
    assert asked.form is None


@pytest.mark.parametrize("stream", BY_NAME)
def test_v4_carries_the_token_in_the_header_and_nowhere_else(stream: str) -> None:
    asked = _request(stream, "v4")
    assert dict(asked.headers) == {"Authorization": "Bearer the-grant"}
    assert "the-grant" not in str(asked.params) + asked.url


@pytest.mark.parametrize("stream", IN_V2)
def test_v2_carries_no_header(stream: str) -> None:
    assert dict(_request(stream, "v2").headers) == {}


@pytest.mark.parametrize(("length", "granularity"), [(900, "day"), (DAY, "day"), (DAY + 900, "week"), (WEEK, "week")])
def test_telemetry_asks_for_the_shortest_window_that_holds_the_span(length: int, granularity: str) -> None:
    assert granularity == _request("consumption", "v4", length).params["granularity"]


@pytest.mark.parametrize(("version", "params"), [("v2", {"next": "c"}), ("v4", {"page": "c"})])
def test_the_next_page_of_the_systems_is_asked_for_by_its_cursor(version: str, params: dict[str, str]) -> None:
    assert params.items() <= _request("systems", version, cursor="c").params.items()


@pytest.mark.parametrize(("version", "stream"), EVERYWHERE)
def test_no_secret_shows_when_a_request_is_printed(stream: str, version: str) -> None:
    shown = repr(_request(stream, version)) + repr(ApiTarget(version, BASE, "the-key"))
    assert "the-key" not in shown
    assert "the-grant" not in shown


@pytest.mark.parametrize(("version", "stream"), EVERYWHERE)
def test_every_route_reaches_whole_steps(stream: str, version: str) -> None:
    route = BY_NAME[stream].route(version)
    assert route.reach % route.step == 0
    assert route.step % (BY_NAME[stream].grain or 1) == 0
