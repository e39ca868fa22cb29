"""Routes beside energies by the interval and the day: events, power now, chargers (reference 4, 5, 7.12 to 7.17)."""

from collections.abc import Callable
from email.utils import formatdate
from functools import partial

from ingest.simulator import batteries, chargers, panels
from ingest.simulator.answers import Answer, Json, RefusedError, as_json, error, wrap
from ingest.simulator.history import CHARGE, CONSUMPTION, DISCHARGE, RGM, History
from ingest.simulator.request import DAY, WEEK, ApiRequest, telemetry_window
from ingest.simulator.v4 import Route

PLAN_LACKS = {"watt": {"device", "streaming"}}
"""Access groups that a plan does not have at all (3.2)."""
EVENT_TYPES = {28: "Gateway not reporting", 62: "Microinverters not producing"}
"""Names of kinds of events."""


def _required_start(request: ApiRequest) -> None:
    if "start_time" not in request.params:
        raise RefusedError(error(422, "start_time is required"))


def system_of_gateway(request: ApiRequest) -> Json:
    """GET /systems/retrieve_system_id: the system of a gateway's serial number (5)."""
    serial = request.params.get("serial_num")
    found = [each.site.system_id for each in request.mine if each.site.gateway_serial == serial]
    if not found:
        raise RefusedError(error(404, "Envoy not found with this serial number"))
    return {"system_id": found[0]}


def _happened(request: ApiRequest) -> list[tuple[int, int, int | None]]:
    """What happened within the time asked for, as far as it is known: a day by default, seven at most (7.15)."""
    now = request.now
    _required_start(request)
    start = request.time("start_time") or 0
    end = min(request.time("end_time") or min(start + DAY, now), start + WEEK, now)
    known = [event for event in request.history.site.events if start <= event[1] < end]
    return [(kind, begun, ended if ended is not None and ended <= now else None) for kind, begun, ended in known]


def events(request: ApiRequest) -> Json:
    """GET events (7.15)."""
    site = request.history.site
    rows = [
        {
            "status": "Open" if ended is None else "Closed",
            "event_type_id": kind,
            "event_start_time": begun,
            "event_end_time": ended,
            "serial_number": site.gateway_serial,
        }
        for kind, begun, ended in _happened(request)
    ]
    return {"events": rows, "system_id": site.system_id}


def alarms(request: ApiRequest) -> Json:
    """GET alarms: every event is one, too (7.15)."""
    site = request.history.site
    rows = [
        {
            "id": f"{site.system_id}.{begun}",
            "cleared": ended is not None,
            "severity": 2,
            "events": [{"serial_number": site.gateway_serial, "start_date": begun, "end_date": ended}],
            "event_type_id": kind,
            "alarm_start_time": begun,
            "alarm_end_time": ended,
        }
        for kind, begun, ended in _happened(request)
    ]
    return {"alarms": rows, "system_id": site.system_id}


def event_types(_: ApiRequest) -> Json:
    """GET event_types: the names of the kinds of events (7.15)."""
    return {"event_types": [{"event_type_id": kind, "event_name": name} for kind, name in EVENT_TYPES.items()]}


def latest(request: ApiRequest) -> Json:
    """GET latest_telemetry: power of every meter and battery at the end of its newest interval (7.12)."""
    history, now, site = request.history, request.now, request.history.site
    serials = site.production_meter_serial, site.consumption_meter_serial
    kinds = zip((RGM, CONSUMPTION), ("production", "consumption"), serials, strict=True)
    meters: list[Json] = []
    for stream, name, serial in kinds:
        rows = history.readings(stream, now - DAY, now, now) if history.has(stream) else []
        head = {"id": int(serial[:12]) % 10**9, "name": name}
        meters += [{**head, "channel": 1, "last_report_at": rows[-1].end_at, "power": rows[-1].wh * 4}] if rows else []
        meters += [{**head, "channel": 2, "last_report_at": None, "power": None}] if rows else []
    found: dict[str, Json] = {"meters": meters}
    if history.has(CHARGE):
        into, out = (history.readings(stream, now - DAY, now, now)[-1:] for stream in (CHARGE, DISCHARGE))
        many = len(site.battery_serials)
        found["encharges"] = [
            {
                "id": int(serial) % 10**9,
                "name": f"Encharge {serial}",
                "channel": 1,
                "last_report_at": into[0].end_at,
                "power": 4 * (out[0].wh - into[0].wh) / many,
                "operational_mode": "Idle",
            }
            for serial in (site.battery_serials if into and out else ())
        ]
    return {"system_id": site.system_id, "items": "devices", "devices": found}


def heat_pump(request: ApiRequest) -> Json:
    """GET hp_telemetry: quarters of an hour of what the heat pump draws (7.16)."""
    start, history = request.time("start_at"), request.history
    if start is not None and start > request.now:
        raise RefusedError(error(422, wrap("Invalid date/time range")))
    window = telemetry_window(request, CONSUMPTION)
    rows = history.readings(CONSUMPTION, window.start, window.end, request.now) if history.site.heat_pump else []
    return {
        "system_id": history.site.system_id,
        "granularity": request.params.get("granularity", "day"),
        "interval_duration": "15mins",
        **window.echo,
        "items": "intervals",
        "intervals": [{"end_at": row.end_at, "wh_consumed": heat_drawn(history, row.end_at)} for row in rows],
    }


def heat_drawn(history: History, end_at: int) -> int:
    """Wh of the heat pump in the quarter of an hour that ends at a moment."""
    return history.used(end_at - 900, end_at) * 3 // 10


def live_data(request: ApiRequest) -> Json:
    """GET live_data: the simulated gateways do not stream (7.17)."""
    text = "IQ gateway is not reporting"
    raise RefusedError(_frame(473, text, "IQ_GATEWAY_NOT_REPORTING", "site_connectivity_error", request.now))


def _frame(status: int, text: str, name: str, kind: str, now: int) -> Answer:
    detail = {"code": status, "details": [{}], "message": text, "status": name}
    stamp = formatdate(now, usegmt=True)
    return as_json({"error": detail, "timestamp_epoch": now, "timestamp_utc": stamp, "type": kind}, status)


COMMON: dict[str, Route] = {
    "retrieve_system_id": system_of_gateway,
    "event_types": event_types,
    "inverters_summary_by_envoy_or_site": panels.summary,
}
"""Handlers of the paths that name no system, all of the group of system details."""
_ROUTES: dict[str, tuple[str, Route]] = {
    "events": ("system", events),
    "alarms": ("system", alarms),
    "hp_telemetry": ("device", heat_pump),
    "latest_telemetry": ("consumption", latest),
    "devices/micros/telemetry": ("device", panels.telemetry),
    "ev_charger/devices": ("ev", chargers.devices),
    "live_data": ("streaming", live_data),
}


_OF_DEVICE: tuple[tuple[str, str, str, Callable[[ApiRequest, str], Json]], ...] = (
    ("devices/micros/", "/telemetry", "device", panels.one),
    ("devices/encharges/", "/telemetry", "device", batteries.telemetry),
    ("ev_charger/", "/telemetry", "ev", chargers.telemetry),
    ("ev_charger/", "/sessions", "ev", chargers.sessions),
    ("", "/evse_telemetry", "device", chargers.of_other_maker),
)
"""Paths that name a device: what stands before and after its serial number, access group and handler."""


def find(suffix: str) -> tuple[str, Route] | None:
    """Access group and handler of a path below a system, None if there is none."""
    if suffix in _ROUTES:
        return _ROUTES[suffix]
    for before, after, group, handler in _OF_DEVICE:
        serial = suffix.removeprefix(before).removesuffix(after)
        if suffix == f"{before}{serial}{after}" and serial and "/" not in serial:
            return group, partial(_of_device, handler, serial)
    return None


def _of_device(handler: Callable[[ApiRequest, str], Json], serial: str, request: ApiRequest) -> Json:
    return handler(request, serial)


def bad_system_id() -> Answer:
    """400, which only `ev_charger/*` knows; its codes are text (4.1)."""
    return as_json({"message": "Bad request", "code": "400", "details": "Invalid system_id"}, 400)


def reshaped(path: str, answer: Answer, now: int) -> Answer:
    """How `ev_charger/*` and `live_data` put a 401 in their own words (4.1)."""
    if answer.status == 401 and "/ev_charger/" in path:
        return as_json({"message": "Not Authorized", "code": "401", "details": "User is not authorized"}, 401)
    if answer.status == 401 and path.endswith("/live_data"):
        return _frame(401, "API Key is invalid", "NOT_AUTHENTICATED", "authentication_error", now)
    return answer
