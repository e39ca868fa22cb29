"""Contracts with a supplier of electricity: what a kilowatt-hour costs at a moment of the system's own calendar."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY = "holiday"
EVERY_YEAR = 0
"""The year of a holiday that comes each year."""

Season = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last (month, day); the first may be the later one, for a winter."""


@dataclass(frozen=True)
class Rate:
    """A price of a kWh and when it holds. What is empty or None restricts nothing.

    `days` are words of `DAY_NAMES` and `HOLIDAY`; `hours` are pairs of minutes after local midnight, of which the first
    may be the later one; `up_to` is the use (kWh) of a calendar month that this price is for.
    """

    price: float
    days: frozenset[str] = frozenset()
    hours: tuple[tuple[int, int], ...] = ()
    season: Season | None = None
    up_to: float | None = None

    @property
    def is_always(self) -> bool:
        """Whether it holds at any time and for any use."""
        return not self.days and not self.hours and self.season is None and self.up_to is None

    def holds(self, local: datetime, days: Collection[str]) -> bool:
        """Whether it is the price at a local time of a day that is called by the words `days`."""
        minute = local.hour * 60 + local.minute
        return (
            (not self.days or not self.days.isdisjoint(days))
            and (not self.hours or any(_within(minute, *part) for part in self.hours))
            and (self.season is None or _within(_of_year(local.month, local.day), *_span(self.season)))
        )


def _of_year(month: int, day: int) -> int:
    return 100 * month + day


def _span(season: Season) -> tuple[int, int]:
    first, last = season
    return _of_year(*first), _of_year(*last) + 1


def _within(at: int, first: int, end: int) -> bool:
    return first <= at < end if first < end else at >= first or at < end


@dataclass(frozen=True)
class Tariff:
    """What holds from a local time on, until the next one.

    Of the rates of `imports` and `exports` the first that holds is the price. `standing` is for a day; `tax` (a share)
    is on top of it and of `imports`. With `is_net`, what is exported pays for what is imported at the same price
    within the calendar month, and only what is left over is worth the price of `exports`. A holiday (year, month, day)
    counts as a Sunday.
    """

    begins: datetime
    currency: str
    imports: tuple[Rate, ...]
    exports: tuple[Rate, ...] = ()
    standing: float = 0.0
    tax: float = 0.0
    is_net: bool = False
    holidays: frozenset[tuple[int, int, int]] = frozenset()

    @property
    def is_monthly(self) -> bool:
        """Whether the worth of an interval depends on the month before it."""
        return self.is_net or any(rate.up_to is not None for rate in self.imports)

    def words_of(self, day: date) -> frozenset[str]:
        """What a day is called in the rates."""
        dates = {(year, day.month, day.day) for year in (EVERY_YEAR, day.year)}
        return frozenset({"sun", HOLIDAY} if self.holidays & dates else {DAY_NAMES[day.weekday()]})

    def rates(self, local: datetime) -> tuple[list[Rate], float]:
        """The rates of import that hold at a local time, for growing use; and the price of export."""
        days = self.words_of(local.date())
        exported = next((rate.price for rate in self.exports if rate.holds(local, days)), 0.0)
        return [rate for rate in self.imports if rate.holds(local, days)], exported


Contract = Sequence[Tariff]
"""The tariffs of a system, the oldest first."""


def starts(contract: Contract, zone: tzinfo) -> list[int]:
    """When each tariff begins in a zone, in epoch seconds."""
    return [int(tariff.begins.replace(tzinfo=zone).timestamp()) for tariff in contract]
