"""How long the application waits after a refusal for too many calls."""

import pytest

from ingest.core.backoff import LONGEST_PAUSE
from ingest.core.units import DAY, HOUR, MINUTE
from ingest.enphase.replies import Kind, Verdict
from ingest.plan.breaker import Breaker, after
from ingest.plan.quota import Plan

NOW = 1_782_864_000
"""2026-07-01 00:00 UTC."""
WATT = Plan(10, 1000)


def pause(period: str, ahead: int, throttles: int = 0) -> int:
    verdict = Verdict(Kind.THROTTLED, "too many", resume_at=NOW + ahead, period=period)
    return after(Breaker(throttles=throttles), verdict, WATT, NOW).paused_until - NOW


@pytest.mark.parametrize(
    ("period", "ahead", "waits"),
    [
        ("minute", 40, 41),
        ("minute", 300 * DAY, MINUTE),
        ("minute", 25 * DAY, MINUTE),
        ("month", 31 * DAY, 31 * DAY + 1),
        ("month", 32 * DAY, 32 * DAY + 1),
        ("month", 40 * DAY, HOUR),
        ("", 3 * HOUR, 3 * HOUR + 1),
        ("", 25 * DAY, MINUTE),
        ("minute", -5, MINUTE),
    ],
)
def test_a_date_is_believed_as_far_as_its_period_can_last(period: str, ahead: int, waits: int) -> None:
    assert pause(period, ahead) == waits


@pytest.mark.parametrize("period", ["minute", "month", ""])
def test_pauses_without_a_date_that_can_be_believed_grow_to_a_limit(period: str) -> None:
    waits = [pause(period, 300 * DAY, throttles) for throttles in range(12)]
    assert waits == sorted(waits)
    assert waits[0] < waits[2] < waits[-1] == LONGEST_PAUSE
