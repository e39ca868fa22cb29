"""Fleets on every plan: never over a limit, evenly to the last day, nobody starves, nothing is lost at the edge."""

import os
from collections import Counter

import pytest

from ingest.core.units import DAY, HOUR, MINUTE
from ingest.plan.quota import Plan
from tests.fleet import START, Fleet, Gateway, Runner, busiest, by_pair, lives, mixed, months, read_two_years, unlucky

WATT, KILOWATT = Plan(10, 1000), Plan(50, 50_000)


@pytest.mark.each_value
@pytest.mark.parametrize("failing", [0.0, 0.3])
@pytest.mark.parametrize("systems", [1, 50])
@pytest.mark.parametrize(
    "plan", [WATT, KILOWATT, Plan(100, 300_000), Plan(300, 10_000), Plan(2, 700)], ids=lambda plan: str(plan.per_month)
)
def test_no_limit_is_ever_exceeded(plan: Plan, systems: int, failing: float) -> None:
    fleet = Fleet(systems, gateways=mixed, fails=unlucky(failing, systems), started=START + 28 * DAY)
    runner = Runner(fleet, plan)
    runner.run(6 * DAY, most=600)
    assert busiest([made.at for made in runner.calls]) <= plan.per_minute
    assert max(months(runner.calls).values()) <= int(plan.per_month * 0.9)


@pytest.mark.parametrize("failing", [pytest.param(0.0, marks=pytest.mark.long), 0.3])
def test_a_month_is_spent_to_its_last_day(failing: float) -> None:
    runner = Runner(Fleet(2, gateways=mixed, fails=unlucky(failing, 2)), WATT)
    runner.run(31 * DAY)
    days = Counter((made.at - START) // DAY for made in runner.calls)
    assert 880 <= len(runner.calls) <= 900
    usual = sorted(days.values())[15]
    assert all(0.5 * usual <= days[day] <= 1.6 * usual for day in range(4, 31)), days


@pytest.mark.parametrize("systems", [12, 7] if os.environ.get("INGEST_LONG") else [12])
def test_nobody_starves_where_the_plan_cannot_even_carry_the_snapshots(systems: int) -> None:
    runner = Runner(Fleet(systems, gateways=mixed), WATT)
    runner.run(21 * DAY)
    asked = by_pair(runner.calls)
    assert len(asked) == len(runner.fleet.pairs)
    for stream in ("rgm_stats", "consumption", "production_meter_readings"):
        counts = [len(asked[str(system), stream]) for system in range(1, systems + 1)]
        assert min(counts) * 3 >= max(counts), (stream, sorted(counts))
    assert min(len(calls) for (_, stream), calls in asked.items() if stream != "summary") >= 2


def test_two_years_are_read_in_the_fewest_calls_and_nothing_is_lost_at_the_moving_edge() -> None:
    found = read_two_years(WATT, share=0.6)
    assert found.calls <= 1.05 * found.least
    assert found.lost == 0


@pytest.mark.parametrize("period", [900, 6 * HOUR])
def test_live_calls_come_just_after_uploads(period: int) -> None:
    gateway = Gateway(period, 777)
    runner = Runner(Fleet(1, gateways=lambda _: gateway), WATT)
    runner.run(4 * DAY)
    after = [made.at - gateway.reported_at(made.at) for made in lives(runner.calls) if made.at > START + 2 * DAY]
    assert sum(1 for late in after if late <= 2 * MINUTE) >= 0.9 * len(after), after


def test_history_is_not_taken_for_read_before_all_of_it_was_looked_at() -> None:
    runner = Runner(Fleet(20), KILOWATT)
    runner.due_queue.keep_up(START, frozenset(["home"]))
    assert not runner.due_queue.is_priced
    for _ in range(10):
        runner.due_queue.keep_up(START, frozenset(["home"]))
    assert runner.due_queue.is_priced


def test_history_of_a_system_that_went_before_it_was_looked_at_is_not_waited_for() -> None:
    runner = Runner(Fleet(20), KILOWATT)
    runner.due_queue.keep_up(START, frozenset(["home"]))
    for pair in [pair for pair in runner.fleet.pairs if pair[0] != "1"]:
        del runner.fleet.pairs[pair]
    runner.due_queue.look_soon([str(number) for number in range(1, 21)])
    for _ in range(10):
        runner.due_queue.keep_up(START, frozenset(["home"]))
    assert runner.due_queue.is_priced


def test_a_large_fleet_costs_a_tick_little() -> None:
    """Counted, not timed: a tick looks at no more than the front of what is due."""
    runner = Runner(Fleet(200), Plan(300, 1_500_000), latency=0)
    looked = 0
    work = runner.fleet.work

    def counted(*key: object) -> object:
        nonlocal looked
        looked += 1
        return work(*key)  # type: ignore[arg-type]

    runner.fleet.work = counted  # type: ignore[method-assign, assignment]
    runner.run(5 * MINUTE)
    assert looked <= 75 * len(runner.calls)
