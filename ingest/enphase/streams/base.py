"""What a stream is, and the shared ways of asking for it and of reading its replies.

The words of the vendor's replies are those of the reference, sections 6 to 8.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from ingest.core.point import Point, Tags, series_key
from ingest.core.span import Span
from ingest.core.units import DAY, MINUTE

Json = Mapping[str, Any]
Params = dict[str, str]
Ask = Callable[[Span], Params]
Read = Callable[[str, Json], Iterator[Point]]


@dataclass(frozen=True)
class Route:
    """How one dialect serves a stream.

    `path` is below `/api/vN/`. `reach` is the longest span (s) that one reply is known to hold, `history` how far
    back (s) the cloud goes, `step` the grid (s) to which it rounds requests down. `hope` is a longer reach (s) that may
    be honoured, which is tried once; 0 where none is.
    """

    path: str
    ask: Ask
    reach: int = 0
    history: int = 0
    step: int = 15 * MINUTE
    hope: int = 0


@dataclass(frozen=True)
class Field:
    """One field of a measurement: the vendor's key and what the number is."""

    key: str
    about: str


@dataclass(frozen=True)
class Lifetime:
    """Daily totals (Wh) of a system's whole life, as arrays by series; the first element is that of day `start`.

    `start` is None while there is nothing. None in an array is a day of which the cloud says nothing. From
    `metered_from` on, production is what the meter measured.
    """

    start: date | None
    series: Mapping[str, Sequence[float | None]]
    metered_from: date | None = None


@dataclass(frozen=True)
class Stream:
    """One endpoint family, declared once. `grain` (s) is the length of an interval, 0 for a snapshot.

    A snapshot has no history and no coverage: it is taken every `every` seconds and that is all. `group` is the
    access group of the developer portal (reference 3.2) that must be ticked; `meter` the device without which the
    cloud has nothing to say. `totals` reads daily totals instead of points.
    """

    name: str
    about: str
    every: int
    group: str
    v2: Route
    v4: Route
    read: Read
    grain: int = 0
    meter: str = ""
    fields: Mapping[str, Mapping[str, Field]] = field(default_factory=dict)
    totals: Callable[[Json], Lifetime] | None = None

    def route(self, version: str) -> Route:
        """The route of a dialect, "v2" or "v4"."""
        return self.v2 if version == "v2" else self.v4


def start_end(window: Span) -> Params:
    """Both ends, as every v2 endpoint and v4's `rgm_stats` take them."""
    return {"start_at": str(window.start), "end_at": str(window.end)}


def start_granularity(window: Span) -> Params:
    """A start and the length of the window; v4 telemetry knows no `end_at` (reference 6)."""
    return {"start_at": str(window.start), "granularity": "day" if window.length <= DAY else "week"}


def nothing(_: Span) -> Params:
    """A snapshot of now needs no parameter."""
    return {}


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
    """The gateway's last report (`meta.last_report_at`); None where the endpoint has no meta block, or null."""
    meta = reply.get("meta")
    value = meta.get("last_report_at") if isinstance(meta, Mapping) else None
    return moment(value) if value is not None and value != -1 else None


def operational_at(reply: Json) -> int | None:
    """The beginning of the system (`meta.operational_at`), or None."""
    meta = reply.get("meta")
    value = meta.get("operational_at") if isinstance(meta, Mapping) else None
    return moment(value) if value is not None and value != -1 else None


def answered_to(reply: Json, window: Span, reach: int) -> int:
    """How far the window was really answered: the echoed `end_at`, cut to the longest reach that is honoured."""
    end = reply.get("end_at")
    echoed = moment(end) if end is not None else window.end
    return min(echoed, window.start + reach)
