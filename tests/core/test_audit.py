"""Daily totals: whose days they are, which of them are known, and when a day is read again."""

from datetime import date, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.core.audit import (
    MAX_DOUBTS,
    MAX_TRIFLES,
    Total,
    dated,
    is_covered,
    judge,
    seen,
    tolerance,
    without_unknown,
)
from ingest.core.days import (
    LocalDay,
    date_at,
    days_between,
    days_of,
    midnight,
    month_start,
    next_month_start,
    zone,
)
from ingest.core.span import Span, union

HOUR = 3600
zones = st.sampled_from(
    ["US/Pacific", "Europe/Berlin", "Australia/Sydney", "Asia/Kathmandu", "America/Santiago", "Asia/Beirut", "UTC"]
).map(ZoneInfo)
dates = st.dates(date(2000, 1, 1), date(2040, 1, 1))
amounts = st.integers(0, 90_000).map(float)
DAYS = list(days_between(date(2026, 6, 1), 10, ZoneInfo("US/Pacific")))


def local_day(day: date, place: tzinfo) -> LocalDay:
    """A day from its two midnights."""
    return LocalDay(day, midnight(day, place), midnight(day + timedelta(1), place))


# ── local days ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        ("US/Pacific", date(2026, 11, 1), 25),
        ("US/Pacific", date(2026, 3, 8), 23),
        ("US/Pacific", date(2026, 7, 1), 24),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Asia/Beirut", date(2026, 3, 29), 23),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(name: str, day: date, hours: float) -> None:
    _, start, end = local_day(day, ZoneInfo(name))
    assert hours * HOUR == end - start


@given(dates, st.integers(1, 400), zones)
def test_days_follow_each_other_without_a_gap(first: date, count: int, place: ZoneInfo) -> None:
    days = list(days_between(first, count, place))
    assert [first + timedelta(days=index) for index in range(count)] == [day.date for day in days]
    assert all(day.end == following.start for day, following in pairwise(days))
    assert all(day == local_day(day.date, place) for day in days)


@given(st.integers(946_684_800, 2_200_000_000), zones)
def test_every_moment_lies_in_the_day_of_its_date(at: int, place: ZoneInfo) -> None:
    day = local_day(date_at(at, place), place)
    assert day.start <= at < day.end


@given(st.integers(946_684_800, 2_200_000_000), st.integers(0, 40 * 86400), zones)
def test_the_days_of_a_span_are_those_it_touches(start: int, length: int, place: ZoneInfo) -> None:
    days = days_of(Span(start, start + length), place)
    assert bool(days) == bool(length)
    if days:
        assert days[0].start <= start < days[0].end
        assert days[-1].start < start + length <= days[-1].end


@given(dates)
def test_months_begin_on_their_first_day(day: date) -> None:
    first, following = month_start(day), next_month_start(day)
    assert (1, 1) == (first.day, following.day)
    assert first <= day < following
    assert (following - first).days <= 31


def test_where_the_clocks_skip_midnight_the_day_begins_when_they_do() -> None:
    beirut = ZoneInfo("Asia/Beirut")
    assert 1_774_735_200 == midnight(date(2026, 3, 29), beirut)
    assert date(2026, 3, 28) == date_at(1_774_735_199, beirut)
    assert date(2026, 3, 29) == date_at(1_774_735_200, beirut)


@pytest.mark.parametrize(
    ("name", "key"), [("US/Pacific", "US/Pacific"), ("No/Where", "UTC"), ("", "UTC"), ("../x", "UTC")]
)
def test_a_zone_that_is_not_known_here_is_utc(name: str, key: str) -> None:
    assert key == zone(name).key


# ── what the vendor says ──────────────────────────────────────────────────────────────────────────────


def test_only_ended_days_that_were_said_are_there() -> None:
    values = [1.0, None, 0.0, 4.0]
    assert [(DAYS[0], 1.0), (DAYS[2], 0.0)] == list(dated(values, DAYS, DAYS[3].end - 1))
    assert 3 == len(list(dated(values, DAYS, DAYS[3].end)))


@given(st.lists(st.one_of(st.just(0.0), amounts), max_size=10), st.integers(0, 11 * 86400))
def test_zeros_at_the_end_are_unknown_until_the_gateway_reports(values: list[float], late: int) -> None:
    said = list(dated(values, DAYS, DAYS[-1].end))
    reported_at = DAYS[0].start + late
    known = without_unknown(said, reported_at)
    assert list(said[: len(known)]) == list(known)
    assert all(wh == 0 and day.end > reported_at for day, wh in said[len(known) :])
    assert not known or known[-1][1] != 0 or known[-1][0].end <= reported_at


# ── judging ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wh", "intervals", "expected"), [(30_000, 288, 300), (1000, 288, 144), (0, 0, 0), (1000, 96, 48)]
)
def test_the_tolerance_is_a_percent_or_what_rounding_comes_to(wh: float, intervals: int, expected: float) -> None:
    assert expected == tolerance(wh, intervals)


def test_a_first_value_is_no_change() -> None:
    assert Total(5.0) == seen(None, 5.0, final=False)
    assert not seen(None, 5.0, final=True).changed


def test_the_same_value_is_no_news() -> None:
    old = Total(5.0, final=True, open=False, doubts=1)
    assert seen(old, 5.0, final=True) is old


def test_a_new_value_opens_the_day_and_forgets_the_doubts_about_the_old_one() -> None:
    old = Total(5.0, final=True, open=False, doubts=2, reads=3, held=9.0)
    assert Total(6.0, final=True, changed=True, reads=3) == seen(old, 6.0, final=True)


def judgements(total: Total, held: float, times: int) -> tuple[Total, int]:
    """The total after some judgements with the same sum, and how often the day was read again."""
    reads = 0
    for _ in range(times):
        if not total.open:
            break
        total, again = judge(total, held, 96)
        reads += again
    return total, reads


@given(amounts, amounts, st.booleans())
def test_a_sum_that_stays_off_is_read_twice_and_then_told(wh: float, held: float, changed: bool) -> None:  # noqa: FBT001
    total, reads = judgements(Total(wh, changed=changed), held, 10)
    off = abs(held - wh) > tolerance(wh, 96)
    trifle = changed and abs(held - wh) >= 1
    assert not total.open
    assert not total.changed
    assert (held if off else None) == total.held
    assert (MAX_DOUBTS + changed if off else int(trifle)) == reads == total.reads


def test_a_day_that_agrees_at_last_is_no_longer_told() -> None:
    told = Total(1000.0, doubts=2, reads=2, held=5000.0)
    assert (Total(1000.0, open=False, doubts=2, reads=2), False) == judge(told, 1000.0, 96)


def test_a_changed_total_that_we_have_already_is_no_reason_to_read() -> None:
    assert (Total(1000.0, open=False), False) == judge(Total(1000.0, changed=True), 1000.0, 96)


@given(st.lists(amounts, min_size=1, max_size=60), amounts)
def test_however_the_vendor_wavers_a_day_is_not_read_for_ever_over_trifles(values: list[float], held: float) -> None:
    """Values within the tolerance of our sum, but never the same, as if two servers rounded differently."""
    total: Total | None = None
    reads = 0
    for index in range(len(values)):
        total = seen(total, held + 5 + index % 2, final=True)
        total, read = judgements(total, held, 3)
        reads += read
    assert reads <= MAX_TRIFLES


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=4))
def test_a_day_is_covered_by_one_span_that_holds_all_of_it(parts: list[tuple[int, int]]) -> None:
    day = LocalDay(date(2026, 1, 1), 5, 10)
    spans = union(parts)
    assert is_covered(day, spans) == any(start <= 5 and end >= 10 for start, end in spans)
