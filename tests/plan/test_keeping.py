"""Which intervals may leave: whole months of the system's own calendar, old enough, of streams that are wholly read."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.core.days import date_at, midnight
from ingest.core.span import Span, Spans
from ingest.core.units import DAY, HOUR, YEAR
from ingest.enphase.streams import BY_NAME
from ingest.plan.coverage import Advance
from ingest.plan.keeping import YOUNG, is_read, next_cut
from ingest.plan.state import Deferral
from tests.works import a_work

NOW = int(datetime(2026, 11, 20, 12, tzinfo=ZoneInfo("UTC")).timestamp())
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati", "Pacific/Niue", "Asia/Kathmandu")
LOOK_AGAIN, SETTLE = 4 * DAY, 6 * HOUR
FLOOR = NOW - 600 * DAY
WHOLE = (Span(FLOOR, NOW),)
UNTIL = NOW - 400 * DAY


def local(text: str, zone: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


@pytest.mark.parametrize(
    ("zone", "oldest", "day"),
    [
        ("UTC", "2024-03-01T00:00", "2024-04-01"),
        ("UTC", "2024-03-28T23:45", "2024-04-01"),
        ("UTC", "2024-03-30T00:00", "2024-05-01"),  # the last two days stay with the month that follows
        ("America/Los_Angeles", "2024-10-10T00:00", "2024-11-01"),
        ("Europe/Berlin", "2025-10-01T00:00", "2025-11-01"),
        ("Europe/Berlin", "2025-10-30T00:00", None),
    ],
)
def test_a_month_ends_at_the_midnights_of_the_system(zone: str, oldest: str, day: str | None) -> None:
    cut = next_cut(local(oldest, zone), NOW, YEAR, ZoneInfo(zone))
    if day is None:
        assert cut is None
        return
    assert cut
    assert cut.day == day
    assert cut.fixed == local(f"{day}T00:00", zone)
    assert date_at(cut.until, ZoneInfo(zone)).day in (28, 29, 30)
    assert midnight(date_at(cut.until, ZoneInfo(zone)), ZoneInfo(zone)) == cut.until


@given(st.integers(NOW - 3000 * DAY, NOW), st.integers(NOW - 900 * DAY, NOW), st.sampled_from(ZONES))
def test_what_leaves_is_older_than_is_kept_and_never_nothing(oldest: int, known_to: int, zone: str) -> None:
    cut = next_cut(oldest, known_to, YEAR, ZoneInfo(zone))
    if cut:
        assert oldest < cut.until < cut.fixed <= known_to - YEAR
        for other in ZONES:
            first = midnight(datetime.fromisoformat(cut.day).date(), ZoneInfo(other))
            assert cut.until <= first, "days from the first on can be cut in any zone"
    elif oldest < known_to - YEAR:
        assert oldest >= known_to - YEAR - 34 * DAY


@pytest.mark.parametrize(
    ("read", "result"),
    [
        ({LOOK_AGAIN: WHOLE}, True),
        ({2 * LOOK_AGAIN: WHOLE}, True),
        ({SETTLE: WHOLE}, False),  # it was young when it was read
        ({}, False),
        ({LOOK_AGAIN: (Span(FLOOR + DAY, NOW),)}, False),
        ({LOOK_AGAIN: (Span(FLOOR, UNTIL - DAY), Span(UNTIL - HOUR, NOW))}, False),
        ({LOOK_AGAIN: (Span(FLOOR, UNTIL + DAY), Span(UNTIL + 2 * DAY, NOW))}, False),  # history all the same
        ({LOOK_AGAIN: (Span(FLOOR, NOW - YOUNG),)}, True),  # what is young is read in its turn
    ],
)
def test_history_is_read_where_nothing_of_it_is_owed(read: Mapping[int, Spans], result: bool) -> None:  # noqa: FBT001
    work = a_work(BY_NAME["stats"], floor=FLOOR, read=read, log=(Advance(0, NOW),))
    assert is_read([work], UNTIL, NOW, LOOK_AGAIN) is result
    lower = a_work(BY_NAME["stats"], floor=FLOOR - DAY, read=read, log=(Advance(0, NOW),))
    assert not is_read([lower], UNTIL, NOW, LOOK_AGAIN), "a backfill that has begun keeps it"
    snapshot = a_work(BY_NAME["production_meter_readings"], floor=0)
    assert is_read([snapshot, work], UNTIL, NOW, LOOK_AGAIN) is result


def test_what_was_refused_keeps_it_and_what_is_served_no_more_does_not() -> None:
    hole = Span(UNTIL - DAY, UNTIL)
    read = {LOOK_AGAIN: (Span(FLOOR, hole.start), Span(hole.end, NOW))}
    refused = (Deferral(hole, NOW + DAY, 5, "no"),)
    work = a_work(BY_NAME["stats"], floor=FLOOR, read=read, deferred=refused, log=(Advance(0, NOW),))
    assert not is_read([work], UNTIL, NOW, LOOK_AGAIN)
    old = a_work(BY_NAME["stats"], floor=NOW - 900 * DAY, read={LOOK_AGAIN: (Span(NOW - 730 * DAY, NOW),)})
    assert is_read([old], UNTIL, NOW, LOOK_AGAIN), "two years are served"
    sold = a_work(BY_NAME["stats"], floor=FLOOR, read={LOOK_AGAIN: (Span(FLOOR, UNTIL),)}, until=UNTIL)
    assert is_read([sold], UNTIL, NOW, LOOK_AGAIN)
