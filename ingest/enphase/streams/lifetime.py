"""Daily totals of a system's whole life: charts of years by one call, and what our intervals are held against."""

from collections.abc import Iterator, Sequence
from datetime import date

from ingest.core.point import Point
from ingest.core.span import Span
from ingest.core.units import DAY
from ingest.enphase.streams.base import Field, Json, Lifetime, Params, Route, Stream, nothing, number

OLDEST = date(2000, 1, 1)
LONGEST_LIFE = 100 * 366
"""Bounds of what can be a solar system's life: no array may lead out of the calendar."""

PRODUCTION, MICRO, METER, USED = "production", "micro_production", "meter_production", "consumption"
AUDITS = {
    MICRO: ("stats", "production_micro"),
    METER: ("rgm_stats", "production_rgm"),
    USED: ("consumption", "consumption"),
}
"""The series of a reply that are measured by one of our streams: that stream, and its measurement."""
AUDITED = {"energy_lifetime": ("stats", "rgm_stats"), "consumption_lifetime": ("consumption",)}
"""The streams of which a lifetime reply may have days read again."""
DAILY = {PRODUCTION: "produced_wh", USED: "consumed_wh"}
"""The field of `energy_daily` that each of the vendor's own series is; `production` is merged of both sources."""


def _both_sources(_: Span) -> Params:
    return {"production": "all"}


def _no_points(_: str, __: Json) -> Iterator[Point]:
    return iter(())


def _day(value: object) -> date:
    day = date.fromisoformat(value) if isinstance(value, str) else None
    if day is None or day < OLDEST or day.year > 9000:
        raise ValueError(f"{str(value)[:40]!r} is not a day")
    return day


def _array(value: object) -> Sequence[float | None]:
    if not isinstance(value, list) or len(value) > LONGEST_LIFE:
        raise TypeError(f"a list of daily totals is due, not {type(value).__name__}")
    return [number(total) for total in value]


def _lifetime(reply: Json, due: str, *others: str) -> Lifetime:
    series = {due: _array(reply[due])} | {name: _array(reply[name]) for name in others if reply.get(name) is not None}
    start, metered = reply["start_date"], reply.get("meter_start_date")
    return Lifetime(
        None if start is None else _day(start),
        {} if start is None else series,
        None if metered is None else _day(metered),
    )


def _energy(reply: Json) -> Lifetime:
    return _lifetime(reply, PRODUCTION, MICRO, METER)


def _consumption(reply: Json) -> Lifetime:
    return _lifetime(reply, USED)


ENERGY = Stream(
    name="energy_lifetime",
    about="production of every day since the system began",
    every=DAY,
    group="Site Level Production Monitoring",
    v2=Route("systems/{system}/energy_lifetime", nothing),
    v4=Route("systems/{system}/energy_lifetime", _both_sources),
    read=_no_points,
    fields={"energy_daily": {"produced_wh": Field("production", "energy produced in the local day, Wh")}},
    totals=_energy,
)
CONSUMPTION = Stream(
    name="consumption_lifetime",
    about="consumption of every day since the meter was installed",
    every=DAY,
    group="Site Level Consumption Monitoring",
    meter="consumption",
    v2=Route("systems/{system}/consumption_lifetime", nothing),
    v4=Route("systems/{system}/consumption_lifetime", nothing),
    read=_no_points,
    fields={"energy_daily": {"consumed_wh": Field("consumption", "energy used in the local day, Wh")}},
    totals=_consumption,
)
