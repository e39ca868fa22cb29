"""What threads free is given back: glibc keeps it for each of them apart, and large blocks after the first one."""

import contextlib
import ctypes

ARENAS, MMAP_THRESHOLD = -8, -3
"""`M_ARENA_MAX` and `M_MMAP_THRESHOLD` of mallopt(3)."""
LARGE = 128 * 1024
"""Bytes: a block of this size, as that of a reply, has a mapping of its own, which ends with it."""


def be_frugal() -> None:
    """Before the first thread: one arena for all, and large blocks by themselves. Does nothing without glibc."""
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(ARENAS, 1)
        libc.mallopt(MMAP_THRESHOLD, LARGE)
