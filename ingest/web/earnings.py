"""What the page says of money."""

import sqlite3
from typing import NamedTuple

from ingest.config import Settings
from ingest.core.days import date_at, midnight, month_start, zone
from ingest.core.units import DAY
from ingest.report import SystemReport
from ingest.report.worth import Payback, Worth, payback, worth
from ingest.store import archive

YEAR = 365 * DAY


class MoneyPart(NamedTuple):
    """The money of a system in its currency: of the day and the month so far and of the last year, and what has come
    back of its price. `reason` is why there is none.
    """

    currency: str
    today: Worth
    month: Worth
    year: Worth
    payback: Payback | None
    reason: str


def part(
    settings: Settings, db: sqlite3.Connection, shown: SystemReport, now: int, *, is_alone: bool
) -> MoneyPart | None:
    """The money of a system; None where no tariff is given for it. An amount invested in everything is that of the
    only system.
    """
    system, contract = shown.system, settings.contract(shown.system)
    if not contract:
        return None
    place = zone(shown.timezone)
    today = date_at(now, place)
    spans = (midnight(today, place), midnight(month_start(today), place), now - YEAR)
    sums = [worth(db, system, begin, now + DAY) for begin in spans]
    invested = settings.invested.get(system) or (settings.invested.get("all") if is_alone else None)
    back = payback(db, system, invested, now) if invested else None
    return MoneyPart(
        contract[-1].currency, sums[0], sums[1], sums[2], back, "" if sums[2].hours else reason(db, system)
    )


def reason(db: sqlite3.Connection, system: str) -> str:
    """Why there is no money although there are tariffs."""
    if archive.extent(db, "energy", system) is None:
        return "It is computed with the first energy that is read."
    if archive.extent(db, "consumption", system) is None and archive.extent(db, "grid", system) is None:
        return "No meter of this system measures its consumption or the grid, so nothing can be priced."
    return "No tariff was in force while something was measured."
