"""The shared ways of reading a reply: numbers, times, names, rows, intervals, and what a reply says of itself.

The words of the vendor's replies are those of the reference, sections 6 to 8.
"""

from collections.abc import Iterator, Mapping
from functools import partial

from ingest.core.point import Point, Tags, series_key
from ingest.core.span import Span
from ingest.enphase.streams.base import Field, Json, Read


def number(value: object) -> float | None:
    """A reading as a float; None for null and for the vendor's placeholder -1. ValueError for anything else."""
    kind = type(value)
    if (kind is int or kind is float) and -1e18 < value < 1e18:  # type: ignore[operator] # a number, as just seen
        return float(value) if value != -1 else None  # type: ignore[arg-type]
    if value is None:
        return None
    raise ValueError(f"{str(value)[:40]!r} is not a number")


def moment(value: object) -> int:
    """Epoch seconds of the reply; ValueError when it is not a time."""
    kind = type(value)
    if (kind is int or kind is float) and 0 < value < 2**33:  # type: ignore[operator] # a number, as just seen
        return int(value)  # type: ignore[call-overload, no-any-return]
    raise ValueError(f"{str(value)[:40]!r} is not a time in epoch seconds")


def maybe_moment(value: object) -> int | None:
    """The same, None for null and for the vendor's placeholder -1."""
    return None if value is None or value == -1 else moment(value)


def rows(value: object) -> Iterator[Json]:
    """The rows of an `intervals` list, which some endpoints nest in further lists (reference 7.11)."""
    if not isinstance(value, list):
        raise TypeError(f"a list of intervals is due, not {type(value).__name__}")
    for row in value:
        if isinstance(row, dict):
            yield row
        else:
            yield from rows(row)


def identity(*values: tuple[str, object]) -> Tags:
    """Tags from words and whole numbers; ValueError when one is missing, for it would merge two devices."""
    for name, value in values:
        if not isinstance(value, str | int) or isinstance(value, bool) or not _can_be_tag(str(value)):
            raise ValueError(f"{str(value)[:40]!r} cannot name a {name}")
    return tuple((name, str(value)) for name, value in values)


def _can_be_tag(text: str) -> bool:
    try:
        return bool(series_key("any", (("tag", text),)))
    except ValueError:
        return False


def intervals(measurement: str, grain: int, energy_key: str, power_key: str = "") -> Read:
    """A reader of `intervals[]` with one energy (Wh) a row; power is its mean over the interval."""
    return partial(_intervals, measurement, grain, energy_key, power_key)


def _intervals(
    measurement: str, grain: int, energy_key: str, power_key: str, system: str, reply: Json
) -> Iterator[Point]:
    tags = (("system", system),)
    total = number(reply.get("total_devices"))
    per_wh = 3600.0 / grain
    for row in rows(reply["intervals"]):
        reporting, energy = number(row.get("devices_reporting")), number(row.get(energy_key))
        power = number(row.get(power_key)) if power_key else None
        if power is None and energy is not None:
            power = energy * per_wh
        time = moment(row["end_at"]) - grain
        fields: dict[str, float | None] = {
            "devices_reporting": reporting,
            "devices_total": total,
            "energy_wh": energy,
            "power_w": power,
        }
        if energy is None or reporting is None or total is None:
            fields = {name: value for name, value in fields.items() if value is not None}
        if fields:
            yield Point(measurement, tags, time, fields)  # type: ignore[arg-type] # none is None, as just seen


ENERGY_FIELDS = {
    "energy_wh": "energy of the interval, Wh",
    "power_w": "mean power over the interval, W",
    "devices_reporting": "devices counted so far; the interval may still grow while it is below devices_total",
    "devices_total": "active devices at the time of the request",
}


def energy_fields(energy_key: str, power_key: str = "") -> dict[str, Field]:
    """The four fields of an interval measurement and the vendor's keys they come from."""
    keys = {
        "energy_wh": energy_key,
        "power_w": power_key or f"{energy_key} * 3600 / grain",
        "devices_reporting": "devices_reporting",
        "devices_total": "total_devices",
    }
    return {name: Field(keys[name], about) for name, about in ENERGY_FIELDS.items()}


def reported_at(reply: Json) -> int | None:
    """The gateway's last report: that of the meta block, or of a summary, which has none; None where it is not said."""
    return _of_meta(reply, "last_report_at")


def operational_at(reply: Json) -> int | None:
    """The beginning of the system, from the same place, or None."""
    return _of_meta(reply, "operational_at")


def _of_meta(reply: Json, key: str) -> int | None:
    meta = reply.get("meta", reply)
    return maybe_moment(meta.get(key)) if isinstance(meta, Mapping) else None


def answered_to(reply: Json, window: Span, reach: int) -> int:
    """How far the window was really answered: the echoed `end_at`, cut to the longest reach that is honoured."""
    end = reply.get("end_at")
    echoed = moment(end) if end is not None else window.end
    return min(echoed, window.start + reach)
