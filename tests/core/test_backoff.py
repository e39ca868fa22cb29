"""Pauses that grow with the failures in a row."""

import pytest

from ingest.core.backoff import backoff


@pytest.mark.parametrize(
    ("failures", "pause"), [(-1, 0), (0, 0), (1, 60), (2, 120), (4, 480), (6, 1800), (10**9, 1800)]
)
def test_a_pause_doubles_up_to_the_longest(failures: int, pause: int) -> None:
    assert backoff(60, 1800, failures) == pause
