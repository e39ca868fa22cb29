"""Intervals as the vendor writes them (reference 7.4, 7.7 to 7.9)."""

from ingest.simulator.answers import Json
from ingest.simulator.history import CHARGE, CONSUMPTION, DISCHARGE, EXPORT, IMPORT, RGM, STATS, History, Reading


def devices_of(history: History, stream: str) -> int:
    """Number of devices that report a stream (`total_devices`)."""
    if not history.has(stream) or stream in (IMPORT, EXPORT):
        return 0  # of import and export always (7.11)
    if stream in (CHARGE, DISCHARGE):
        return len(history.site.battery_serials)
    return history.site.modules if stream == STATS else 1


def _reporting(total: int, row: Reading) -> int:
    return total if row.share >= 1 else min(int(total * row.share), total - 1)


def stats(history: History, start: int, end: int, now: int | None = None) -> list[Json]:
    """Five-minute intervals of the microinverters; `powr` in W is 12 times `enwh` in Wh (6, 7.7)."""
    total = devices_of(history, STATS)
    return [
        {
            "end_at": row.end_at,
            "devices_reporting": _reporting(total, row),
            "powr": 12 * row.wh,
            "enwh": row.wh,
        }
        for row in history.readings(STATS, start, end, now)
    ]


def meter(history: History, start: int, end: int, now: int | None = None) -> list[Json]:
    """Quarter hours of the production meter, Wh (7.4, 7.8)."""
    return [
        {"end_at": row.end_at, "wh_del": row.wh, "devices_reporting": _reporting(1, row)}
        for row in history.readings(RGM, start, end, now)
    ]


def consumption(history: History, start: int, end: int, now: int | None = None) -> list[Json]:
    """Quarter hours of the consumption meter, Wh (7.9)."""
    return [
        {"end_at": row.end_at, "devices_reporting": _reporting(1, row), "enwh": row.wh}
        for row in history.readings(CONSUMPTION, start, end, now)
    ]


def imported(history: History, start: int, end: int, now: int | None = None) -> list[Json]:
    """Quarter hours from the grid, Wh; nothing tells whether they are complete (7.11)."""
    return [{"end_at": row.end_at, "wh_imported": row.wh} for row in history.readings(IMPORT, start, end, now)]


def exported(history: History, start: int, end: int, now: int | None = None) -> list[Json]:
    """Quarter hours to the grid, Wh (7.11)."""
    return [{"end_at": row.end_at, "wh_exported": row.wh} for row in history.readings(EXPORT, start, end, now)]


def battery(history: History, start: int, end: int, now: int | None = None) -> list[Json]:
    """Quarter hours of the batteries: Wh into them and out, and how full they are (7.10)."""
    total = devices_of(history, CHARGE)
    pairs = zip(*(history.readings(stream, start, end, now) for stream in (CHARGE, DISCHARGE)), strict=True)
    return [
        {
            "end_at": into.end_at,
            "charge": {"enwh": into.wh, "devices_reporting": _reporting(total, into)},
            "discharge": {"enwh": out.wh, "devices_reporting": _reporting(total, out)},
            "soc": {"percent": history.percent(into.end_at), "devices_reporting": _reporting(total, into)},
        }
        for into, out in pairs
    ]


def channels(history: History, start: int, end: int, now: int | None = None) -> list[Json]:
    """Quarter hours of every channel of the meter, Wh as int or float, or null; they add up to the meter.

    A split-phase house uses two of three channels. `curr_w` is a snapshot, not the mean. All channels of an
    interval that still grows are null (7.4).
    """
    first: list[Json] = []
    second: list[Json] = []
    third: list[Json] = []
    for row in history.readings(RGM, start, end, now):
        end_at = row.end_at
        third.append({"channel": 3, "end_at": end_at, "wh_del": None, "curr_w": None})
        if row.share < 1:
            first.append({**third[-1], "channel": 1})
            second.append({**third[-1], "channel": 2})
            continue
        energy, one, two = history.split(end_at)
        first.append({"channel": 1, "end_at": end_at, "wh_del": _number(energy, end_at), "curr_w": one})
        rest = _number(row.wh - energy, end_at)
        second.append({"channel": 2, "end_at": end_at, "wh_del": rest, "curr_w": two})
    return [*first, *second, *third]


def _number(energy: float, end_at: int) -> float:
    """The same quantity comes as float or as int (9)."""
    return int(energy) if end_at // 900 % 2 and energy.is_integer() else energy


def meta(history: History, now: int) -> Json:
    """The `meta` block (7); nulls before the first report."""
    reported = history.gateway.last_report(now)
    return {
        "status": history.gateway.status(now),
        "last_report_at": reported,
        "last_energy_at": history.last_energy(now),
        "operational_at": history.site.operational_at if reported is not None else None,
    }
