"""Daily totals over a site's life and the summary of a day (reference 7.2, 7.6)."""

from datetime import date, timedelta

from ingest.simulator.answers import Json, RefusedError, bad_range, in_future
from ingest.simulator.history import CHARGE, CONSUMPTION, DISCHARGE, EXPORT, IMPORT, RGM, STATS, History
from ingest.simulator.request import DAY, ApiRequest
from ingest.simulator.rows import meta

PRODUCTION = "production"
"""The merged series: microinverters until the meter's first full day, then the meter (7.6)."""


def meter_start(history: History) -> date | None:
    """First full day of the production meter, None without one."""
    if not history.site.meter:
        return None
    since = history.since(RGM)
    first = history.site.local_date(since)
    return first if since == history.site.midnight(first) else first + timedelta(days=1)


def daily(history: History, kind: str, day: date, now: int | None = None) -> int:
    """Wh of a local day; kind is a stream or `PRODUCTION`."""
    if kind != PRODUCTION:
        return history.daily(kind, day, now)
    metered = meter_start(history)
    by_meter = metered is not None and (day >= metered or not history.site.micros)
    return history.daily(RGM if by_meter else STATS, day, now)


def days_between(first: date, last: date) -> list[date]:
    """All days from the first to the last, both included."""
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def _days(request: ApiRequest) -> list[date]:
    """The days asked for: default from the first to yesterday, or to today if that is the start."""
    site, now = request.history.site, request.now
    today = site.local_date(now)
    first = site.local_date(site.operational_at)
    start = max(request.day("start_date") or first, first)
    end = request.day("end_date") or (today if start == today else today - timedelta(days=1))
    if start > today or end > today:
        raise RefusedError(in_future())
    if request.day("end_date") and end < start:
        raise RefusedError(bad_range())
    return days_between(start, end)


def _head(request: ApiRequest, days: list[date]) -> Json:
    start = str(days[0]) if days else str(request.history.site.local_date(request.now))
    return {"system_id": request.history.site.system_id, "start_date": start}


def _is_unborn(request: ApiRequest) -> bool:
    return request.history.gateway.last_report(request.now) is None


def energy(request: ApiRequest) -> Json:
    """GET energy_lifetime: whole Wh per local day; `production=all` adds both sources (7.6)."""
    history, now = request.history, request.now
    if _is_unborn(request):
        empty: Json = {"system_id": history.site.system_id, "start_date": None, "production": []}
        return {**empty, "meta": meta(history, now)}
    days = _days(request)
    reply = _head(request, days)
    metered = meter_start(history)
    if metered is not None:
        reply["meter_start_date"] = str(metered)
    reply["production"] = [daily(history, PRODUCTION, day, now) for day in days]
    if request.params.get("production") == "all":
        reply["micro_production"] = [history.daily(STATS, day, now) for day in days]
        reply["meter_production"] = [history.daily(RGM, day, now) for day in days]
    return {**reply, "meta": meta(history, now)}


def consumption(request: ApiRequest) -> Json:
    """GET consumption_lifetime: whole Wh per local day; empty without a consumption meter (7.6)."""
    return _measured(request, CONSUMPTION)


def imported(request: ApiRequest) -> Json:
    """GET energy_import_lifetime (7.6)."""
    return _measured(request, IMPORT)


def exported(request: ApiRequest) -> Json:
    """GET energy_export_lifetime (7.6)."""
    return _measured(request, EXPORT)


def battery(request: ApiRequest) -> Json:
    """GET battery_lifetime: what went in and came out; empty without a battery (7.6)."""
    return _measured(request, DISCHARGE, CHARGE)


def _measured(request: ApiRequest, *streams: str) -> Json:
    """Whole Wh per local day of streams, each under its name; empty without the device that measures them."""
    history, now = request.history, request.now
    if _is_unborn(request) or not history.has(streams[0]):
        empty: Json = {"system_id": history.site.system_id, "start_date": None}
        return {**empty, **{stream: [] for stream in streams}, "meta": meta(history, now)}
    days = _days(request)
    found = {stream: [history.daily(stream, day, now) for day in days] for stream in streams}
    return {**_head(request, days), **found, "meta": meta(history, now)}


def summary(request: ApiRequest) -> Json:
    """GET summary: W now, Wh of the day, Wh of all days before it (7.2)."""
    history, now = request.history, request.now
    site = history.site
    today = site.local_date(now)
    day = request.day("summary_date") or today
    if day > today:
        raise RefusedError(in_future())
    first = site.local_date(site.operational_at)
    before = days_between(first, day - timedelta(days=1)) if day > first else []
    source = RGM if site.meter else STATS
    recent = history.readings(source, now - DAY, now, now)
    return {
        "system_id": site.system_id,
        "current_power": _power(history, source, now) if day == today else 0,
        "energy_lifetime": sum(daily(history, PRODUCTION, each, now) for each in before),
        "energy_today": daily(history, PRODUCTION, day, now),
        "last_interval_end_at": max((row.end_at for row in recent if row.wh), default=None),
        "last_report_at": history.gateway.last_report(now),
        "modules": site.modules if day == today else 0,
        "operational_at": site.operational_at,
        "size_w": site.size_w if day == today else 0,
        "source": "meter" if site.meter else "microinverters",
        "status": history.gateway.status(now),
        "summary_date": str(day),
    }


def _power(history: History, source: str, now: int) -> int:
    rows = history.readings(source, now - 3600, now, now)
    return rows[-1].wh * (12 if source == STATS else 4) if rows else 0
