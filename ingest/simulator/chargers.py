"""Cars that charge in the evening, as a part of what the house draws (reference 7.16).

A charger of the vendor's and one of another maker draw the same; from the latter the car also gives some back before.
"""

from datetime import UTC, datetime, timedelta

from ingest.simulator.answers import Answer, Json, RefusedError, as_json, error, wrap
from ingest.simulator.history import CONSUMPTION, History
from ingest.simulator.request import DAY, ApiRequest, telemetry_window

BEGINS, ENDS = 19, 22
"""The local hours between which the car charges."""
SESSIONS = 100
"""The most sessions that a reply lists, twenty by default."""


def drawn(history: History, end_at: int, *, gives_back: bool = False) -> int:
    """Wh that the car took in the quarter of an hour that ends at a moment; below zero what it gave."""
    hour = datetime.fromtimestamp(end_at - 900, UTC).astimezone(history.site.zone).hour
    used = history.used(end_at - 900, end_at)
    if gives_back and hour == BEGINS - 1:
        return -(used // 10)
    return used * 4 // 10 if BEGINS <= hour < ENDS else 0


def _not_found(serial: str) -> Answer:
    return as_json({"message": "Not Found", "code": "404", "details": [f"EV charger {serial} not found"]}, 404)


def _known(request: ApiRequest, serial: str) -> History:
    history = request.history
    if not history.site.ev_charger or serial != history.site.charger_serial:
        raise RefusedError(_not_found(serial))
    return history


def listed(history: History, now: int) -> Json:
    """The charger, as lists of devices have it; none where there is none."""
    site = history.site
    row = {
        "id": f"{site.charger_serial}:{site.system_id}",
        "sku": "IQ-EVSE-NA-1040-0110-0100",
        "status": history.gateway.status(now),
        "serial_number": site.charger_serial,
        "name": "IQ EV Charger",
        "model": "IQ-EVSE-40R",
        "part_number": "800-00000-r00",
        "last_report_at": history.gateway.last_report(now),
        "firmware": "v0.04.22",
        "active": True,
    }
    return [row] if site.ev_charger else []


def devices(request: ApiRequest) -> Json:
    """GET ev_charger/devices (7.16)."""
    found = listed(request.history, request.now)
    head = {"items": "devices", "total_devices": len(found), "system_id": request.history.site.system_id}
    return {**head, "devices": {"ev_chargers": found}}


def telemetry(request: ApiRequest, serial: str) -> Json:
    """GET ev_charger/{serial_no}/telemetry: quarter hours under another name; the day before by default."""
    history, asked = _known(request, serial), request
    if not {"start_at", "start_date"} & request.params.keys():
        before = request.history.site.local_date(request.now) - timedelta(days=1)
        asked = ApiRequest(
            request.now, {**request.params, "start_date": str(before)}, request.mine, request.options, history
        )
    window = telemetry_window(asked, CONSUMPTION)
    rows = history.readings(CONSUMPTION, window.start, window.end, request.now)
    return {
        "granularity": request.params.get("granularity", "day"),
        "consumption": [{"consumption": drawn(history, row.end_at), "end_at": row.end_at} for row in rows],
        "system_id": history.site.system_id,
        **window.echo,
    }


def evenings(history: History, now: int) -> list[tuple[int, int]]:
    """Begin and end (epoch s) of every evening on which the car was charged to the end, the newest first."""
    site, found = history.site, []
    day = site.local_date(now)
    while (begin := site.midnight(day) + BEGINS * 3600) >= max(site.operational_at, now - 365 * DAY):
        end = begin + (ENDS - BEGINS) * 3600
        if history.gateway.last_report(now) is not None and end <= (history.gateway.last_report(now) or 0):
            found.append((begin, end))
        day -= timedelta(days=1)
    return found


def sessions(request: ApiRequest, serial: str) -> Json:
    """GET ev_charger/{serial_no}/sessions: an evening is one; energies are in kWh, as in the sample (7.16)."""
    history = _known(request, serial)
    offset = int(request.params.get("offset", "0")) if request.params.get("offset", "0").isdigit() else 0
    shown = evenings(history, request.now)[offset : offset + request.number("limit", 20, SESSIONS)]
    rows = [
        {
            "start_time": begin,
            "end_time": end,
            "duration": end - begin,
            "energy_added": sum(drawn(history, at) for at in range(begin + 900, end + 1, 900)) / 1000,
            "charge_time": end - begin,
            "miles_added": 1.2,
            "cost": 0.5,
        }
        for begin, end in shown
    ]
    return {"count": len(rows), "system_id": history.site.system_id, "sessions": rows}


def of_other_maker(request: ApiRequest, serial: str) -> Json:
    """GET {serial_no}/evse_telemetry: quarter hours of a charger of another maker; below zero the car gives (7.16)."""
    start, history = request.time("start_at"), request.history
    if start is not None and start > request.now:
        raise RefusedError(error(422, wrap("Invalid date/time range")))
    if serial != history.site.evse_serial or not history.site.evse:
        raise RefusedError(error(404, f'EVSE not found for {{:id=>"{serial}"}}'))
    window = telemetry_window(request, CONSUMPTION)
    rows = history.readings(CONSUMPTION, window.start, window.end, request.now)
    return {
        "system_id": history.site.system_id,
        "granularity": request.params.get("granularity", "day"),
        "interval_duration": "15mins",
        **window.echo,
        "items": "intervals",
        "intervals": [
            {"end_at": row.end_at, "wh_consumed": drawn(history, row.end_at, gives_back=True)} for row in rows
        ],
    }
