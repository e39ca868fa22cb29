"""What the page says of money."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from ingest.config import Settings
from ingest.core.days import date_at, midnight, month_start, zone
from ingest.core.units import DAY, HOUR, YEAR
from ingest.core.words import many
from ingest.report import SystemReport
from ingest.report.worth import Payback, Worth, payback, worth
from ingest.store import extents


class MoneyPart(NamedTuple):
    """The money of a system in its currency: of the day and the month so far and of the last year, and what has come
    back of its price since the local day (ISO) `began`. `reason` is why there is none, `partly` of how many of the
    month's days so far it is; empty where of all.
    """

    currency: str
    today: Worth
    month: Worth
    year: Worth
    payback: Payback | None
    reason: str
    partly: str
    began: str


def part(
    settings: Settings, db: sqlite3.Connection, shown: SystemReport, now: int, *, is_alone: bool
) -> MoneyPart | None:
    """The money of a system or home; None where no tariff is given for it. An amount invested in everything is that of
    the only one; what was invested in the systems of a home is that of the home.
    """
    system, contract = shown.system, settings.contract(shown.system)
    if not contract:
        return None
    local = zone(shown.timezone)
    today = date_at(now, local)
    spans = (midnight(today, local), midnight(month_start(today), local), now - YEAR)
    sums = [worth(db, system, begin, now + DAY) for begin in spans]
    parts = sum(settings.invested.get(member, 0.0) for member in shown.members)
    invested = settings.invested.get(system) or parts or (settings.invested.get("all") if is_alone else None)
    back = payback(db, system, invested, now) if invested else None
    return MoneyPart(
        contract[-1].currency,
        sums[0],
        sums[1],
        sums[2],
        back,
        "" if sums[2].hours else reason(db, system, shown.members or (system,)),
        days_known(sums[1], today.day, now - spans[0]),
        date_at(back.since, local).isoformat() if back else "",
    )


def days_known(month: Worth, day: int, today_s: int) -> str:
    """Of how many of a month's days so far the money is; empty where less than one is missing."""
    missing = (day - 1) * 24 + today_s / HOUR - month.hours
    return "" if missing < 24 else f"{max(0, day - int(missing / 24))} of {many(day, 'day')}"


def reason(db: sqlite3.Connection, system: str, metered: Sequence[str]) -> str:
    """Why there is no money although there are tariffs; `metered` are the systems whose meters count."""
    if extents.extent(db, "energy", system) is None:
        return "It is computed with the first energy that is read."
    if all(extents.extent(db, name, member) is None for name in ("consumption", "grid") for member in metered):
        return "No meter of this system measures its consumption or the grid, so nothing can be priced."
    return "No tariff was in force while something was measured."
