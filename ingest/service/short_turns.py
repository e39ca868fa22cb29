"""While the service runs, its threads take turns of a fraction of a millisecond.

One thread of Python computes at a time. Another, that has read from the disk, waits for its turn: 5 ms each time, as
Python has it. A tick reads and writes some dozens of times, so a report of thousands of systems, made beside it, would
have each tick last a quarter of a second.
"""

import contextlib
import sys
from collections.abc import Iterator

TURN_S = 0.0002


@contextlib.contextmanager
def short_turns() -> Iterator[None]:
    """While this lasts a thread that computes lets others on after `TURN_S`."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
