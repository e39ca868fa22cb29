"""Daily totals of a system's whole life: years of daily energy in one call, compared with the sums of intervals."""

from collections.abc import Sequence
from datetime import date, timedelta

from ingest.core.span import Span
from ingest.core.units import DAY
from ingest.enphase.streams.base import Field, Json, Lifetime, Odd, Params, Route, Scope, Series, Stream, nothing
from ingest.enphase.streams.readers import number, odd, sample

OLDEST = date(2000, 1, 1)
LONGEST_LIFE = 100 * 366
"""Bounds of what can be a solar system's life: no array may lead out of the calendar."""


def read_totals(stream: Stream, reply: Json) -> Lifetime | None:
    """The daily totals in a reply, None for a stream of something else. A series that cannot be read costs itself.

    Raises ValueError, TypeError or KeyError when the shape of the reply is wrong, or no series can be read.
    """
    if not stream.series:
        return None
    start = None if reply["start_date"] is None else _day(reply["start_date"])
    odds: list[Odd] = []
    arrays: dict[str, Sequence[float | None]] = {}
    for key in (each.key for each in stream.series if reply.get(each.key) is not None):
        try:
            arrays[key] = _array(key, reply[key], start, odds)
        except TypeError as error:
            odds.append(Odd(str(error), sample(reply[key])))
    since: dict[str, date] = {}
    for each in stream.series:
        if reply.get(each.since) is not None:
            try:
                since[each.key] = _day(reply[each.since])
            except ValueError as error:
                odds.append(odd(error, {each.since: reply[each.since]}))
                arrays.pop(each.key, None)  # from when on it counts is not known
    if not arrays:
        raise ValueError(odds[0].reason if odds else f"missing {stream.series[0].key!r}")
    return Lifetime(start, {} if start is None else arrays, since, tuple(odds))


def _both_sources(_: Span) -> Params:
    return {"production": "all"}


def _day(value: object) -> date:
    day = date.fromisoformat(value) if isinstance(value, str) else None
    if day is None or day < OLDEST or day.year > 9000:
        raise ValueError(f"{str(value)[:40]!r} is not a day")
    return day


def _array(key: str, values: object, start: date | None, odds: list[Odd]) -> Sequence[float | None]:
    """The totals of a series; one that cannot be read is a day of which nothing is known."""
    if not isinstance(values, list) or len(values) > LONGEST_LIFE:
        raise TypeError(f"a list of daily totals is due, not {type(values).__name__}")
    found: list[float | None] = []
    for index, value in enumerate(values):
        try:
            found.append(number(value))
        except ValueError as error:
            day = "" if start is None else (start + timedelta(days=index)).isoformat()
            odds.append(odd(error, {key: value, "day": day}))
            found.append(None)
    return found


ENERGY = Stream(
    name="energy_lifetime",
    label="days of production",
    about="production of every day since the system began",
    every=DAY,
    group="Site Level Production Monitoring",
    scope=Scope.TOTALS,
    v2=Route("systems/{system}/energy_lifetime", _both_sources),
    v4=Route("systems/{system}/energy_lifetime", _both_sources),
    fields={"energy_daily": {"produced_wh": Field("production", "energy produced in the local day, Wh")}},
    series=(
        Series("production", "produced_wh", is_daily=True),
        Series("micro_production", "produced_wh", "stats"),
        Series("meter_production", "produced_wh", "rgm_stats", since="meter_start_date"),
    ),
)
CONSUMPTION = Stream(
    name="consumption_lifetime",
    label="days of consumption",
    about="consumption of every day since the meter was installed",
    every=DAY,
    group="Site Level Consumption Monitoring",
    scope=Scope.TOTALS,
    meter="consumption",
    v2=Route("systems/{system}/consumption_lifetime", nothing),
    v4=Route("systems/{system}/consumption_lifetime", nothing),
    fields={"energy_daily": {"consumed_wh": Field("consumption", "energy used in the local day, Wh")}},
    series=(Series("consumption", "consumed_wh", "consumption", is_daily=True),),
)
