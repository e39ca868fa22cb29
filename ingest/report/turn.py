"""Reports are made one at a time, and Python's search for cycles leaves them out.

A report of thousands of systems needs hundreds of thousands of objects, and long tables of them. The search looks at
all that is new as often as some hundred objects more are there, in whichever thread makes the last of these: as a rule
in the middle of a tick. A report has no cycles, and goes when nobody refers to it any more.
"""

import contextlib
import gc
import threading
from collections.abc import Iterator

_TURN = threading.Lock()


@contextlib.contextmanager
def turn() -> Iterator[None]:
    """Within, what planning knows is copied and a report is made of it. Cycles that other threads leave meanwhile stay
    until everything is searched, once a day.
    """
    with _TURN:  # two at once would take memory twice
        gc.collect(1)  # garbage of before would be left out with the rest
        gc.disable()
        try:
            yield
        finally:
            gc.freeze()
            gc.enable()
