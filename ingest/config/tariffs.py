"""What electricity costs: the section `tariffs` of the configuration."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from ingest.config import values
from ingest.config.models import Section
from ingest.core import when
from ingest.core.tariff import DAY_NAMES, EVERY_YEAR, HOLIDAY, Rate, Season, Tariff
from ingest.core.units import DAY, MINUTE

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LAST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MAX_ID = 10**12
"""No number of a system is larger."""
STEP = 15
"""Prices change at full quarters of an hour: those are the intervals of `energy`."""


def _days(value: object) -> frozenset[str]:
    """Read `mon-fri`, `sat, sun, holiday`."""
    if isinstance(value, frozenset):
        return value
    found: set[str] = set()
    for part in _parts(value):
        first, _, last = (word.strip() for word in part.partition("-"))
        if first == HOLIDAY and not last:
            found.add(HOLIDAY)
        elif first in DAY_NAMES and (last or first) in DAY_NAMES:
            begin, end = DAY_NAMES.index(first), DAY_NAMES.index(last or first)
            found |= {DAY_NAMES[index % 7] for index in range(begin, end + (7 if end < begin else 0) + 1)}
        else:
            raise ValueError("are not days; write them like mon-fri, or sat, sun, holiday")
    return frozenset(found)


def _parts(value: object) -> list[str]:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return [part.strip().lower() for part in text.split(",")]


def _hours(value: object) -> tuple[tuple[int, int], ...]:
    """Read `07:00-21:00`, or several with commas between."""
    if isinstance(value, tuple):
        return value
    found = []
    for part in _parts(value):
        match = re.fullmatch(r"(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)", part, re.ASCII)
        begin, end = (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])) if match else (0, 0)
        if not match or begin == end or begin >= DAY // MINUTE or end > DAY // MINUTE or begin % STEP or end % STEP:
            raise ValueError("are not hours of the day by the quarter; write them like 07:00-21:00")
        found.append((begin, end))
    return tuple(found)


def _season(value: object) -> Season | None:
    """Read `jun-sep`, or `15 jun - 14 sep`."""
    if value is None or isinstance(value, tuple):
        return value
    match = re.fullmatch(r"(\d\d?\s+)?([a-z]{3})\s*-\s*(\d\d?\s+)?([a-z]{3})", str(value).strip().lower(), re.ASCII)
    if match is None or match[2] not in MONTHS or match[4] not in MONTHS:
        raise ValueError("is not a season; write it like jun-sep, or 15 jun - 14 sep")
    first, last = MONTHS.index(match[2]), MONTHS.index(match[4])
    begin, end = int(match[1] or 1), int(match[3] or LAST_DAYS[last])
    if not (1 <= begin <= LAST_DAYS[first] and 1 <= end <= LAST_DAYS[last]):
        raise ValueError("has a day that its month does not have")
    return (first + 1, begin), (last + 1, end)


def _holiday(value: object) -> tuple[int, int, int]:
    """Read `2026-04-03`, or `12-25` for every year."""
    if isinstance(value, tuple):
        return value
    text = str(value).strip()
    if re.fullmatch(r"\d\d?-\d\d?", text, re.ASCII):
        month, day = map(int, text.split("-"))
        if 1 <= month <= len(MONTHS) and 1 <= day <= LAST_DAYS[month - 1]:
            return EVERY_YEAR, month, day
        raise ValueError("is not a day of the year; write it like 12-25")
    found = when.day(text)
    return found.year, found.month, found.day


def _begin(value: object) -> datetime:
    """Read `2026-01-01`, or `2026-01-01 12:00`."""
    if isinstance(value, datetime):
        return value
    match = re.fullmatch(r"(\S+?)(?:[ T](\d\d?):(\d\d))?", str(value).strip(), re.ASCII)
    if match is None:
        raise ValueError("is not a date; write it like 2026-01-01, or 2026-01-01 12:00")
    found: date = when.day(match[1])
    hour, minute = int(match[2] or 0), int(match[3] or 0)
    if hour > 23 or minute > 59 or minute % STEP:
        raise ValueError("is not a time by the quarter of an hour; write it like 2026-01-01 12:00")
    return datetime(found.year, found.month, found.day, hour, minute)  # noqa: DTZ001 - of each system's own calendar


def _code(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", text.strip().upper(), re.ASCII):
        raise ValueError("is not a currency; write its three letters, such as EUR")
    return text.strip().upper()


def _rates(value: Any) -> Any:
    """One price alone is a list of one."""
    return [{"price": value}] if isinstance(value, str | int | float) else [value] if isinstance(value, dict) else value


TEXT = WithJsonSchema({"type": "string"})
WORDS = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
Price = Annotated[float, Field(allow_inf_nan=False), WithJsonSchema({"type": ["number", "string"]})]
Amount = Annotated[float, Field(allow_inf_nan=False, ge=0), WithJsonSchema({"type": ["number", "string"]})]


def _system_or_home(value: object) -> str:
    text = str(value).strip()
    if isinstance(value, bool | float) or not text or (text.isdigit() and not 1 <= int(text) <= MAX_ID):
        raise ValueError("is neither the number of a system nor the name of a home")
    return str(int(text)) if text.isdigit() else text


SystemOrHome = Annotated[str, BeforeValidator(_system_or_home), WithJsonSchema({"type": ["number", "string"]})]


class RateEntry(Section):
    """A price of a kWh, and when it holds; of a list the first that holds counts."""

    price: Price
    """Price of a kWh."""
    days: Annotated[frozenset[str], BeforeValidator(_days), WORDS] = frozenset()
    """Days of the week, such as mon-fri, or sat, sun, holiday. Default: all."""
    hours: Annotated[tuple[tuple[int, int], ...], BeforeValidator(_hours), WORDS] = ()
    """Local hours, such as 07:00-21:00. Default: all."""
    season: Annotated[Season | None, BeforeValidator(_season), TEXT] = None
    """Months or days of the year, such as jun-sep, or 15 jun - 14 sep. Default: all."""
    up_to: Amount | None = None
    """Only for so many kWh imported in a calendar month; what is more has the next price that holds."""

    @property
    def rate(self) -> Rate:
        """As the calculation wants it."""
        return Rate(self.price, self.days, self.hours, self.season, self.up_to)


def _complete(rates: tuple[RateEntry, ...]) -> tuple[RateEntry, ...]:
    if not rates or not rates[-1].rate.is_always:
        raise ValueError("must end with a price that holds always (without days, hours, season, up_to)")
    return rates


def _without_steps(rates: tuple[RateEntry, ...]) -> tuple[RateEntry, ...]:
    if any(rate.up_to is not None for rate in rates):
        raise ValueError("cannot have up_to: steps are for what is imported")
    return rates


RateList = Annotated[
    tuple[RateEntry, ...],
    BeforeValidator(_rates),
    AfterValidator(_complete),
]


class TariffEntry(Section):
    """What electricity costs from a day on."""

    begins: Annotated[datetime, BeforeValidator(_begin), TEXT] = Field(alias="from")
    """Day, or local day and time, from which on it holds; until the next one."""
    currency: Annotated[str, AfterValidator(_code)]
    """Three letters, such as EUR."""
    imports: RateList = Field(alias="import")
    """Price of a kWh from the grid: a number, or a list of prices with days, hours, season, up_to."""
    exports: Annotated[RateList, AfterValidator(_without_steps)] = Field(default=(), alias="export")
    """Price of a kWh to the grid, likewise."""
    standing: Amount = 0.0
    """Standing charge a day."""
    tax: values.Share = 0.0
    """Tax on import and standing charge that their prices do not include, such as 19%."""
    net: Annotated[bool, values.SWITCH] = False
    """Net metering: within a month export pays for import at the same price; the rest is worth the export price."""
    holidays: tuple[Annotated[tuple[int, int, int], BeforeValidator(_holiday), TEXT], ...] = ()
    """Days that count as Sunday and as holiday: 2026-04-03, or 12-25 for every year."""
    systems: tuple[SystemOrHome, ...] = ()
    """Numbers of the systems, or names of the homes, that it is for. Default: all homes, and systems that are in none,
    that no other tariff names.
    """

    @model_validator(mode="after")
    def _possible(self) -> "TariffEntry":
        if self.net and any(rate.up_to is not None for rate in self.imports):
            raise ValueError("cannot have both net and up_to: steps of what is netted are not supported")
        return self

    @property
    def tariff(self) -> Tariff:
        """As the calculation wants it."""
        return Tariff(
            self.begins,
            self.currency,
            tuple(entry.rate for entry in self.imports),
            tuple(entry.rate for entry in self.exports),
            self.standing,
            self.tax,
            self.net,
            frozenset(self.holidays),
        )


def contract(entries: tuple[TariffEntry, ...], system: str, *, is_part: bool = False) -> tuple[Tariff, ...]:
    """The tariffs of a system or home, the oldest first: those that name it, else those that name none. A system that
    is part of a home has only those that name it: what a house pays is not paid by each of its systems.
    """
    found = [entry for entry in entries if system in entry.systems]
    if not found and not is_part:
        found = [entry for entry in entries if not entry.systems]
    return tuple(sorted((entry.tariff for entry in found), key=lambda tariff: tariff.begins))


def _investments(value: Any) -> Any:
    """One amount alone is that of everything."""
    return {"all": value} if isinstance(value, str | int | float) else value


Invested = Annotated[
    Mapping[str, Amount],
    BeforeValidator(_investments),
]
