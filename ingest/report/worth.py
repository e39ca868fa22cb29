"""What energy was worth: sums of the archive's money, and how much of the plant's price has come back."""

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from ingest.core.money import MONEY
from ingest.core.units import DAY, HOUR, YEAR
from ingest.store import archive, extents

MIN_DAYS = 30
"""From fewer days nothing is said of years."""


class Worth(NamedTuple):
    """Money of a span of time, in the currency of the tariffs; None where nothing is known. `hours` are those known."""

    cost: float | None
    earned: float | None
    saved: float | None
    hours: float

    @property
    def without(self) -> float | None:
        """What it would have cost without the sun."""
        return None if self.cost is None or self.saved is None else self.cost + self.saved

    @property
    def brought(self) -> float | None:
        """What the plant has brought."""
        known = [value for value in (self.earned, self.saved) if value is not None]
        return sum(known) if known else None


class Payback(NamedTuple):
    """How much of `invested` has come back since `since` (epoch s), what a year brings at the pace of the last one, and
    the years that are still missing. None where too little is known.
    """

    invested: float
    returned: float
    since: int
    a_year: float | None
    years_left: float | None


def worth(db: sqlite3.Connection, system: str, begin: int, end: int) -> Worth:
    """Money of whole local days, `begin <= midnight < end`; of the running one as far as it is known."""
    held = {name: archive.numbers(db, "money_daily", system, name, begin, end) for name in (*MONEY, "hours")}
    cost, earned, saved = (_sum(held[name]) for name in MONEY)
    return Worth(cost, earned, saved, sum(held["hours"].values()))


def _sum(values: Mapping[int, float]) -> float | None:
    return sum(values.values()) if values else None


def payback(db: sqlite3.Connection, system: str, invested: float, now: int) -> Payback | None:
    """How far the plant has paid for itself; None before there is any money."""
    extent = extents.extent(db, "money_daily", system)
    if extent is None:
        return None
    brought = worth(db, system, 0, now).brought or 0.0
    last = worth(db, system, now - YEAR, now)
    known = last.hours * HOUR
    a_year = (last.brought or 0.0) * YEAR / known if known >= MIN_DAYS * DAY else None
    left = max(0.0, invested - brought) / a_year if a_year and a_year > 0 else None
    return Payback(invested, brought, extent[0], a_year, left)
