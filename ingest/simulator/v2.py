"""The retired v2 routes below /api/v2/systems (reference 8)."""

from collections.abc import Callable
from datetime import timedelta

from ingest.simulator import lifetime, panels, rows
from ingest.simulator.answers import RANGE, Answer, Json, RefusedError, as_json
from ingest.simulator.devices import micro_serials, system
from ingest.simulator.history import CONSUMPTION, RGM, STATS, STEP, History
from ingest.simulator.request import DAY, ApiRequest, bounds, oldest
from ingest.simulator.users import v2_code
from ingest.simulator.v4 import Route, meter_intervals, production_meter_readings

YEAR = 365
"""Days that interval data reach back (8)."""
MONTH = 31 * DAY
"""Seconds of a month, the longest window of the meters (8)."""


def unauthorized() -> Answer:
    """401 for a key or user that is unknown, or a system that is not the user's (8)."""
    return as_json({"reason": 401, "message": ["Not authorized to access requested resource."]}, 401)


def unavailable() -> Answer:
    """5xx in the words of v2."""
    return as_json({"errorCode": 7, "errorMessages": ["Data temporarily unavailable."]}, 503)


def listing(request: ApiRequest) -> Json:
    """GET /systems: pages linked by the cursor `next`, 100 systems each by default, 1000 at most (8)."""
    mine = [each for each in sorted(request.mine, key=lambda each: each.site.system_id) if _is_wanted(each, request)]
    starts = [v2_code(each.site.system_id) for each in mine]
    cursor = request.params.get("next")
    begin = starts.index(cursor) if cursor in starts else 0
    end = begin + request.number("limit", 100, 1000)
    reply: Json = {"systems": [_system(each, request.now) for each in mine[begin:end]]}
    return {**reply, "next": starts[end]} if end < len(mine) else reply


def _is_wanted(history: History, request: ApiRequest) -> bool:
    """Whether a system passes the filters of a list (8)."""
    row = system(history, request.now)
    held = {"system_name": history.site.name, "connection_type": row["connection_type"], "status[]": row["status"]}
    asked = {name: request.params.get(name) or request.params.get(f"{name}[]") for name in held}
    return all(wanted is None or held[name] in wanted.split(",") for name, wanted in asked.items())


def monthly_production(request: ApiRequest) -> Json:
    """GET monthly_production: Wh of a month of days from `start_date` on, which v4 does not have (8)."""
    history, now, site = request.history, request.now, request.history.site
    first = request.day("start_date") or site.local_date(now).replace(day=1)
    following = (first.replace(day=1) + timedelta(days=32)).replace(day=min(first.day, 28))
    last = min(following - timedelta(days=1), site.local_date(now))
    days = lifetime.days_between(first, last) if first <= last else []
    reply: Json = {"system_id": site.system_id, "start_date": str(first), "end_date": str(last)}
    reply["production_wh"] = sum(lifetime.daily(history, lifetime.PRODUCTION, day, now) for day in days)
    return {**reply, "meter_readings": [], "meta": rows.meta(history, now)}


def search(request: ApiRequest) -> Json:
    """GET /systems/search_system_id: the system of a gateway's serial number."""
    serial = request.params.get("serial_num")
    found = [each.site.system_id for each in request.mine if each.site.gateway_serial == serial]
    if not found:
        body = {"reason": 404, "errorMessages": ["Envoy not found with this serial number"]}
        raise RefusedError(as_json(body, 404))
    return {"system_id": found[0]}


def _system(history: History, now: int) -> Json:
    row, site = system(history, now), history.site
    names = {"system_id": site.system_id, "system_name": site.name, "system_public_name": row["public_name"]}
    place = {key: row["address"][key] for key in ("country", "state", "city", "postal_code")}
    rest = {"timezone": site.timezone, **place, "connection_type": row["connection_type"]}
    return {**names, "status": row["status"], **rest, "meta": rows.meta(history, now)}


def _range(request: ApiRequest, stream: str, longest: int) -> tuple[int, int] | None:
    """The window asked for, rounded down; None is an empty reply: it begins more than a year ago."""
    now, step = request.now, STEP[stream]
    asked, until = request.time("start_at"), request.time("end_at")
    start = (request.today() if asked is None else asked) // step * step
    end = min(now if until is None else until, start + longest, now) // step * step
    if start < now - YEAR * DAY:
        return None
    found = bounds(request, stream, YEAR, start, end)
    late = start >= found["last_interval"] and asked is not None
    if start < oldest(request, stream, YEAR) or late or (until is not None and until < start):
        raise RefusedError(as_json({"reason": RANGE, **found}, 422))
    return start, end


def _series(
    request: ApiRequest, stream: str, longest: int, shape: Callable[[History, int, int, int], list[Json]]
) -> Json:
    history, now = request.history, request.now
    window = _range(request, stream, longest) if history.has(stream) else None
    return {
        "system_id": history.site.system_id,
        "total_devices": rows.devices_of(history, stream),
        "meta": rows.meta(history, now),
        "intervals": shape(history, *window, now) if window else [],
    }


def stats(request: ApiRequest) -> Json:
    """GET stats: five minutes of the microinverters, a day per call (8)."""
    return _series(request, STATS, DAY, rows.stats)


def consumption_stats(request: ApiRequest) -> Json:
    """GET consumption_stats: quarter hours, a month per call (8)."""
    return _series(request, CONSUMPTION, MONTH, rows.consumption)


def rgm_stats(request: ApiRequest) -> Json:
    """GET rgm_stats: quarter hours by channel, a month per call (8)."""
    window = _range(request, RGM, MONTH) if request.history.site.meter else None
    return meter_intervals(request, *(window or (0, 0)))


def consumption_lifetime(request: ApiRequest) -> Json:
    """GET consumption_lifetime: 204 without a consumption meter (8)."""
    if not request.history.site.consumption_meter:
        raise RefusedError(Answer(204, {"Content-Type": "application/json"}))
    return lifetime.consumption(request)


def inventory(request: ApiRequest) -> Json:
    """GET inventory: serial numbers of inverters and meters."""
    site = request.history.site
    inverters = [{"sn": serial, "model": "IQ7"} for serial in micro_serials(site)] if site.micros else []
    serials = [site.production_meter_serial] if site.meter else []
    serials += [site.consumption_meter_serial] if site.consumption_meter else []
    meters = [{"sn": serial, "manufacturer": "Enphase", "model": "EIM"} for serial in serials]
    return {"system_id": site.system_id, "inverters": inverters, "meters": meters}


def envoys(request: ApiRequest) -> Json:
    """GET envoys: the gateways."""
    history, now = request.history, request.now
    serial = history.site.gateway_serial
    envoy = {
        "envoy_id": history.site.system_id + 1,
        "last_report_at": history.gateway.last_report(now),
        "name": f"Envoy {serial}",
        "part_number": "800-00000-r00",
        "serial_number": serial,
        "status": history.gateway.status(now),
    }
    return {"system_id": history.site.system_id, "envoys": [envoy]}


COMMON: dict[str, Route] = {"search_system_id": search, "inverters_summary_by_envoy_or_site": panels.summary}
"""Handlers of the paths that name no system."""
ROUTES: dict[str, tuple[str, Route]] = {
    "summary": ("system", lifetime.summary),
    "inventory": ("system", inventory),
    "envoys": ("system", envoys),
    "stats": ("production", stats),
    "rgm_stats": ("production", rgm_stats),
    "production_meter_readings": ("production", production_meter_readings),
    "energy_lifetime": ("production", lifetime.energy),
    "monthly_production": ("production", monthly_production),
    "consumption_stats": ("consumption", consumption_stats),
    "consumption_lifetime": ("consumption", consumption_lifetime),
}
"""Access group and handler of every path below a system."""
