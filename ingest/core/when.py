"""A moment in the past as a user writes it: a local day, an age, or `all`."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ingest.core.units import DAY, HOUR, MINUTE

UNITS = {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY, "y": 365 * DAY}
LONGEST = 100 * 365 * DAY


def day(value: object) -> date:
    """Read a date, `2025-01-31`."""
    try:
        result = datetime.strptime(str(value).strip(), "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise ValueError("is not a date; write it like 2025-01-31") from None
    if not 2000 <= result.year <= 2100:
        raise ValueError("is a date in which no system reports; write it like 2025-01-31")
    return result


@dataclass(frozen=True)
class When:
    """A moment in the past: a local day, an age in seconds, or (both None) all there is."""

    day: date | None = None
    age: int | None = None

    @classmethod
    def parse(cls, text: object) -> "When":
        """Read `2025-01-31`, `7d`, `2y` or `all`; ValueError says what is wrong."""
        word = text.strip() if isinstance(text, str) else ""
        if word == "all":
            return cls()
        match = re.fullmatch(r"(\d{1,6})([hdwy])", word, re.ASCII)
        if match and int(match[1]) * UNITS[match[2]] <= LONGEST:
            return cls(age=int(match[1]) * UNITS[match[2]])
        try:
            return cls(day=day(word))
        except ValueError:
            raise ValueError("is not a date (2025-01-31), an age (7d, 2y) or all") from None

    def at(self, now: int, zone: str) -> int:
        """Return the moment in epoch seconds: the local midnight that begins the day; 0 for all."""
        if self.day is not None:
            return int(datetime(self.day.year, self.day.month, self.day.day, tzinfo=ZoneInfo(zone)).timestamp())
        return 0 if self.age is None else max(0, now - self.age)

    def __str__(self) -> str:
        if self.day is not None:
            return self.day.isoformat()
        return "all" if self.age is None else f"{self.age // DAY}d" if self.age % DAY == 0 else f"{self.age // HOUR}h"
