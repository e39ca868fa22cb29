"""Replies kept as files: what each means, and the very lines that come of it.

A case of a stream is a folder `<stream>-<dialect>-<what>`: `reply.*` is the body as the cloud sends it, `case.json`
says how it was asked for and what must come of it, `expected.lp` holds the lines in sorted order; without it no points
are due. The folders `…-vendor` and those of most status codes are the vendor's own published examples, unchanged.
`call-…` are replies of calls made by hand, which are given out as they came, `oauth-…` those to requests for tokens.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.core.http import Reply, Request
from ingest.core.point import encode
from ingest.core.span import Span
from ingest.enphase.call import Purpose, Task
from ingest.enphase.endpoints import endpoint_of
from ingest.enphase.oauth import Refused, TokenPair, read_token
from ingest.enphase.replies import Kind, verdict
from ingest.enphase.requests import ApiTarget, request
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Lifetime, SystemInfo
from ingest.fetch.worker import Outcome, fetch

CASES = Path(__file__).parents[1] / "cases"
FOLDERS = sorted(folder.name for folder in CASES.iterdir() if folder.is_dir())
OF_STREAMS = [name for name in FOLDERS if not name.startswith(("call-", "oauth-"))]
DATE_AT = 2_000_000_000
"""The time of the cloud, later than every reply."""

VENDOR_SAMPLES = {
    "v4/energy_lifetime.json": "energy_lifetime-v4-vendor",
    "v2/energy_lifetime.json": "energy_lifetime-v2-vendor",
    "v4/consumption_lifetime.json": "consumption_lifetime-v4-vendor",
    "v2/consumption_lifetime.json": "consumption_lifetime-v2-vendor",
    "v4/battery_lifetime.json": "battery_lifetime-v4-vendor",
    "v4/energy_import_lifetime.json": "import_lifetime-v4-vendor",
    "v4/energy_export_lifetime.json": "export_lifetime-v4-vendor",
    "v4/system.json": "call-v4-system",
    "v4/retrieve_system_id.json": "call-v4-retrieve-system-id",
    "v4/devices_micro_telemetry.json": "call-v4-devices-micro-telemetry",
    "v4/config_battery_settings.json": "call-v4-config-battery-settings",
    "v4/config_grid_status.json": "call-v4-config-grid-status",
    "v4/ev_charger_devices.json": "call-v4-ev-charger-devices",
    "v4/ev_charger_events.json": "call-v4-ev-charger-events",
    "v4/ev_charger_lifetime.json": "call-v4-ev-charger-lifetime",
    "v4/evse_lifetime.json": "call-v4-evse-lifetime",
    "v4/hp_lifetime.json": "call-v4-hp-lifetime",
    "v4/live_data_frame.json": "call-v4-live-data-frame",
    "v2/envoys.json": "call-v2-envoys",
    "v2/monthly_production.json": "call-v2-monthly-production",
    "v2/search_system_id.json": "call-v2-search-system-id",
    "oauth/token_developer_app.json": "oauth-token-developer-app",
    "oauth/token_partner_app.json": "oauth-token-partner-app",
    "oauth/error_shape_constructed.json": "oauth-error-shape-constructed",
    "v2/stats.json": "stats-v2-vendor",
    "v2/rgm_stats.json": "rgm_stats-v2-vendor",
    "v2/consumption_stats.json": "consumption-v2-vendor",
    "v2/inverters_summary_by_envoy_or_site.json": "inverters-v2-vendor",
    "v2/inventory.json": "devices-v2-vendor",
    "v2/production_meter_readings.json": "production_meter_readings-v2-vendor",
    "v2/systems.json": "systems-v2-vendor",
    "v2/summary.json": "summary-v2-vendor",
    "v2/errors/401.json": "stats-v2-401",
    "v2/errors/404_search_system_id.json": "stats-v2-404-search-system-id",
    "v2/errors/409_usage_limit.json": "stats-v2-409-usage-limit",
    "v2/errors/422_date_range_constructed.json": "stats-v2-422-date-range-constructed",
    "v2/errors/5xx_data_unavailable.json": "rgm_stats-v2-503-data-unavailable",
    "v4/telemetry_production_micro.json": "stats-v4-vendor",
    "v4/rgm_stats.json": "rgm_stats-v4-vendor",
    "v4/telemetry_consumption_meter.json": "consumption-v4-vendor",
    "v4/energy_import_telemetry.json": "grid_import-v4-vendor",
    "v4/energy_export_telemetry.json": "grid_export-v4-vendor",
    "v4/telemetry_battery.json": "battery-v4-vendor",
    "v4/telemetry_production_meter.json": "production_meter-v4-vendor",
    "v4/consumption_meter_readings.json": "consumption_meter_readings-v4-vendor",
    "v4/storage_meter_readings.json": "storage_meter_readings-v4-vendor",
    "v4/production_meter_readings.json": "production_meter_readings-v4-vendor",
    "v4/systems.json": "systems-v4-vendor",
    "v4/inverters_summary_by_envoy_or_site.json": "inverters-v4-vendor",
    "v4/devices_micros_telemetry.json": "micros-v4-vendor",
    "v4/devices_encharge_telemetry.json": "encharges-v4-vendor",
    "v4/evse_telemetry.json": "evse-v4-vendor",
    "v4/ev_charger_telemetry.json": "ev_charger-v4-vendor",
    "v4/ev_charger_sessions.json": "ev_charger_sessions-v4-vendor",
    "v4/hp_telemetry.json": "heat_pump-v4-vendor",
    "v4/latest_telemetry.json": "latest-v4-vendor",
    "v4/events.json": "events-v4-vendor",
    "v4/open_events.json": "events-v4-open",
    "v4/alarms.json": "alarms-v4-vendor",
    "v4/open_alarms.json": "alarms-v4-open",
    "v4/event_types.json": "event_types-v4-vendor",
    "v4/devices.json": "devices-v4-vendor",
    "v4/summary.json": "summary-v4-vendor",
    "v4/errors/400_ev_charger.json": "stats-v4-400-ev-charger",
    "v4/errors/401_ev_charger.json": "stats-v4-401-ev-charger",
    "v4/errors/401_live_data.json": "stats-v4-401-live-data",
    "v4/errors/401_not_authorized.json": "stats-v4-401-not-authorized",
    "v4/errors/403_forbidden.json": "stats-v4-403-forbidden",
    "v4/errors/404_meter_readings.json": "production_meter_readings-v4-404-meter-readings",
    "v4/errors/404_micro.json": "stats-v4-404-micro",
    "v4/errors/404_system.json": "summary-v4-404-system",
    "v4/errors/405_method_not_allowed.json": "stats-v4-405-method-not-allowed",
    "v4/errors/422_date_range_invalid.json": "rgm_stats-v4-422-date-range-invalid",
    "v4/errors/422_date_range_invalid_detail.json": "stats-v4-422-date-range-invalid-detail",
    "v4/errors/422_future_date.json": "stats-v4-422-future-date",
    "v4/errors/422_future_date_wrapped.json": "stats-v4-422-future-date-wrapped",
    "v4/errors/422_invalid_date_time_range.json": "consumption-v4-422-invalid-date-time-range",
    "v4/errors/422_parse_date.json": "production_meter_readings-v4-422-parse-date",
    "v4/errors/422_sort_by.json": "systems-v4-422-sort-by",
    "v4/errors/422_start_time_required.json": "stats-v4-422-start-time-required",
    "v4/errors/429_with_period.json": "stats-v4-429-with-period",
    "v4/errors/429_without_period.json": "stats-v4-429-without-period",
    "v4/errors/473_live_data_gateway_not_reporting.json": "stats-v4-473-live-data-gateway-not-reporting",
    "v4/errors/500_devices.json": "stats-v4-500-devices",
    "v4/errors/500_rgm_stats_data_unavailable.json": "rgm_stats-v4-500-rgm-stats-data-unavailable",
    "v4/errors/501_not_implemented.json": "stats-v4-501-not-implemented",
}
"""The vendor's published examples, and the folder that keeps each."""


class OneReply:
    """A cloud that has one answer."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply

    def send(self, request: Request) -> Reply:
        return self.reply


def _outcome(folder: Path, case: dict[str, Any]) -> Outcome:
    (body,) = folder.glob("reply.*")
    start, end = case.get("window", (0, 0))
    devices = tuple(case.get("devices", ()))
    task = Task("home", case["system"], BY_NAME[case["stream"]], Span(start, end), Purpose.LIVE, devices=devices)
    asked = request(ApiTarget(case["dialect"], "https://cloud.example", "key"), task, "grant")
    cloud = OneReply(Reply(case["status"], body.read_bytes(), DATE_AT))
    return fetch(task, 1, asked, case["dialect"], "grant", case.get("began_at"), cloud)


def _listed(info: SystemInfo) -> dict[str, Any]:
    return {
        "system": info.system,
        "name": info.name,
        "timezone": info.timezone,
        "operational_at": info.operational_at,
        "reported_at": info.reported_at,
        "fields": dict(info.fields),
    }


def _lived(life: Lifetime) -> dict[str, Any]:
    return {
        "start": str(life.start),
        "series": {key: list(values) for key, values in life.series.items()},
        "since": {key: str(day) for key, day in life.since.items()},
    }


def _seen(outcome: Outcome) -> dict[str, Any]:
    """What came of a case, under the names of `case.json`."""
    judged = outcome.verdict
    return {
        "kind": judged.kind,
        "first_at": judged.first_at,
        "resume_at": judged.resume_at,
        "period": judged.period,
        "reported_at": outcome.reported_at,
        "operational_at": outcome.operational_at,
        "answered_end": outcome.answered_end,
        "cursor": outcome.cursor,
        "systems": [_listed(info) for info in outcome.systems],
        "names": outcome.names,
        "serials": {kind: list(found) for kind, found in outcome.serials.items()},
        "meters": outcome.meters and list(outcome.meters),
        "listed": {device.serial: dict(device.fields) for device in outcome.devices},
        "lifetime": outcome.lifetime and _lived(outcome.lifetime),
        "odd": [each.reason for each in outcome.odd],
    }


@pytest.mark.parametrize("name", OF_STREAMS)
def test_a_reply_means_what_its_case_says(name: str) -> None:
    folder = CASES / name
    case = json.loads((folder / "case.json").read_text("utf-8"))
    (reply,) = (file.name for file in folder.glob("reply.*"))
    lines = folder / "expected.lp"
    outcome = _outcome(folder, case)
    seen = _seen(outcome)

    assert f"{case['stream']}-{case['dialect']}-" == name[: len(case["stream"]) + 4]
    case.setdefault("odd", [])
    assert {key: case[key] for key in seen if key in case} == {key: seen[key] for key in seen if key in case}
    assert case.get("reason", "") in outcome.verdict.reason
    assert outcome.date_at == DATE_AT
    assert (lines.read_text("utf-8") if lines.exists() else "").splitlines() == sorted(map(encode, outcome.points))
    is_page = outcome.verdict.kind is Kind.BUSY and case["status"] == 200
    kept = (folder / reply).read_bytes() if outcome.verdict.kind is Kind.GARBLED or is_page else b""
    assert kept == outcome.body, "what could not be read is kept, and nothing else"


@pytest.mark.parametrize(("sample", "folder"), VENDOR_SAMPLES.items())
def test_every_example_of_the_vendor_has_a_case(sample: str, folder: str) -> None:
    assert folder in FOLDERS, f"no case keeps {sample}"


def test_whole_numbers_and_fractions_make_the_same_lines() -> None:
    whole, fractions = (CASES / f"stats-v4-{what}" / "expected.lp" for what in ("integers", "floats"))
    assert whole.read_text("utf-8") == fractions.read_text("utf-8")


@pytest.mark.parametrize("name", [name for name in FOLDERS if name.startswith("call-")])
def test_a_call_by_hand_gives_what_came_or_is_never_made(name: str) -> None:
    case, body = (json.loads((CASES / name / file).read_text("utf-8")) for file in ("case.json", "reply.json"))
    endpoint = endpoint_of(case["dialect"], case["path"])
    assert endpoint is not None
    assert bool(endpoint.refusal) == (name == "call-v4-live-data-frame")
    found = verdict(Reply(200, (CASES / name / "reply.json").read_bytes(), DATE_AT), case["dialect"], lists=True)
    assert (found.kind, found.data) == (Kind.OK, body)


@pytest.mark.parametrize("name", [name for name in FOLDERS if name.startswith("oauth-")])
def test_an_answer_to_a_request_for_tokens_means_what_its_case_says(name: str) -> None:
    case = json.loads((CASES / name / "case.json").read_text("utf-8"))
    found = read_token(Reply(case["status"], (CASES / name / "reply.json").read_bytes(), DATE_AT), DATE_AT)
    if "refused" in case:
        assert isinstance(found, Refused)
        assert case["refused"] in found.reason
    else:
        assert isinstance(found, TokenPair)
        assert (found.access, found.refresh) == (case["access"], case["refresh"])
        assert found.expires_at == DATE_AT + case["expires_in"]
