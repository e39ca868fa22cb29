"""The v4 routes below /api/v4/systems (reference 5 to 7)."""

from collections.abc import Callable

from ingest.simulator import flows, lifetime, rows
from ingest.simulator.answers import Json, RefusedError, bad_range, error, in_future, out_of_range, wrap
from ingest.simulator.devices import devices, system
from ingest.simulator.history import CHARGE, CONSUMPTION, DISCHARGE, EXPORT, IMPORT, RGM, STATS
from ingest.simulator.request import WEEK, ApiRequest, bounds, oldest, telemetry_window

Route = Callable[[ApiRequest], Json]
_SORTING = "The sorting parameter is not supported. Please use id for sorting by Asc or -id for sorting by Desc"


def listing(request: ApiRequest) -> Json:
    """GET /systems: one page of the systems that the user can see (1, 7.1)."""
    sorting = request.params.get("sort_by", "id")
    if sorting not in ("id", "-id"):
        raise RefusedError(error(422, wrap(_SORTING)))
    mine = sorted(request.mine, key=lambda each: each.site.system_id, reverse=sorting == "-id")
    size, page = request.number("size", 10, 100), request.number("page", 1, 10**6)
    found = [system(each, request.now) for each in mine[(page - 1) * size : page * size]]
    head = {"total": len(mine), "current_page": page, "size": size, "count": len(found)}
    return {**head, "items": "systems", "systems": found}


def one(request: ApiRequest) -> Json:
    """GET /systems/{id} (7.1)."""
    return system(request.history, request.now)


def summary(request: ApiRequest) -> Json:
    """GET summary, with v4's battery fields (7.2)."""
    capacity = request.history.site.battery_wh
    power = int(capacity * flows.POWER)
    battery = {"battery_charge_w": power, "battery_discharge_w": power, "battery_capacity_wh": capacity}
    evse = [{request.history.site.evse_serial: {"evse_max_charge_w": 7400, "evse_min_charge_w": 1200}}]
    return {**lifetime.summary(request), **battery} | ({"evse_power": evse} if request.history.site.evse else {})


def inventory(request: ApiRequest) -> Json:
    """GET devices (7.3)."""
    return devices(request.history, request.now)


def _telemetry(request: ApiRequest, stream: str, shape: Callable[..., list[Json]], *, meta: bool) -> Json:
    history, now = request.history, request.now
    window = telemetry_window(request, stream)
    reply = {
        "system_id": history.site.system_id,
        "granularity": request.params.get("granularity", "day"),
        "total_devices": rows.devices_of(history, stream),
        **window.echo,
        "items": "intervals",
        "intervals": shape(history, window.start, window.end, now),
    }
    return {**reply, "meta": rows.meta(history, now)} if meta else reply


def production_micro(request: ApiRequest) -> Json:
    """GET telemetry/production_micro (7.7)."""
    return _telemetry(request, STATS, rows.stats, meta=True)


def production_meter(request: ApiRequest) -> Json:
    """GET telemetry/production_meter, which has no `meta` (7.8)."""
    return _telemetry(request, RGM, rows.meter, meta=False)


def consumption_meter(request: ApiRequest) -> Json:
    """GET telemetry/consumption_meter (7.9)."""
    return _telemetry(request, CONSUMPTION, rows.consumption, meta=True)


def _nested(request: ApiRequest, stream: str, shape: Callable[..., list[Json]]) -> Json:
    """A list within a list, empty without the meter (7.11)."""
    reply = _telemetry(request, stream, shape, meta=True)
    return {**reply, "intervals": [reply["intervals"]] if reply["intervals"] else []}


def grid_import(request: ApiRequest) -> Json:
    """GET energy_import_telemetry (7.11)."""
    return _nested(request, IMPORT, rows.imported)


def grid_export(request: ApiRequest) -> Json:
    """GET energy_export_telemetry (7.11)."""
    return _nested(request, EXPORT, rows.exported)


def battery(request: ApiRequest) -> Json:
    """GET telemetry/battery, which has no `meta`; the newest charge as text (7.10)."""
    reply = _telemetry(request, CHARGE, rows.battery, meta=False)
    report = request.history.gateway.last_report(request.now)
    if report is None or not request.history.site.battery_wh:
        return reply
    return {**reply, "last_reported_aggregate_soc": f"{request.history.percent(report // 900 * 900)}%"}


def rgm_stats(request: ApiRequest) -> Json:
    """GET rgm_stats: by quarter hour and channel; more than a week is cut to one (7.4)."""
    now = request.now
    start, end = request.time("start_at"), request.time("end_at")
    start = request.today() if start is None else start // 900 * 900
    if start > now or (end is not None and end > now):
        raise RefusedError(in_future())
    end = min(now, start + WEEK) if end is None else min(end, start + WEEK)
    days = request.options.retention_days
    if start < oldest(request, RGM, days) and request.history.site.meter:
        raise RefusedError(out_of_range(bounds(request, RGM, days, start, end)))
    if end // 900 * 900 < start:
        raise RefusedError(bad_range())
    return meter_intervals(request, start, end // 900 * 900)


def meter_intervals(request: ApiRequest, start: int, end: int) -> Json:
    """The reply of `rgm_stats` in v4 and v2; without a meter, empty lists (7.4)."""
    history, now = request.history, request.now
    site = history.site
    serials = {
        "meter_serial_number": site.production_meter_serial,
        "envoy_serial_number": site.gateway_serial,
    }
    by_meter = [{**serials, "intervals": rows.channels(history, start, end, now)}] if site.meter else []
    return {
        "system_id": site.system_id,
        "total_devices": rows.devices_of(history, RGM),
        "meta": rows.meta(history, now),
        "intervals": rows.meter(history, start, end, now),
        "meter_intervals": by_meter,
    }


def production_meter_readings(request: ApiRequest) -> Json:
    """GET production_meter_readings: the odometer in Wh at or before `end_at`, default now (7.5)."""
    serial = request.history.site.production_meter_serial
    return _readings(request, {"serial_number": serial}, {"value": RGM})


def consumption_meter_readings(request: ApiRequest) -> Json:
    """GET consumption_meter_readings: the same of the consumption meter, whose serial number is called otherwise."""
    serial = request.history.site.consumption_meter_serial
    return _readings(request, {"serial_num": serial}, {"value": CONSUMPTION})


def storage_meter_readings(request: ApiRequest) -> Json:
    """GET storage_meter_readings: what went into the batteries and came out."""
    serial = request.history.site.storage_meter_serial
    return _readings(request, {"serial_num": serial}, {"value_charged": CHARGE, "value_discharged": DISCHARGE})


def _readings(request: ApiRequest, serial: Json, values: dict[str, str]) -> Json:
    history, now = request.history, request.now
    at = request.time("end_at")
    if at is not None and at > now:
        raise RefusedError(in_future())
    read = {name: history.odometer(now if at is None else at, stream) for name, stream in values.items()}
    counted = {name: found[1] for name, found in read.items() if found}
    times = {found[0] for found in read.values() if found}
    readings = [{**serial, **counted, "read_at": read_at} for read_at in times]
    return {"system_id": history.site.system_id, "meter_readings": readings, "meta": rows.meta(history, now)}


ROUTES: dict[str, tuple[str, Route]] = {
    "": ("system", one),
    "summary": ("system", summary),
    "devices": ("system", inventory),
    "telemetry/production_micro": ("production", production_micro),
    "telemetry/production_meter": ("production", production_meter),
    "telemetry/consumption_meter": ("consumption", consumption_meter),
    "rgm_stats": ("production", rgm_stats),
    "telemetry/battery": ("consumption", battery),
    "energy_import_telemetry": ("consumption", grid_import),
    "energy_export_telemetry": ("consumption", grid_export),
    "production_meter_readings": ("production", production_meter_readings),
    "consumption_meter_readings": ("consumption", consumption_meter_readings),
    "storage_meter_readings": ("consumption", storage_meter_readings),
    "energy_lifetime": ("production", lifetime.energy),
    "consumption_lifetime": ("consumption", lifetime.consumption),
    "battery_lifetime": ("consumption", lifetime.battery),
    "energy_import_lifetime": ("consumption", lifetime.imported),
    "energy_export_lifetime": ("consumption", lifetime.exported),
}
"""Access group (3.2) and handler of every path below a system."""
