"""One call to make, and why."""

from dataclasses import dataclass
from enum import StrEnum

from ingest.core.span import Span
from ingest.enphase.streams.base import Stream


class Purpose(StrEnum):
    """Why a call is made; history has its own share of the month."""

    LIVE = "live"
    HISTORY = "history"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True)
class Task:
    """One call to make. `window` is empty for a snapshot; `cursor` names a page of a list.

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
