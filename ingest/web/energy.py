"""Energy by the day, month or year, as bars and as a table: of what the range needs, and no more."""

import sqlite3
from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from ingest.core.days import ONE, LocalDay, date_at, days_between, zone
from ingest.core.derive import QUANTITIES, grid_exchange_of_day
from ingest.core.units import NOON
from ingest.report.quarters import Flows, of_span
from ingest.store import archive, extents
from ingest.web.view import View

KEY = {"year": 7, "all": 4}
"""Letters of an ISO day that name a month, and a year."""


class Bar(NamedTuple):
    """The energies (Wh) of a day (2026-11-05), a month or a year; what is not known is not there.

    Of the `ended` days, `known` says how many each energy is the sum of; `running` says that it has not ended.
    `brought` is what was earned and saved.
    """

    key: str
    flows: Flows
    known: Mapping[str, int]
    ended: int
    running: bool
    brought: float | None

    @property
    def note(self) -> str:
        """Of how many days it is, where some are not known: "29 of 31 days", or which energies that is true of."""
        fewest = min(self.known.values(), default=0)
        if fewest >= self.ended or self.ended < 2:
            return ""
        words = f"{fewest} of {self.ended} days"
        if set(self.known.values()) <= {fewest}:
            return words
        names = [name.removesuffix("_wh").replace("_", "-") for name, days in self.known.items() if days == fewest]
        return f"{', '.join(names)}: {words}"


def bars(db: sqlite3.Connection, timezone: str, view: View, now: int) -> list[Bar]:
    """The bars of a view, the oldest first; the running day is among them as far as it is known."""
    local = zone(timezone)
    begin, end = view.period()
    end = min(end, view.today + ONE)
    if begin == date.min:
        extent = extents.extent(db, "energy_daily", view.system)
        begin = min(date_at(extent[0] + NOON, local), view.today) if extent else view.today
    days = list(days_between(begin, (end - begin).days, local))
    daily = _daily(db, view.system, days)
    if days[-1].date == view.today:
        daily[days[-1].start] = of_span(db, view.system, days[-1].start, now)
    brought = _brought(db, view.system, days)
    groups: dict[str, list[LocalDay]] = {}
    for day in days:
        groups.setdefault(day.date.isoformat()[: KEY.get(view.range)], []).append(day)
    return [_bar(key, members, daily, brought, view.today) for key, members in groups.items()]


def _daily(db: sqlite3.Connection, system: str, days: list[LocalDay]) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = {}
    for name in QUANTITIES:
        for at, value in archive.numbers(db, "energy_daily", system, name, *_rows_of(days)).items():
            found.setdefault(_begin(at, days), {})[name] = value
    for row in found.values():
        row.update(grid_exchange_of_day(row))
    return found


def _brought(db: sqlite3.Connection, system: str, days: list[LocalDay]) -> dict[int, float]:
    sums: dict[int, float] = {}
    for name in ("earned", "saved"):
        for at, value in archive.numbers(db, "money_daily", system, name, *_rows_of(days)).items():
            day = _begin(at, days)
            sums[day] = sums.get(day, 0.0) + value
    return sums


def _rows_of(days: list[LocalDay]) -> tuple[int, int]:
    """Between which times the rows of some days are. A row is of the day in which it has its noon: it begins with that
    day, but where days were cut in another zone and stayed so, since their intervals have left the archive.
    """
    return days[0].start - NOON, days[-1].end - NOON


def _begin(at: int, days: list[LocalDay]) -> int:
    """When the day begins that a row is of."""
    return days[bisect_right(days, at + NOON, key=lambda day: day.start) - 1].start


def _bar(
    key: str, days: list[LocalDay], daily: dict[int, dict[str, float]], brought: dict[int, float], today: date
) -> Bar:
    rows = [daily[day.start] for day in days if day.start in daily]
    flows = {
        name: sum(row[name] for row in rows if name in row) for name in QUANTITIES if any(name in row for row in rows)
    }
    ended = [day for day in days if day.date < today]
    names = [name for name in QUANTITIES if name in flows or name == "produced_wh"]
    known = {name: sum(name in daily.get(day.start, {}) for day in ended) for name in names}
    money = [brought[day.start] for day in days if day.start in brought]
    return Bar(key, flows, known, len(ended), len(ended) < len(days), sum(money) if money else None)
