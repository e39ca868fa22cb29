"""Parsers of intervals that streams share: a row each, with one energy or several quantities.

The words of the vendor's replies are those of the reference, sections 6 to 8.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from ingest.core.point import Point, Tags
from ingest.core.table import Table, Tabled
from ingest.core.units import HOUR
from ingest.enphase.streams.base import Field, Json, Odd, Read
from ingest.enphase.streams.even_grid import on_grid
from ingest.enphase.streams.readers import (
    UNREADABLE,
    maybe_moment,
    maybe_number,
    moment,
    moments_in,
    number,
    numbers_in,
    numbers_of,
    odd,
)

LOOKED_AHEAD = 100
"""How many rows are looked at for a time."""


def rows(value: object) -> list[Any]:
    """The rows of an `intervals` list, which some endpoints nest in further lists (reference 7.11). What is no row is
    given out too: whoever reads it finds it odd.
    """
    if not isinstance(value, list):
        raise TypeError(f"a list of intervals is due, not {type(value).__name__}")
    if list not in {*map(type, value)}:
        return value
    return [row for part in value for row in (rows(part) if isinstance(part, list) else (part,))]


def whole_or_each(
    whole: Callable[[Sequence[Any]], list[Table]],
    each: Callable[[Sequence[Any]], Iterator[Point | Odd]],
    listed: Sequence[Any],
) -> Iterable[Point | Odd]:
    """The points of a list of intervals: of all at once where every row has all there is, which `whole` raises for
    where it is not so, as `UNREADABLE` names; else row by row, for what can be read of the others.
    """
    try:
        return Tabled(whole(listed))
    except UNREADABLE:
        return each(listed)


class _OneEnergy(NamedTuple):
    """Intervals of one energy, and the vendor's keys of that and of its mean power, which may have none."""

    measurement: str
    grain: int
    energy_key: str
    power_key: str


def intervals(measurement: str, grain: int, energy_key: str, power_key: str = "") -> Read:
    """A reader of `intervals[]` with one energy (Wh) a row; power is its mean over the interval."""
    of = _OneEnergy(measurement, grain, energy_key, power_key)

    def read(system: str, reply: Json) -> Iterable[Point | Odd]:
        about = of, (("system", system),), maybe_number(reply.get("total_devices"))
        listed = rows(reply["intervals"])
        return on_grid(grain, whole_or_each(partial(_whole, *about), partial(_each, *about), listed))

    return read


def _whole(of: _OneEnergy, tags: Tags, total: float | None, listed: Sequence[Any]) -> list[Table]:
    if total is None:
        raise ValueError("the number of devices is not known")
    ends, energies = moments_in(listed, "end_at"), numbers_in(listed, (of.energy_key,))
    counts, per_wh = numbers_in(listed, ("devices_reporting",)), HOUR // of.grain
    powers = numbers_in(listed, (of.power_key,)) if of.power_key else [wh * per_wh for wh in energies]
    columns = {
        "devices_reporting": counts,
        "devices_total": [int(total) if total.is_integer() else total] * len(ends),
        "energy_wh": energies,
        "power_w": powers,
    }
    return [Table(of.measurement, tags, [end - of.grain for end in ends], columns)]


def _each(of: _OneEnergy, tags: Tags, total: float | None, listed: Sequence[Any]) -> Iterator[Point | Odd]:
    per_wh = HOUR / of.grain
    following = beginning(listed, of.grain)
    for row in listed:
        try:
            time = following = moment(row["end_at"]) - of.grain
            following += of.grain
            reporting, energy = number(row.get("devices_reporting")), number(row[of.energy_key])
            power = number(row.get(of.power_key)) if of.power_key else None
        except UNREADABLE as error:
            at = own_time(row, of.grain) or following
            following = None if at is None else at + of.grain
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
            yield Point(of.measurement, tags, time, fields)  # type: ignore[arg-type] # none is None, as just seen


def quantities(measurement: str, grain: int, keys: Mapping[str, str]) -> Read:
    """A reader of `intervals[]` with several quantities a row: the vendor's key of each field, `charge.enwh` being the
    key of an object within the row.
    """
    paths = {name: key.split(".") for name, key in keys.items()}

    def read(system: str, reply: Json) -> Iterable[Point | Odd]:
        return quantities_of(measurement, grain, paths, (("system", system),), reply["intervals"])

    return read


def quantities_of(
    measurement: str, grain: int, keys: Mapping[str, Sequence[str]], tags: Tags, intervals: object
) -> Iterable[Point | Odd]:
    """The same of a list of intervals: a point each, with `tags`."""
    about = measurement, grain, keys, tags
    listed = rows(intervals)
    return on_grid(grain, whole_or_each(partial(_whole_quantities, *about), partial(_quantities, *about), listed))


def _whole_quantities(
    measurement: str, grain: int, keys: Mapping[str, Sequence[str]], tags: Tags, listed: Sequence[Any]
) -> list[Table]:
    columns = {name: numbers_in(listed, path) for name, path in keys.items()}
    return [Table(measurement, tags, [end - grain for end in moments_in(listed, "end_at")], columns)]


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
