"""One call to make, and why."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from zlib import crc32

from ingest.core.span import Span
from ingest.enphase.streams.base import Stream

LONGEST_NUMBER = 7
"""Digits of the number of a page."""


class Purpose(StrEnum):
    """Why a call is made; history has its own share of the month."""

    LIVE = "live"
    HISTORY = "history"
    SNAPSHOT = "snapshot"


class Unfinished(NamedTuple):
    """A window that several calls read, of which some were made: the first at `begun_at` (epoch s). `missed` devices
    gave no answer that can be read; `among` stands for the list of all that are asked.
    """

    window: Span
    begun_at: int
    purpose: Purpose
    missed: int = 0
    among: int = 0


def unfinished(cursor: str) -> Unfinished | None:
    """The window that a cursor goes on with; None for that of a list without a window, and where it cannot be read."""
    words = cursor.split(" ")
    parts = words[1].split("-") if len(words) == 3 else []
    numbers = [*parts[:3], *parts[4:]]
    if len(parts) not in (4, 6) or parts[3] not in tuple(Purpose) or not all(part.isdecimal() for part in numbers):
        return None
    start, end, begun_at, *of_devices = map(int, numbers)
    return Unfinished(Span(start, end), begun_at, Purpose(parts[3]), *of_devices)


def _mark_of(name: str) -> str:
    return f"{crc32(name.encode()):x}"


@dataclass(frozen=True)
class Task:
    """One call to make. `window` is empty for a snapshot; `cursor` is a page of a list: its number, and after a space
    the cloud's own name for it, before which the window stands that it goes on with.

    `reach` is how far (s) the reply may be trusted, `is_trial` says that a longer one is tried to learn whether
    the cloud honours it. `devices` are the serial numbers of those that are asked one by one, `begun_at` (epoch s) when
    the first call for the same window was made; 0 where this is it. Of the devices before, `missed` gave no answer that
    can be read.
    """

    account: str
    system: str
    stream: Stream
    window: Span
    purpose: Purpose
    cursor: str = ""
    reach: int = 0
    is_trial: bool = False
    devices: tuple[str, ...] = ()
    begun_at: int = 0
    missed: int = 0

    @property
    def pair(self) -> tuple[str, str]:
        """The (system, stream) it belongs to: a pair in flight is not planned again."""
        return self.system, self.stream.name

    @property
    def page(self) -> int:
        """Which page of a list is asked for, from 1 on."""
        number = self.cursor.partition(" ")[0]
        return int(number) if number.isdecimal() and len(number) < LONGEST_NUMBER else 1

    @property
    def page_name(self) -> str:
        """The cloud's own name for the page; empty for the first."""
        return self.cursor.rpartition(" ")[2]

    @property
    def device(self) -> str:
        """The device that is asked, of those that are asked one by one; empty where all answer together."""
        return (self.page_name.partition("@")[0] or self.devices[0]) if self.devices else ""

    @property
    def next_device(self) -> str:
        """The one that is asked after it; empty after the last."""
        later = self.devices[self.devices.index(self.device) + 1 :] if self.device in self.devices else ()
        return later[0] if later else ""

    @property
    def among(self) -> int:
        """A number that stands for the list of devices: another list has another."""
        return crc32(" ".join(self.devices).encode())

    @property
    def _mark(self) -> str:
        """What stands for the name of one of the pages before, in the cursor of a list without a window."""
        words = self.cursor.split(" ")
        return words[1] if len(words) == 3 and not self.window.length and not self.devices else ""

    def was_asked(self, name: str) -> bool:
        """Whether a page of this name was asked for: the last one, or the one that is marked. A list that goes round in
        a circle comes to the marked page, for the mark moves at every doubling of the number.
        """
        return name == self.page_name or _mark_of(name) == self._mark

    def following(self, name: str) -> str:
        """The cursor of the page after this one, which the cloud calls `name`."""
        if self.missed:
            return self.going_on(name, 0, 0)
        page = self.page + 1
        if self.devices:
            return f"{page} {name}"
        mark = self._mark if page & (page - 1) else ""
        return f"{page} {mark or _mark_of(name)} {name}"

    def going_on(self, name: str, end: int, now: int) -> str:
        """The cursor of the next call for the same window, of which everything up to `end` was answered."""
        of_devices = f"-{self.missed}-{self.among}" if self.devices else ""
        return f"{self.page + 1} {self.window.start}-{end}-{self.begun_at or now}-{self.purpose}{of_devices} {name}"
