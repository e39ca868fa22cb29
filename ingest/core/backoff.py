"""Pauses that double after each failure in a row."""


def backoff(first: int, longest: int, failures: int) -> int:
    """The pause (s) after so many failures in a row: `first`, doubled for each further one, at most `longest`."""
    return min(longest, first << min(failures - 1, 30)) if failures > 0 else 0
