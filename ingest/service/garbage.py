"""Memory: what threads free is given back, and looking for garbage holds nothing up.

glibc keeps what is freed for each thread apart, and large blocks after the first one. Python's full search for cycles
looks at everything that is remembered, with all threads waiting: a fifth of a second where that is 5,000 systems.
"""

import contextlib
import ctypes
import gc
from collections.abc import Iterator

ARENAS, MMAP_THRESHOLD = -8, -3
"""`M_ARENA_MAX` and `M_MMAP_THRESHOLD` of mallopt(3)."""
LARGE = 128 * 1024
"""Bytes: a block of this size, as that of a reply, has a mapping of its own, which ends with it."""
SELDOM = 1_000_000
"""How many searches of the second generation come before a full one by itself."""


def be_frugal() -> None:
    """Before the first thread: one arena for all, and large blocks by themselves. Does nothing without glibc."""
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(ARENAS, 1)
        libc.mallopt(MMAP_THRESHOLD, LARGE)


@contextlib.contextmanager
def seldom_searched() -> Iterator[None]:
    """While this lasts no full search for cycles is made but by `gc.collect`: the program makes next to none that live
    long enough to need it.
    """
    before = gc.get_threshold()
    gc.set_threshold(*before[:2], SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def search_all() -> None:
    """Search for cycles in everything, also in what was left out so far; other threads wait."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
