"""The cloud's time: the wall clock, corrected by the cloud's `Date` header and steady through jumps.

A Raspberry Pi has no clock of its own and may start in the wrong year; quotas, windows and trust are the cloud's.
"""

import threading
import time
from collections.abc import Callable

TOLERANCE_S = 60
"""Smaller differences are left alone: a `Date` header has whole seconds and spends time on the way."""


def _steady() -> float:
    """Seconds that never jump; where the system can say it, they go on while the machine sleeps."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Clock:
    """Epoch seconds. Safe to use from several threads; `sleep` waits for seconds.

    `corrections` counts how often the cloud's time was taken over the wall clock's.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = _steady,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.sleep = sleep
        self._wall, self._steady = wall, steady
        self._guard = threading.Lock()
        self._offset, self._lift = 0.0, 0.0
        self._doubt: int | None = None
        self._seen = wall() - steady()
        self.corrections = 0
        self.is_confirmed = False
        """Whether the cloud has said since the start what time it is."""

    def now(self) -> int:
        """The moment in epoch seconds; goes on evenly when the wall clock jumps."""
        return int(self._exactly())

    def until(self, at: int) -> float:
        """Seconds until a moment; 0 where it has passed."""
        return max(0.0, at - self._exactly())

    def _exactly(self) -> float:
        with self._guard:
            drift = self._wall() - self._steady()
            if abs(drift - self._seen) > TOLERANCE_S:
                self._offset -= drift - self._seen
            self._seen = drift
            return self._wall() + self._offset + self._lift

    def not_before(self, at: int | None) -> None:
        """Begin no earlier than a moment that is known to have passed, until the cloud says what time it is.

        A machine without a clock of its own begins where it was switched off, or years before.
        """
        ahead = 0 if at is None else at - self.now()
        with self._guard:
            self._lift += max(0, ahead)

    def observe(self, date_at: int | None) -> None:
        """Take the cloud's own time from a reply, once the reply after it says the same: one `Date` may be wrong."""
        if date_at is None:
            return
        difference = date_at - self.now()
        with self._guard:
            if abs(difference) <= TOLERANCE_S:
                self._doubt, self.is_confirmed = None, True
                self._offset, self._lift = self._offset + self._lift, 0.0
            elif self._doubt is None or abs(difference - self._doubt) > TOLERANCE_S:
                self._doubt = difference
            else:
                self._doubt, self.is_confirmed = None, True
                self._offset, self._lift = self._offset + self._lift + difference, 0.0
                self.corrections += 1

    @property
    def wrong_by(self) -> int:
        """Seconds by which the wall clock is ahead of the cloud (negative: behind); 0 while within tolerance."""
        with self._guard:
            ahead = int(-self._offset)
        return ahead if abs(ahead) > TOLERANCE_S else 0
