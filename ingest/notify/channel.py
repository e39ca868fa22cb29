"""The way to one receiver: a delivery at a time, in a thread that nobody waits for.

A receiver that is slow, drips or never ends holds up this thread alone; after `PATIENCE_S` that is told as its error.
"""

import logging
import threading
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

from ingest.core.units import MINUTE
from ingest.logs import TELLING, event

log = logging.getLogger(__name__)

PATIENCE_S = 2 * MINUTE
SLOW = "it does not answer in time"


class Delivered(NamedTuple):
    """What came of a delivery: to whom, what, and the error in words, empty where it arrived."""

    receiver: str
    load: Any
    error: str


class Channel:
    """`deliver` brings a load to the receiver and returns the error in words; `done` is called in its thread."""

    def __init__(self, receiver: str, deliver: Callable[[Any], str], done: Callable[[Delivered], None]) -> None:
        self.receiver = receiver
        self._deliver, self._done = deliver, done
        self._thread: threading.Thread | None = None
        self._began = 0

    @property
    def is_busy(self) -> bool:
        """Whether a delivery is on its way."""
        return self._thread is not None and self._thread.is_alive()

    def is_overdue(self, now: int) -> bool:
        """Whether the delivery on its way takes longer than an honest receiver would."""
        return self.is_busy and now - self._began >= PATIENCE_S

    def offer(self, load: Any, now: int) -> bool:
        """Begin to deliver; False where the last delivery has not ended."""
        if self.is_busy:
            return False
        self._began = now
        self._thread = threading.Thread(target=self._run, args=(load,), name=TELLING + self.receiver, daemon=True)
        self._thread.start()
        return True

    def join(self, seconds: float) -> None:
        """Wait for the delivery on its way, but no longer than `seconds`."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, load: Any) -> None:
        try:
            error = self._deliver(load)
        except Exception as failure:  # of a library that knows the address: its words may hold it
            frame = traceback.extract_tb(failure.__traceback__)[-1]
            where = f"{frame.filename}:{frame.lineno}"
            event(log, logging.ERROR, "notify_failed", kind=type(failure).__name__, where=where)
            error = "the program failed; see its log"
        self._done(Delivered(self.receiver, load, error))
