"""Several systems that are one house: what they measure, added up. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ingest.core.days import LocalDay
from ingest.core.derive import FLOWS, QUARTER, balanced

RowsByTime = Mapping[int, Mapping[str, float]]
"""Energies (Wh) by the start of their interval or day."""
ENOUGH = 0.98
"""Share of a day's total that its intervals add up to where all of them are known: both differ by about 1 %."""


class Carriers(NamedTuple):
    """Which members of a home (their places) measure an energy, by its name."""

    members: Mapping[str, tuple[int, ...]]

    @property
    def has_battery(self) -> bool:
        """Whether what goes into a battery and comes out is known of any."""
        return bool(self.members["charged_wh"])

    def sums(self, rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """The sum of each energy over those that measure it; without what one of them does not know."""
        return {
            name: sum(rows[member][name] for member in members)
            for name, members in self.members.items()
            if members and all(name in rows[member] for member in members)
        }


def carriers(measured: Sequence[frozenset[str]]) -> Carriers:
    """Who measures what, from the energies that each member has; production must be known of every one."""
    members = {name: tuple(at for at, names in enumerate(measured) if name in names) for name in FLOWS}
    return Carriers(members | {"produced_wh": tuple(range(len(measured)))})


def interval(rows: Sequence[Mapping[str, float]], by: Carriers) -> dict[str, float]:
    """The fields of `energy` of a home, from those of its members: sums, and what follows from them."""
    flows = {name: [wh] for name, wh in by.sums(rows).items()}
    return {name: wh for name, (wh,) in balanced(flows, has_battery=by.has_battery).items()}


def day_of_home(
    day: LocalDay, daily: Sequence[Mapping[str, float]], quarters: Sequence[RowsByTime], by: Carriers
) -> dict[str, float]:
    """The energies of a day of a home from those of its members, and its self-consumption from their intervals where
    all of these are known.
    """
    fields = by.sums(daily)
    if "produced_wh" not in fields or not {"consumed_wh", "exported_wh"} & fields.keys():
        return fields
    whole = [_with_the_night(day, *of) for of in zip(daily, quarters, strict=True)]
    own = [_own(whole, at, by) for at in range(day.start, day.end, QUARTER)]
    known = [value for value in own if value is not None]
    return {**fields, "self_consumed_wh": sum(known)} if len(known) == len(own) else fields


def _own(rows: Sequence[RowsByTime], at: int, by: Carriers) -> float | None:
    return interval([of.get(at, {}) for of in rows], by).get("self_consumed_wh")


def _with_the_night(day: LocalDay, daily: Mapping[str, float], rows: RowsByTime) -> RowsByTime:
    """The intervals of a day with zeros while it is dark, where microinverters send nothing; as they are where that
    cannot be told from a hole.
    """
    light = [at for at in sorted(rows) if "produced_wh" in rows[at]]
    if not light or len(light) != (light[-1] - light[0]) // QUARTER + 1:
        return rows
    if sum(rows[at]["produced_wh"] for at in light) < ENOUGH * daily["produced_wh"]:
        return rows
    return dict(_filled(day, rows))


def _filled(day: LocalDay, rows: RowsByTime) -> Iterator[tuple[int, Mapping[str, float]]]:
    for at in range(day.start, day.end, QUARTER):
        yield at, {"produced_wh": 0.0, **rows.get(at, {})}
