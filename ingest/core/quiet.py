"""Quiet hours of the day, in which no message is sent."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo


@dataclass(frozen=True)
class Quiet:
    """From and to in minutes after local midnight; `begin` after `end` spans midnight."""

    begin: int
    end: int

    @classmethod
    def parse(cls, value: object) -> "Quiet":
        """Read `22:00-07:00`; ValueError says what is wrong."""
        if isinstance(value, Quiet):
            return value
        match = re.fullmatch(r"(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)", str(value).strip(), re.ASCII)
        hours = tuple(map(int, match.groups())) if match else (24, 0, 24, 0)
        begin, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
        if max(hours[0], hours[2]) > 23 or max(hours[1], hours[3]) > 59 or begin == end:
            raise ValueError("are not hours of the day; write them like 22:00-07:00")
        return cls(begin, end)

    def holds(self, at: int, zone: tzinfo) -> bool:
        """Whether it is quiet at a moment (epoch seconds) in a zone."""
        local = datetime.fromtimestamp(at, UTC).astimezone(zone)
        minute = local.hour * 60 + local.minute
        if self.begin < self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end
