"""Parsers of intervals that streams share: a row each, with one energy or several quantities.

The words of the vendor's replies are those of the reference, sections 6 to 8.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ingest.core.point import Point, Tags
from ingest.enphase.streams.base import Field, Json, Odd, Read
from ingest.enphase.streams.even_grid import on_grid
from ingest.enphase.streams.readers import UNREADABLE, maybe_moment, maybe_number, moment, number, numbers_of, odd

LOOKED_AHEAD = 100
"""How many rows are looked at for a time."""


def rows(value: object) -> Iterator[Any]:
    """The rows of an `intervals` list, which some endpoints nest in further lists (reference 7.11). What is no row is
    given out too: whoever reads it finds it odd.
    """
    if not isinstance(value, list):
        raise TypeError(f"a list of intervals is due, not {type(value).__name__}")
    for row in value:
        if isinstance(row, list):
            yield from rows(row)
        else:
            yield row


def intervals(measurement: str, grain: int, energy_key: str, power_key: str = "") -> Read:
    """A reader of `intervals[]` with one energy (Wh) a row; power is its mean over the interval."""

    def read(system: str, reply: Json) -> Iterator[Point | Odd]:
        return on_grid(grain, _intervals(measurement, grain, energy_key, power_key, system, reply))

    return read


def _intervals(
    measurement: str, grain: int, energy_key: str, power_key: str, system: str, reply: Json
) -> Iterator[Point | Odd]:
    tags = (("system", system),)
    total = maybe_number(reply.get("total_devices"))
    per_wh = 3600.0 / grain
    listed = list(rows(reply["intervals"]))
    following = beginning(listed, grain)
    for row in listed:
        try:
            time = following = moment(row["end_at"]) - grain
            following += grain
            reporting, energy = number(row.get("devices_reporting")), number(row[energy_key])
            power = number(row.get(power_key)) if power_key else None
        except UNREADABLE as error:
            at = own_time(row, grain) or following
            following = None if at is None else at + grain
            yield odd(error, row, at)
            continue
        if power is None and energy is not None:
            power = energy * per_wh
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


def quantities(measurement: str, grain: int, keys: Mapping[str, str]) -> Read:
    """A reader of `intervals[]` with several quantities a row: the vendor's key of each field, `charge.enwh` being the
    key of an object within the row.
    """
    paths = {name: key.split(".") for name, key in keys.items()}

    def read(system: str, reply: Json) -> Iterator[Point | Odd]:
        return quantities_of(measurement, grain, paths, (("system", system),), reply["intervals"])

    return read


def quantities_of(
    measurement: str, grain: int, keys: Mapping[str, Sequence[str]], tags: Tags, intervals: object
) -> Iterator[Point | Odd]:
    """The same of a list of intervals: a point each, with `tags`."""
    return on_grid(grain, _quantities(measurement, grain, keys, tags, list(rows(intervals))))


def _quantities(
    measurement: str, grain: int, keys: Mapping[str, Sequence[str]], tags: Tags, listed: Sequence[Any]
) -> Iterator[Point | Odd]:
    following = beginning(listed, grain)
    for row in listed:
        try:
            time = following = moment(row["end_at"]) - grain
            following += grain
            fields, wrong = numbers_of(row, keys)
        except UNREADABLE as error:
            at = own_time(row, grain) or following
            following = None if at is None else at + grain
            yield odd(error, row, at)
            continue
        if wrong:
            yield odd(wrong[0], row, time)
        if fields:
            yield Point(measurement, tags, time, fields)


def own_time(row: object, grain: int) -> int | None:
    """The start of an interval that cannot be read, as it says."""
    end = maybe_moment(row.get("end_at")) if isinstance(row, Mapping) else None
    return None if end is None else end - grain


def beginning(listed: Sequence[object], grain: int) -> int | None:
    """The start of the first interval of a list, by the first of its rows that says when it was; None where none near
    it does. An interval that cannot be read and says no time is that which follows the row before.
    """
    for index, row in enumerate(islice(listed, LOOKED_AHEAD)):
        at = own_time(row, grain)
        if at is not None:
            return at - index * grain
    return None


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
