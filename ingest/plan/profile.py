"""What is learned of a system as it is read: when it speaks, when its sun shines, which meters it has."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ingest.core.table import Table
from ingest.core.units import DAY
from ingest.enphase.catalogue import PRODUCTION
from ingest.plan.pacing import Daylight
from ingest.plan.rhythm import NO_RHYTHM, Rhythm

KEPT_DAYS = 3


@dataclass(frozen=True, slots=True)
class Profile:
    """`days` are the newest local days with production: (day since the epoch, first start, last end), oldest first;
    `meters` the kinds of meter in the system's list of devices, None while that was not asked. `zone` is that in which
    the days of the system were cut: UTC where the machine did not know its own, empty before any was told, None where
    that was not noted yet. `serials` are the numbers of the devices that are asked one by one, by kind, as listed last.
    `size_w` is the largest size (W) that was ever said of the system, 0 where what was said cannot be right, None where
    that was not noted yet.
    """

    rhythm: Rhythm = NO_RHYTHM
    days: tuple[tuple[int, int, int], ...] = ()
    meters: tuple[str, ...] | None = None
    zone: str | None = None
    serials: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    size_w: float | None = None

    def daylight(self, now: int, offset: int) -> Daylight | None:
        """Yesterday's light, or that of the last day with any; `offset` is the zone's from UTC (s).

        It ends later where today's production already went on longer.
        """
        today = (now + offset) // DAY
        before = [day for day in self.days if day[0] < today]
        if not before:
            return None
        day, first, last = before[-1]
        late = [end - (number - day) * DAY for number, _, end in self.days if number == today]
        return Daylight(first, max([last, *late]))

    def saw(self, tables: Iterable[Table], offset: int) -> "Profile":
        """The same, with the production of some points taken in."""
        days = {number: (first, last) for number, first, last in self.days}
        # of history, which is most of what is ever read, nothing is kept
        oldest = self.days[0][0] * DAY - offset if len(self.days) == KEPT_DAYS else 0
        for table in tables:
            grain = PRODUCTION.get(table.measurement)
            if not grain or max(table.times, default=oldest) < oldest:
                continue
            energies: Sequence[Any] = table.columns.get("energy_wh", ())  # no text
            lit = sorted([time for time, wh in zip(table.times, energies, strict=False) if wh > 0])
            lit = lit[bisect_left(lit, oldest) :]
            while lit:
                number = (lit[0] + offset) // DAY
                end = bisect_left(lit, (number + 1) * DAY - offset)
                first, last = days.get(number, (lit[0], 0))
                days[number] = min(first, lit[0]), max(last, lit[end - 1] + grain)
                lit = lit[end:]
        newest = tuple((number, *days[number]) for number in sorted(days)[-KEPT_DAYS:])
        return self if newest == self.days else replace(self, days=newest)


NEW_PROFILE = Profile()
"""Of a system that has just appeared."""


def to_json(profile: Profile) -> dict[str, Any]:
    """A form that can be stored."""
    meters = None if profile.meters is None else list(profile.meters)
    days = [list(day) for day in profile.days]
    document: dict[str, Any] = {"rhythm": list(profile.rhythm), "days": days, "meters": meters, "zone": profile.zone}
    if profile.size_w is not None:
        document["size_w"] = profile.size_w
    if profile.serials:
        document["serials"] = {kind: list(many) for kind, many in profile.serials.items()}
    return document


def from_json(document: Mapping[str, Any]) -> Profile:
    """The reverse of `to_json`; an empty mapping is a system of which nothing is known."""
    if not document:
        return NEW_PROFILE
    period, late, looked_at, waits = document["rhythm"]
    meters = document["meters"]
    return Profile(
        Rhythm(period, late, looked_at, tuple(waits)),
        tuple((day, first, last) for day, first, last in document["days"]),
        None if meters is None else tuple(meters),
        document.get("zone"),
        {kind: tuple(many) for kind, many in document.get("serials", {}).items()},
        document.get("size_w"),
    )
