"""Calls within the plan: every sliding minute, every month, live and history."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.core.units import MINUTE
from ingest.plan.budget import divide
from ingest.plan.quota import Plan, Usage, burst, left_of_month, month_bounds, open_at, spacing

plans = st.builds(Plan, st.integers(1, 300), st.integers(1, 300_000))
small_plans = st.builds(Plan, st.integers(1, 12), st.just(1000))
busy_calls = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 90)), min_size=1, max_size=60)
"""For each call how long the caller dawdles before it, and how long it takes."""


def _sequence(plan: Plan, calls: list[tuple[int, int]], parallel: int) -> list[tuple[int, int]]:
    """Begins and ends of calls made as early as allowed, at most `parallel` at a time."""
    made: list[tuple[int, int]] = []
    now = 1_000_000
    for dawdle, takes in calls:
        flying = sorted(end for _, end in made if end > now)
        now = dawdle + (flying[-parallel] if len(flying) >= parallel else now)
        while (at := open_at(plan, _used(made, now), now)) > now:
            now = at
        made.append((now, now + takes))
    return made


def _used(made: list[tuple[int, int]], now: int) -> Usage:
    return Usage(0, 0, sorted(min(end, now) for _, end in made), [begin for begin, _ in made])


def _most_in_a_minute(made: list[tuple[int, int]]) -> int:
    """The most calls the cloud may count in 60 s, when it counts each at any moment between its begin and end.

    Of the calls in such a minute one began last: all others began before it and ended less than a minute before it.
    """
    return max(
        sum(1 for begin, end in made[: index + 1] if end > last - MINUTE) for index, (last, _) in enumerate(made)
    )


@given(small_plans, busy_calls)
def test_no_sliding_minute_holds_more_than_the_plan_when_calls_follow_each_other(
    plan: Plan, calls: list[tuple[int, int]]
) -> None:
    assert _most_in_a_minute(_sequence(plan, calls, parallel=1)) <= plan.per_minute


@given(small_plans, busy_calls, st.integers(2, 4))
def test_no_sliding_minute_holds_more_than_the_plan_when_calls_overlap(
    plan: Plan, calls: list[tuple[int, int]], parallel: int
) -> None:
    assert _most_in_a_minute(_sequence(plan, calls, parallel)) <= plan.per_minute


@given(plans, st.integers(1, 40))
def test_calls_are_spread_evenly(plan: Plan, count: int) -> None:
    begins = [begin for begin, _ in _sequence(plan, [(0, 0)] * count, parallel=1)]
    assert all(later - begin >= int(spacing(plan)) for begin, later in pairwise(begins))


def test_the_first_call_may_go_at_once() -> None:
    assert open_at(Plan(10, 1000), Usage(0, 0, [], []), 500) == 500


@pytest.mark.parametrize(("per_minute", "seconds"), [(1, 60), (10, 60 / 9), (300, 60 / 299)])
def test_one_call_a_minute_is_kept_for_what_a_crash_forgot(per_minute: int, seconds: float) -> None:
    assert seconds == spacing(Plan(per_minute, 1000))


def test_a_plan_of_ten_is_used_up_to_nine() -> None:
    ends = [1000 + i for i in range(burst(Plan(10, 1000)))]
    assert open_at(Plan(10, 1000), Usage(0, 0, ends, ends), 1010) == 1061


def _at(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp())  # type: ignore[misc,arg-type]


@pytest.mark.parametrize("year", [1999, 2023, 2024, 2025, 2100])
@pytest.mark.parametrize("month", range(1, 13))
def test_a_month_begins_and_ends_at_its_borders_in_utc(year: int, month: int) -> None:
    begin = _at(year, month, 1)
    end = _at(year + 1, 1, 1) if month == 12 else _at(year, month + 1, 1)
    assert (begin, end) == month_bounds(begin)
    assert (begin, end) == month_bounds(end - 1)
    assert end == month_bounds(end)[0]


@given(st.integers(0, 4 * 10**9))
def test_every_moment_lies_in_its_month(at: int) -> None:
    begin, end = month_bounds(at)
    assert begin <= at < end
    assert 28 * 86400 <= end - begin <= 31 * 86400


@given(plans, st.integers(0, 400_000), st.floats(0, 1))
def test_the_reserve_is_never_touched(plan: Plan, used: int, reserve: float) -> None:
    left = left_of_month(plan, Usage(used, 0, [], []), reserve)
    assert left >= 0
    assert left == 0 or used + left <= plan.per_month * (1 - reserve) + 1e-9


lefts, spents = st.integers(0, 300_000), st.integers(0, 300_000)
demands, needs, shares = st.floats(0, 500_000), st.integers(0, 300_000), st.floats(0, 1)


@given(lefts, spents, demands, needs, shares)
def test_both_sides_together_never_exceed_what_is_left(
    left: int, spent: int, live: float, history: int, share: float
) -> None:
    budget = divide(left, spent, live, history, share)
    assert budget.live >= 0
    assert 0 <= budget.history <= history
    assert budget.live + budget.history <= left


@given(lefts, spents, demands, needs, shares)
def test_history_is_guaranteed_its_share_of_the_month(
    left: int, spent: int, live: float, history: int, share: float
) -> None:
    budget = divide(left, spent, live, history, share)
    assert budget.history >= min(history, left, int(share * (left + spent)) - spent)


@given(lefts, spents, demands, needs, shares)
def test_what_live_polling_does_not_need_goes_to_history(
    left: int, spent: int, live: float, history: int, share: float
) -> None:
    budget = divide(left, spent, live, history, share)
    assert budget.history >= min(history, int(max(0.0, left - live)))


@given(lefts, spents, demands, shares)
def test_what_history_does_not_need_goes_to_live_polling(left: int, spent: int, live: float, share: float) -> None:
    assert left == divide(left, spent, live, 0, share).live


def test_a_large_plan_is_not_spent_in_the_first_seconds_of_a_minute() -> None:
    begins = [begin for begin, _ in _sequence(Plan(300, 1_000_000), [(0, 0)] * 32, parallel=4)]
    assert begins == [begins[0] + index // 5 for index in range(32)]
