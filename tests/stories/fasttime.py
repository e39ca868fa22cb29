"""A clock that several processes share: it runs fast, and leaps when it is told to. Kept in a small file."""

import mmap
import struct
import time
from pathlib import Path
from typing import Self

_LAYOUT = struct.Struct("4d")


class FastTime:
    """Epoch seconds that pass `speed` times as fast as real ones, counted by the system's monotonic clock."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _LAYOUT.size)

    @classmethod
    def make(cls, path: Path, start: float, speed: float) -> Self:
        """A new clock that shows `start` now."""
        path.write_bytes(_LAYOUT.pack(start, time.monotonic(), speed, 0.0))
        return cls(path)

    def now(self) -> float:
        """The time in epoch seconds."""
        start, origin, speed, leapt = _LAYOUT.unpack(self._memory[:])
        return float(start + (time.monotonic() - origin) * speed + leapt)

    def leap(self, seconds: float) -> None:
        """Let time pass at once, as it does for a machine that is off."""
        start, origin, speed, leapt = _LAYOUT.unpack(self._memory[:])
        self._memory[:] = _LAYOUT.pack(start, origin, speed, leapt + seconds)

    def sleep(self, seconds: float) -> None:
        """Wait for seconds of this clock."""
        time.sleep(seconds / _LAYOUT.unpack(self._memory[:])[2])
