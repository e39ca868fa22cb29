"""Every battery by itself: its share of what went in and came out, in whole Wh that add up to it (reference 7.14)."""

from ingest.simulator.answers import Json, RefusedError, error
from ingest.simulator.history import CHARGE, DISCHARGE, History
from ingest.simulator.request import ApiRequest, telemetry_window


def share(energy: int, number: int, many: int) -> int:
    """What one of several batteries has of an energy."""
    return energy * (number + 1) // many - energy * number // many


def intervals(history: History, number: int, start: int, end: int, now: int | None = None) -> list[Json]:
    """Quarter hours of one battery; all are as full as one another."""
    many = len(history.site.battery_serials)
    pairs = zip(*(history.readings(stream, start, end, now) for stream in (CHARGE, DISCHARGE)), strict=True)
    return [
        {
            "end_at": into.end_at,
            "charge": {"enwh": share(into.wh, number, many)},
            "discharge": {"enwh": share(out.wh, number, many)},
            "soc": {"percent": history.percent(into.end_at)},
        }
        for into, out in pairs
    ]


def telemetry(request: ApiRequest, serial: str) -> Json:
    """GET devices/encharges/{serial_no}/telemetry: as telemetry/battery, of one battery."""
    history, serials = request.history, request.history.site.battery_serials
    if serial not in serials:
        raise RefusedError(error(404, f'Encharge not found for {{:id=>"{serial}"}}'))
    window = telemetry_window(request, CHARGE)
    report = history.gateway.last_report(request.now)
    reply = {
        "system_id": history.site.system_id,
        "serial_number": serial,
        "granularity": request.params.get("granularity", "day"),
        "total_devices": 1,
        **window.echo,
        "items": "intervals",
        "intervals": intervals(history, serials.index(serial), window.start, window.end, request.now),
    }
    if report is None:
        return reply
    percent = history.percent(report // 900 * 900)
    return {**reply, "last_reported_time": report, "last_reported_soc": f"{percent}%"}
