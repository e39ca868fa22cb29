"""Pauses that double after each failure in a row, and lots that spread what would fall together."""

from hashlib import blake2b

from ingest.core.units import HOUR

LONGEST_PAUSE = 6 * HOUR
"""No pause of a stream, of a silent system or of the whole application is longer, but where it says so."""


def backoff(first: int, longest: int, failures: int) -> int:
    """The pause (s) after a number of failures in a row: `first`, doubled for each further one, at most `longest`."""
    return min(longest, first << min(failures - 1, 30)) if failures > 0 else 0


def lot(text: str) -> float:
    """A number from 0 to 1 that is always the same for a text, and even over texts that are alike."""
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big") / 2**32
