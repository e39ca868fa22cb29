"""Routes beside the four streams: they have no data here, but refuse as the vendor does (reference 4, 5)."""

from email.utils import formatdate

from ingest.simulator.answers import Answer, Json, RefusedError, as_json, error, in_future, wrap
from ingest.simulator.devices import micro_serials
from ingest.simulator.request import ApiRequest
from ingest.simulator.v4 import Route

PLAN_LACKS = {"watt": {"device", "streaming"}}
"""Access groups that a plan does not have at all (3.2)."""


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


def events(request: ApiRequest) -> Json:
    """GET events: none ever happen here (7.15)."""
    _required_start(request)
    return {"events": [], "system_id": request.history.site.system_id}


def alarms(request: ApiRequest) -> Json:
    """GET alarms: none ever happen here (7.15)."""
    _required_start(request)
    return {"alarms": [], "system_id": request.history.site.system_id}


def heat_pump(request: ApiRequest) -> Json:
    """GET hp_telemetry: no house has a heat pump that reports (7.16)."""
    start = request.time("start_at")
    if start is not None and start > request.now:
        raise RefusedError(error(422, wrap("Invalid date/time range")))
    return {"system_id": request.history.site.system_id, "items": "intervals", "intervals": []}


def panels(request: ApiRequest) -> Json:
    """GET devices/micros/telemetry: no single panel reports here (7.14)."""
    start = request.time("start_at")
    if start is not None and start > request.now:
        raise RefusedError(in_future(wrapped=True))
    return {"system_id": request.history.site.system_id, "items": "intervals", "devices": []}


def _panel(serial: str) -> Route:
    def route(request: ApiRequest) -> Json:
        if serial not in micro_serials(request.history.site):
            raise RefusedError(error(404, f'Micro not found for {{:id=>"{serial}"}}'))
        return {"system_id": request.history.site.system_id, "items": "intervals", "intervals": []}

    return route


def chargers(request: ApiRequest) -> Json:
    """GET ev_charger/devices: nobody has one (7.16)."""
    site = request.history.site
    return {
        "items": "devices",
        "total_devices": 0,
        "system_id": site.system_id,
        "devices": {"ev_chargers": []},
    }


def live_data(request: ApiRequest) -> Json:
    """GET live_data: the simulated gateways do not stream (7.17)."""
    text = "IQ gateway is not reporting"
    raise RefusedError(_frame(473, text, "IQ_GATEWAY_NOT_REPORTING", "site_connectivity_error", request.now))


def _frame(status: int, text: str, name: str, kind: str, now: int) -> Answer:
    detail = {"code": status, "details": [{}], "message": text, "status": name}
    stamp = formatdate(now, usegmt=True)
    return as_json({"error": detail, "timestamp_epoch": now, "timestamp_utc": stamp, "type": kind}, status)


COMMON: dict[str, Route] = {"retrieve_system_id": system_of_gateway}
"""Handlers of the paths that name no system, all of the group of system details."""
_ROUTES: dict[str, tuple[str, Route]] = {
    "events": ("system", events),
    "alarms": ("system", alarms),
    "hp_telemetry": ("device", heat_pump),
    "devices/micros/telemetry": ("device", panels),
    "ev_charger/devices": ("ev", chargers),
    "live_data": ("streaming", live_data),
}


def find(suffix: str) -> tuple[str, Route] | None:
    """Access group and handler of a path below a system, None if there is none."""
    parts = suffix.split("/")
    if parts[:2] == ["devices", "micros"] and parts[3:] == ["telemetry"]:
        return "device", _panel(parts[2])
    return _ROUTES.get(suffix)


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
