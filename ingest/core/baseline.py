"""Whether a plant falls behind: on clear days, against its own season in earlier years and against its neighbours.

No weather service is asked. A day is clear when its curve is smooth, whatever its height: so it is found on a plant
that has lost a string, too.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from statistics import median
from typing import NamedTuple

SMOOTH = 1.1
"""How much more than up to the peak and down again a curve of a clear day may move."""
MIN_QUARTERS = 20
"""Quarters of an hour with sun that a clear day has at least."""
BEHIND = 0.15
OVERCAST = 0.35
"""A smooth curve of less than this share of a clear day is that of an even cover of clouds."""
CLEAR_DAYS = 3
"""Clear days in a row that must be behind by `BEHIND`."""
SEASON_DAYS = 15
"""Days before and after the same day of earlier years that are its season."""
MIN_SEASON = 20
"""Fewer days of a season, half of them before and half after the day, say nothing of how its clear days are."""
CLEAR_SHARE = 0.85
"""Of the days of a season in order of their energy, the one at this share stands for a clear day."""
USUAL_DAYS = 90
MIN_USUAL = 20
"""Days before from which the usual ratio to the neighbours is taken, and the fewest."""
DAYS_PER_YEAR = 365.25


class Behind(NamedTuple):
    """The clear days on which a plant was behind, the newest last; by which share (0 to 1); behind what."""

    days: tuple[date, ...]
    share: float
    what: str


def is_clear(powers: Sequence[float]) -> bool:
    """Whether the curve of a day (any unit, in equal steps) is that of a clear sky: up once, and down once."""
    lit = [value for value in powers if value > 0]
    if len(lit) < MIN_QUARTERS:
        return False
    moved = sum(abs(after - before) for before, after in zip([0.0, *lit], [*lit, 0.0], strict=True))
    return moved <= SMOOTH * 2 * max(lit)


def seasonal(day: date, daily: Mapping[date, float]) -> float | None:
    """The energy of a clear day of the same season in earlier years; None where too little is known of it.

    In autumn the days before are longer, in spring those after: far from the equator, clear days two weeks apart differ
    by a fifth. So the weeks before and after are looked at apart, and the lesser of the two counts.
    """
    before, after = list[float](), list[float]()
    for other, energy in daily.items():
        years = (day - other).days / DAYS_PER_YEAR
        apart = (years - round(years)) * DAYS_PER_YEAR
        if round(years) >= 1 and abs(apart) <= SEASON_DAYS:
            (before if apart > 0 else after).append(energy)
    if min(len(before), len(after)) < MIN_SEASON // 2:
        return None
    return min(sorted(energies)[int(CLEAR_SHARE * len(energies))] for energies in (before, after))


def own_shares(clear: Sequence[date], daily: Mapping[date, float]) -> dict[date, float]:
    """What clear days were worth of their season (1: as ever), where both are known."""
    found = {}
    for day in clear:
        usual = seasonal(day, daily)
        if usual and day in daily:
            found[day] = daily[day] / usual
    return found


def neighbour_shares(
    clear: Sequence[date], daily: Mapping[date, float], others: Sequence[Mapping[date, float]]
) -> dict[date, float]:
    """What clear days were worth beside the neighbours (1: as usual between them)."""
    ratios = {
        day: energy / beside
        for day, energy in daily.items()
        if (known := [other[day] for other in others if other.get(day)]) and (beside := median(known)) > 0
    }
    found = {}
    first = min(clear, default=None)
    usual = [ratio for day, ratio in ratios.items() if first and 0 < (first - day).days <= USUAL_DAYS]
    if len(usual) >= MIN_USUAL and (middle := median(usual)) > 0:
        found = {day: ratios[day] / middle for day in clear if day in ratios}
    return found


def behind(clear: Sequence[date], daily: Mapping[date, float], others: Sequence[Mapping[date, float]]) -> Behind | None:
    """Whether the last `CLEAR_DAYS` clear days were all behind; `clear` in order of time, energies in any unit.

    What the neighbours share, such as haze or snow, is the weather and no fault of the plant.
    """
    last = tuple(clear[-CLEAR_DAYS:])
    if len(last) < CLEAR_DAYS:
        return None
    own, beside = own_shares(last, daily), neighbour_shares(last, daily, others)
    if _are_behind(own) and not (beside and median(beside.values()) > 1 - BEHIND / 2):
        return Behind(last, 1 - median(own.values()), "its own clear days of this season")
    if _are_behind(beside):
        return Behind(last, 1 - median(beside.values()), "usual beside its neighbours")
    return None


def _are_behind(shares: Mapping[date, float]) -> bool:
    return len(shares) == CLEAR_DAYS and all(OVERCAST < share <= 1 - BEHIND for share in shares.values())
