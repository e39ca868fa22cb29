"""Every panel by itself: its share of what the roof made, in whole Wh that add up to it (reference 7.13, 7.14)."""

from itertools import accumulate, pairwise

from ingest.simulator.answers import Json, RefusedError, error, in_future
from ingest.simulator.devices import micro_serials
from ingest.simulator.history import STATS, History
from ingest.simulator.request import ApiRequest, telemetry_window


def shares(history: History, energy: int) -> list[int]:
    """An energy split over the panels: a weak one has half the share of another. They add up to it exactly."""
    site = history.site
    weights = [1 if number in site.weak_panels else 2 for number in range(site.modules)]
    whole = sum(weights)
    parts = [energy * upto // whole for upto in (0, *accumulate(weights))]
    return [later - before for before, later in pairwise(parts)]


def lifetimes(history: History, at: int) -> list[int]:
    """Wh of every panel since it was installed, as the gateway last reported before `at`."""
    read = history.odometer(at, STATS)
    return shares(history, read[1] if read else 0)


def _chosen(request: ApiRequest) -> History:
    """The system of a request that names it among its parameters."""
    params = request.params
    for history in request.mine:
        site = history.site
        if params.get("site_id") == str(site.system_id) or params.get("envoy_serial_number") == site.gateway_serial:
            return history
    raise RefusedError(error(404, "Envoy not found with this serial number"))


def summary(request: ApiRequest) -> Json:
    """GET inverters_summary_by_envoy_or_site: an array with an entry a gateway, by pages of 10 panels (7.13)."""
    history, now = _chosen(request), request.now
    size, page = request.number("size", 10, 100), request.number("page", 1, 10**6)
    recent = history.readings(STATS, now - 3600, now, now)
    powers = shares(history, recent[-1].wh * 12 if recent else 0)
    serials = micro_serials(history.site) if history.site.micros else []
    rows = [
        {
            "id": int(serial) % 10**9,
            "serial_number": serial,
            "model": "IQ7",
            "part_number": "800-00000-r00",
            "sku": None,
            "status": history.gateway.status(now),
            "power_produced": {"value": power, "units": "W", "precision": 0} if power % 2 else power,
            "energy": {"value": energy, "units": "Wh", "precision": 0},
            "envoy_serial_number": history.site.gateway_serial,
            "last_report_date": history.gateway.last_report(now),
        }
        for serial, power, energy in zip(serials, powers, lifetimes(history, now), strict=False)
    ]
    return [{"signal_strength": 5, "micro_inverters": rows[(page - 1) * size : page * size]}]


def intervals(history: History, number: int, start: int, end: int, now: int | None = None) -> list[Json]:
    """Five minutes of one panel."""
    found = []
    for row in history.readings(STATS, start, end, now):
        energy = shares(history, row.wh)[number]
        found.append({"end_at": row.end_at, "powr": 12 * energy, "enwh": energy})
    return found


def telemetry(request: ApiRequest) -> Json:
    """GET devices/micros/telemetry: five minutes of every panel, 20 panels a page at most (7.14)."""
    if (start := request.time("start_at")) is not None and start > request.now:
        raise RefusedError(in_future(wrapped=True))
    history, window = request.history, telemetry_window(request, STATS)
    until = request.time("end_at")
    end = window.end if until is None else min(until, window.end)
    size, page = request.number("size", 10, 20), request.number("page", 1, 10**6)
    serials = list(enumerate(micro_serials(history.site) if history.site.micros else []))
    shown = serials[(page - 1) * size : page * size]
    return {
        "system_id": history.site.system_id,
        "total_devices": len(serials),
        "page": page,
        "page_size": size,
        **window.echo,
        **({} if until is None or "end_at" not in window.echo else {"end_at": end}),
        "granularity": request.params.get("granularity", "day"),
        "items": "intervals",
        "devices": [
            {"serial_number": serial, "intervals": intervals(history, number, window.start, end, request.now)}
            for number, serial in shown
        ],
    }


def one(request: ApiRequest, serial: str) -> Json:
    """GET devices/micros/{serial_no}/telemetry: the same of one panel."""
    history, serials = request.history, micro_serials(request.history.site)
    if serial not in serials:
        raise RefusedError(error(404, f'Micro not found for {{:id=>"{serial}"}}'))
    window = telemetry_window(request, STATS)
    rows = intervals(history, serials.index(serial), window.start, window.end, request.now)
    head = {"system_id": history.site.system_id, "serial_number": serial, "total_devices": 1}
    return {**head, "granularity": "day", **window.echo, "items": "intervals", "intervals": rows}
