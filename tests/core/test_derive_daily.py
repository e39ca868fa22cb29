"""Days and months of energy: only what is whole."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.core.derive import dated, day_sums, monthly
from ingest.core.point import Point
from tests.core.test_audit import local_day

PACIFIC = ZoneInfo("US/Pacific")
LONG, SHORT, PLAIN = (local_day(day, PACIFIC) for day in (date(2026, 11, 1), date(2026, 3, 8), date(2026, 7, 1)))


def quarters(day: tuple[date, int, int], wh: float = 1.0) -> dict[int, float]:
    return dict.fromkeys(range(day[1], day[2], 900), wh)


@pytest.mark.parametrize(("day", "count"), [(LONG, 100), (SHORT, 92), (PLAIN, 96)])
def test_a_day_is_the_sum_of_all_its_quarters(day: tuple[date, int, int], count: int) -> None:
    all_day = quarters(day)
    sums = day_sums(
        local_day(day[0], PACIFIC), quarters(day, 3.0), {"consumed_wh": quarters(day, 2.0), "self_consumed_wh": all_day}
    )
    assert {"produced_wh": 3.0 * count, "consumed_wh": 2.0 * count, "self_consumed_wh": 1.0 * count} == sums


@given(st.sets(st.integers(0, 95)))
def test_consumption_with_a_quarter_missing_is_left_out(missing: set[int]) -> None:
    used = {time: wh for time, wh in quarters(PLAIN).items() if (time - PLAIN.start) // 900 not in missing}
    sums = day_sums(PLAIN, quarters(PLAIN), {"consumed_wh": used, "self_consumed_wh": quarters(PLAIN)})
    assert bool(missing) == ("consumed_wh" not in sums)
    assert bool(missing) == ("self_consumed_wh" not in sums)
    assert "produced_wh" in sums


@given(st.integers(0, 47), st.integers(48, 95), st.integers(0, 95))
def test_production_may_be_missing_in_the_dark_but_not_in_between(dawn: int, dusk: int, hole: int) -> None:
    made = {PLAIN.start + slot * 900: 5.0 for slot in range(dawn, dusk + 1)}
    assert {"produced_wh": sum(made.values())} == day_sums(PLAIN, made, {})
    if dawn < hole < dusk:
        del made[PLAIN.start + hole * 900]
        assert {} == day_sums(PLAIN, made, {})


def test_five_minute_production_counts_to_the_last_interval_of_dawn() -> None:
    made = {PLAIN.start + 300 * step: 1.0 for step in range(74, 200)}
    assert {"produced_wh": 126.0} == day_sums(PLAIN, made, {})


def test_a_day_without_anything_is_nothing() -> None:
    assert {} == day_sums(PLAIN, {}, {})


def test_a_month_sums_the_days_that_are_known_and_says_how_many_they_are() -> None:
    months = [(0, 100), (100, 200), (200, 300)]
    days = {
        "produced_wh": {0: 1.0, 50: 2.0, 100: 4.0, 150: 8.0},
        "consumed_wh": {50: 7.0, 100: 1.0},
        "self_consumed_wh": {},
    }
    points = [(point.time, dict(point.fields)) for point in monthly("1", months, days)]
    first = {"produced_wh": 3.0, "produced_days": 2.0, "consumed_wh": 7.0, "consumed_days": 1.0}
    second = {"produced_wh": 12.0, "produced_days": 2.0, "consumed_wh": 1.0, "consumed_days": 1.0}
    assert points == [(0, first), (100, second), (200, {})]


@pytest.mark.parametrize("name", ["US/Pacific", "Europe/Berlin", "Australia/Sydney", "UTC"])
def test_a_day_and_a_month_are_named_in_the_calendar_of_the_system(name: str) -> None:
    zone = ZoneInfo(name)
    at = local_day(date(2026, 11, 1), zone).start
    points = [Point(kind, (), at, {"produced_wh": 1.0}) for kind in ("energy_daily", "energy_monthly")]
    day, month = (point.fields for point in dated(points, zone))
    words = {"produced_wh": 1.0, "month": "2026-11", "year": "2026"}
    assert day == words | {"date": "2026-11-01", "day": "01", "weekday": "Sun", "week": "2026-10-26"}
    assert month == words | {"month_of_year": "11"}


def test_a_day_without_anything_is_not_named() -> None:
    assert [point.fields for point in dated([Point("energy_daily", (), 0, {})], PACIFIC)] == [{}]
