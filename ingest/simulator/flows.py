"""A house between roof, battery and grid: what flows where, by the quarter of an hour, in whole Wh.

What comes in is what goes out, in every interval: produced + imported + discharged = used + exported + charged.
"""

from collections.abc import Sequence
from typing import NamedTuple

RESERVE = 0.1
"""Share of the capacity that is never discharged."""
KEPT = 0.9
"""Share of what is charged that can be discharged again."""
POWER = 0.4
"""Most power, in W for each Wh of capacity."""


class Flows(NamedTuple):
    """The 96 quarter hours of a day of UTC: energies in Wh, and how full the battery is at the end of each (%)."""

    imported: Sequence[int]
    exported: Sequence[int]
    charged: Sequence[int]
    discharged: Sequence[int]
    percent: Sequence[int]


def flows(produced: Sequence[int], used: Sequence[int], capacity_wh: int, level: float) -> tuple[Flows, float]:
    """A day that begins with `level` Wh in the battery, and the level at its end.

    The battery takes what the roof has too much and gives what it has too little, as far as its power and level allow.
    """
    most = int(capacity_wh * POWER / 4)
    rows = []
    for made, drawn in zip(produced, used, strict=True):
        surplus = made - drawn
        charged = max(0, min(surplus, most, int((capacity_wh - level) / KEPT)))
        discharged = max(0, min(-surplus, most, int(level - RESERVE * capacity_wh)))
        level += KEPT * charged - discharged
        rest = surplus - charged + discharged
        percent = round(100 * level / capacity_wh) if capacity_wh else 0
        rows.append((max(0, -rest), max(0, rest), charged, discharged, percent))
    return Flows(*map(list, zip(*rows, strict=True))), level
