"""Measurements computed from others, so that boards, page and users' own queries share one definition."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta, tzinfo
from functools import lru_cache
from itertools import compress, repeat
from operator import sub
from typing import NamedTuple

from ingest.core.days import LocalDay, date_at
from ingest.core.point import Point
from ingest.core.units import HOUR

QUARTER = 900
PARTS = 3
"""5-minute intervals in a quarter of an hour."""


def quarters(five_minutes: Mapping[int, float]) -> dict[int, float]:
    """Sums (Wh) of the quarters of an hour all of whose 5-minute intervals are there; keys are interval starts."""
    sums: dict[int, list[float]] = {}
    for time, energy in five_minutes.items():
        sums.setdefault(time - time % QUARTER, []).append(energy)
    return {time: sum(parts) for time, parts in sums.items() if len(parts) == PARTS}


WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
PLAUSIBLE = 3
"""A system never produces more than this multiple of what its size allows."""
PLAUSIBLE_USE = 100
"""No other meter of its house ever counts more than this multiple of that."""
LARGEST_W = 1e7
"""No system of the vendor's is so large: the size where it is not known."""


def most_wh(size_w: object, seconds: int, quantity: str = "produced_wh") -> float:
    """More energy (Wh) of a kind than the house of a system of a size (W) can have in a time."""
    size = size_w if isinstance(size_w, float) and 0 < size_w <= LARGEST_W else LARGEST_W
    return (PLAUSIBLE if quantity == "produced_wh" else PLAUSIBLE_USE) * size * seconds / HOUR


FLOWS = ("produced_wh", "consumed_wh", "imported_wh", "exported_wh", "charged_wh", "discharged_wh")
"""The energies of a home that are measured."""
QUANTITIES = (*FLOWS[:2], "self_consumed_wh", *FLOWS[2:])
"""What days and months add up, and what is shown of a span of time, in this order."""
GRID = ("imported_wh", "exported_wh")
"""The exchange with the grid."""
_BALANCED = {True: {*FLOWS}, False: {*FLOWS[:4]}}
"""What must be known for a balance, with a battery and without."""
_TERMS = ("produced_wh", "imported_wh", "discharged_wh", "consumed_wh", "exported_wh", "charged_wh")
"""What comes in and what goes out, of a balance."""
FlowsByTime = Mapping[str, Mapping[int, float]]
"""Energies (Wh) of quarters of an hour by the start of each, under the names of `FLOWS`."""


class Quarters(NamedTuple):
    """Quarters of an hour of which the same is known: their starts, and by the field the values (Wh) in that order."""

    times: Sequence[int]
    fields: Mapping[str, Sequence[float]]


def energy(times: Iterable[int], metered: FlowsByTime, *, has_battery: bool = False) -> Iterator[Quarters]:
    """The measurement `energy` at quarters `times` from what was metered, each field only where its inputs are there.

    Where there is a battery, the consumption that is metered includes what goes into it and comes out (reference 7.9).
    """
    wanted = sorted(times)
    metered = {name: held for name, held in metered.items() if held}
    known_of = [*zip(*(map(held.__contains__, wanted) for held in metered.values()), strict=True)]
    for known in dict.fromkeys(known_of):
        some = [*compress(wanted, map(known.__eq__, known_of))]
        names = compress(metered, known)
        found = {name: [*map(metered[name].__getitem__, some)] for name in names}
        if fields := balanced(_own_use(found) if has_battery else found, has_battery=has_battery):
            yield Quarters(some, fields)


def _own_use(metered: Mapping[str, Sequence[float]]) -> dict[str, Sequence[float]]:
    """The same with the battery taken out of the consumption; without it where the battery is not known."""
    fields = dict(metered)
    used = fields.pop("consumed_wh", None)
    if used is not None and "charged_wh" in fields and "discharged_wh" in fields:
        battery = zip(fields["charged_wh"], fields["discharged_wh"], strict=True)
        fields["consumed_wh"] = [wh - into + out for wh, (into, out) in zip(used, battery, strict=True)]
    return fields


def balanced(flows: Mapping[str, Sequence[float]], *, has_battery: bool) -> dict[str, Sequence[float]]:
    """The energies of intervals, by their name, and what follows from them.

    Self-consumption is what was produced and not exported; where no export is measured, what was produced and used
    within the same interval. `balance_wh` is what came in less what went out: 0 where all meters agree.
    """
    fields = dict(flows)
    made, used, exported = flows.get("produced_wh"), flows.get("consumed_wh"), flows.get("exported_wh")
    if made is not None and used is not None:
        fields["net_wh"] = [*map(sub, made, used)]
    if made is not None and exported is not None:
        fields["self_consumed_wh"] = [max(0.0, wh) for wh in map(sub, made, exported)]
    elif made is not None and used is not None:
        fields["self_consumed_wh"] = [*map(min, made, used)]
    if flows.keys() >= _BALANCED[has_battery]:
        terms = zip(*(flows.get(name, repeat(0.0)) for name in _TERMS), strict=False)
        fields["balance_wh"] = [
            made + imported + out - used - exported - into for made, imported, out, used, exported, into in terms
        ]
    return fields


def grid_exchange(row: Mapping[str, float]) -> dict[str, float]:
    """`imported_wh` and `exported_wh` of an interval of `energy`: as metered, else what production and the battery did
    not cover, or left over. Empty where that is not known either.
    """
    found = _metered(row)
    if "produced_wh" in row and "consumed_wh" in row:
        net = row["produced_wh"] + row.get("discharged_wh", 0.0) - row["consumed_wh"] - row.get("charged_wh", 0.0)
        found.setdefault("imported_wh", max(0.0, -net))
        found.setdefault("exported_wh", max(0.0, net))
    return found


def grid_exchange_of_day(row: Mapping[str, float]) -> dict[str, float]:
    """The same of a row of `energy_daily`: as metered, else what self-consumption did not cover, or left over.

    With a battery it does not follow from sums of a day: only `grid_exchange` of its intervals knows when it helped.
    """
    found = _metered(row)
    own = row.get("self_consumed_wh")
    if own is not None and not row.keys() & {"charged_wh", "discharged_wh"}:
        if "consumed_wh" in row:
            found.setdefault("imported_wh", max(0.0, row["consumed_wh"] - own))
        if "produced_wh" in row:
            found.setdefault("exported_wh", max(0.0, row["produced_wh"] - own))
    return found


def _metered(row: Mapping[str, float]) -> dict[str, float]:
    return {name: row[name] for name in GRID if name in row}


def day_sums(day: LocalDay, produced: Mapping[int, float], known: FlowsByTime) -> dict[str, float]:
    """The fields of a day of `energy_daily`, each only where there is something in every quarter of the day.

    `produced` holds the intervals of the source of production, 5 or 15 minutes long. They may be missing at both
    ends of the day, and single ones at dawn: some systems send nothing while it is dark. `known` holds the fields of
    `energy`.
    """
    light = {time - time % QUARTER for time in produced}
    whole = [name for name in FLOWS[1:] if _is_whole(day, known.get(name, {}))]
    fields = {name: sum(known[name].values()) for name in whole}
    if light and len(light) == (max(light) - min(light)) // QUARTER + 1:
        fields["produced_wh"] = sum(produced.values())
        if {"consumed_wh", "exported_wh"} & set(whole):
            fields["self_consumed_wh"] = sum(known["self_consumed_wh"].values())
    return fields


def _is_whole(day: LocalDay, values: Mapping[int, float]) -> bool:
    return bool(values) and all(time in values for time in range(day.start, day.end, QUARTER))


def monthly(system: str, months: Iterable[tuple[int, int]], days: Mapping[str, Mapping[int, float]]) -> Iterator[Point]:
    """The measurement `energy_monthly`: sums of `energy_daily` (by field and time) over each month (start, end), each
    with the number of days that it is of. A month of which nothing is known is a point without fields.
    """
    times = {name: sorted(held) for name, held in days.items()}
    for start, end in months:
        inside = {name: held[bisect_left(held, start) : bisect_left(held, end)] for name, held in times.items()}
        sums = {name: sum(days[name][time] for time in held) for name, held in inside.items() if held}
        counts = {days_name(name): float(len(inside[name])) for name in sums}
        yield Point("energy_monthly", (("system", system),), start, sums | counts)


def days_name(quantity: str) -> str:
    """The field that says of how many days a quantity (`produced_wh`) of a day or month is: `produced_days`."""
    return f"{quantity.removesuffix('_wh')}_days"


def counted(point: Point) -> Point:
    """A day of `energy_daily`, each quantity of which is of one day."""
    measurement, tags, time, fields = point
    return Point(measurement, tags, time, {**fields, **{days_name(name): 1.0 for name in fields}})


def calendar(measurement: str, day: date) -> dict[str, str]:
    """The text fields that name a day of `energy_daily` or a month of `energy_monthly` in the system's own calendar.

    Who asks the database then needs no zone: `date` 2026-11-05, `day` 05, `weekday` Thu, `week` 2026-11-02 (its
    Monday), `month` 2026-11, `month_of_year` 11, `year` 2026.
    """
    return {**_words(measurement, day)}


@lru_cache(maxsize=1024)
def _words(measurement: str, day: date) -> Mapping[str, str]:
    # All systems have the same days.
    iso = day.isoformat()
    words = {"month": iso[:7], "year": iso[:4]}
    if measurement.endswith("_daily"):
        monday = day - timedelta(days=day.weekday())
        weekday = {"weekday": WEEKDAYS[day.weekday()], "week": monday.isoformat()}
        return words | weekday | {"date": iso, "day": iso[8:]}
    return words | {"month_of_year": iso[5:7]}


def dated(points: Iterable[Point], local: tzinfo) -> Iterator[Point]:
    """Days and months with the words that name them; a point without fields stays so."""
    for point in points:
        measurement, tags, time, fields = point
        named = fields and {**fields, **_words(measurement, date_at(time, local))}
        yield Point(measurement, tags, time, named)
