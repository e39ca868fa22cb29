"""What the address of the page says: system, day, range; and the addresses of what lies around it."""

import re
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple
from urllib.parse import urlencode

from ingest.core import when
from ingest.core.days import ONE, month_start, next_month_start
from ingest.web import calendar

RANGES = {"30d": "30 days", "month": "Month", "year": "Year", "all": "All"}
"""What the bars show: days, days, months, years."""
CURVES = {1: "Day", 3: "3 days", 7: "7 days", 30: "30 days"}
"""Days of the curve."""


class View(NamedTuple):
    """A system, the day that is looked at, the days of the curve that end with it, the range of the bars, and the weeks
    of the calendar (0: as many as there is history, a quarter at most).
    """

    system: str
    today: date
    day: date
    days: int
    range: str
    weeks: int

    @property
    def is_now(self) -> bool:
        """Whether the running day is looked at."""
        return self.day == self.today

    def address(self, **changes: object) -> str:
        """The address of this view, or of one that differs in some parts; what is the default stays out of it."""
        there = self._replace(**changes)  # type: ignore[arg-type]
        there = there._replace(day=min(there.day, there.today))
        parts = {"system": there.system}
        if there.day != there.today:
            parts["day"] = there.day.isoformat()
        if there.days != default_days(there.day, there.today):
            parts["days"] = str(there.days)
        if there.range != "30d":
            parts["range"] = there.range
        if there.weeks:
            parts["weeks"] = str(there.weeks)
        return f"/?{urlencode(parts)}"

    def of_day(self, day: date) -> str:
        """The address of a day and its curve."""
        return self.address(day=day, days=default_days(day, self.today) if day == self.today else 1)

    def of_bar(self, key: str) -> str:
        """The address of what a bar stands for: a year (its months), a month (its days), a day (its curve)."""
        if len(key) == len("2026-11-05"):
            return self.of_day(date.fromisoformat(key))
        year, month = int(key[:4]), int(key[5:] or 1)
        inside = self.today.isoformat().startswith(key)
        first = self.today if inside else date(year, month, 1)
        span = "month" if len(key) == len("2026-11") else "year"
        return self.address(range=span, day=first, days=default_days(first, self.today))

    def step(self, count: int) -> date:
        """The day by which the curve moves on or back."""
        return self.day + count * self.days * ONE

    def period(self) -> tuple[date, date]:
        """The first day of the bars, and the day after the last; of `all` only the end."""
        if self.range == "month":
            return month_start(self.day), next_month_start(self.day)
        if self.range == "year":
            return date(self.day.year, 1, 1), date(self.day.year + 1, 1, 1)
        end = (self.today if self.today - self.day < 30 * ONE else self.day) + ONE
        return (date.min if self.range == "all" else end - 30 * ONE), end

    def turn(self, count: int) -> date | None:
        """A day of the next or last period of the bars; None where there is none."""
        begin, end = self.period()
        if self.range == "all":
            return None
        if count > 0:
            return None if end > self.today else min(self.today, end + 29 * ONE if self.range == "30d" else end)
        return begin - ONE if self.range == "30d" else month_start(begin - ONE)


def default_days(day: date, today: date) -> int:
    """Days of the curve where the address names none."""
    return 3 if day == today else 1


def view(args: Mapping[str, str], system: str, today: date) -> View:
    """The view of an address; what cannot be meant is taken as if it were not there."""
    day = _day(args.get("day", "")) or today
    day = min(day, today)
    days, weeks = (_number(args.get(name, "")) for name in ("days", "weeks"))
    span = args.get("range", "")
    return View(
        system,
        today,
        day,
        days if days in CURVES else default_days(day, today),
        span if span in RANGES else "30d",
        weeks if weeks in calendar.WEEKS else 0,
    )


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,3}", text, re.ASCII) else 0


def _day(text: str) -> date | None:
    try:
        return when.day(text)
    except ValueError:
        return None
