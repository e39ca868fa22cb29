"""One call to make, and why."""

from dataclasses import dataclass
from enum import StrEnum

from ingest.core.span import Span
from ingest.enphase.streams.base import Stream

LONGEST_NUMBER = 7
"""Digits of the number of a page."""


class Purpose(StrEnum):
    """Why a call is made; history has its own share of the month."""

    LIVE = "live"
    HISTORY = "history"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True)
class Task:
    """One call to make. `window` is empty for a snapshot; `cursor` is a page of a list: its number, and after a space
    the cloud's own name for it.

    `reach` is how far (s) the reply may be trusted, `hopes` says that a longer one is tried to learn whether the cloud
    honours it.
    """

    account: str
    system: str
    stream: Stream
    window: Span
    purpose: Purpose
    cursor: str = ""
    reach: int = 0
    hopes: bool = False

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

    def following(self, name: str) -> str:
        """The cursor of the page after this one, which the cloud calls `name`."""
        return f"{self.page + 1} {name}"
