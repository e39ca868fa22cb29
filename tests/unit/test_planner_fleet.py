"""Fleets on every plan: never over a limit, evenly to the last day, nobody starves, nothing is lost at the edge."""

from collections import Counter

import pytest

from ingest.core import coverage
from ingest.core.quota import Plan
from ingest.core.span import Span, subtract, total
from ingest.core.windows import served_from
from ingest.core.work import Purpose
from ingest.streams import BY_NAME
from ingest.streams.base import DAY, HOUR, MINUTE, YEAR
from tests.fleet import CLASSES, START, Fleet, Gateway, Made, Runner, by_pair, lives, mixed, months, unlucky

WATT, KILOWATT = Plan(10, 1000), Plan(50, 50_000)
FOUR = [BY_NAME[name] for name in ("stats", "rgm_stats", "production_meter_readings", "consumption")]


def within(calls: list[int], seconds: int, most: int) -> bool:
    return all(later - one >= seconds for one, later in zip(calls, calls[most:], strict=False))


@pytest.mark.parametrize("failing", [0.0, 0.3])
@pytest.mark.parametrize("systems", [1, 50])
@pytest.mark.parametrize(
    "plan", [WATT, KILOWATT, Plan(100, 300_000), Plan(300, 10_000), Plan(2, 700)], ids=lambda plan: str(plan.per_month)
)
def test_no_limit_is_ever_exceeded(plan: Plan, systems: int, failing: float) -> None:
    fleet = Fleet(systems, gateways=mixed, fails=unlucky(failing, systems), started=START + 28 * DAY)
    runner = Runner(fleet, plan)
    runner.run(6 * DAY, most=600)
    assert within([made.at for made in runner.calls], MINUTE, plan.per_minute)
    assert max(months(runner.calls).values()) <= int(plan.per_month * 0.9)


@pytest.mark.parametrize("failing", [0.0, 0.3])
def test_a_month_is_spent_to_its_last_day(failing: float) -> None:
    runner = Runner(Fleet(2, gateways=mixed, fails=unlucky(failing, 2)), WATT)
    runner.run(31 * DAY)
    days = Counter((made.at - START) // DAY for made in runner.calls)
    assert 880 <= len(runner.calls) <= 900
    usual = sorted(days.values())[15]
    assert all(0.5 * usual <= days[day] <= 1.6 * usual for day in range(4, 31)), days


@pytest.mark.parametrize("systems", [7, 12])
def test_nobody_starves_where_the_plan_cannot_even_carry_the_snapshots(systems: int) -> None:
    runner = Runner(Fleet(systems, gateways=mixed), WATT)
    runner.run(35 * DAY)
    asked = by_pair(runner.calls)
    assert len(asked) == len(runner.fleet.pairs)
    for stream in ("rgm_stats", "consumption", "production_meter_readings"):
        counts = [len(asked[str(system), stream]) for system in range(1, systems + 1)]
        assert min(counts) * 3 >= max(counts), (stream, sorted(counts))
    assert min(len(calls) for (_, stream), calls in asked.items() if stream != "summary") >= 2


@pytest.mark.parametrize("share", [0.3])
def test_two_years_are_read_in_the_fewest_calls_and_nothing_is_lost_at_the_moving_edge(share: float) -> None:
    runner = Runner(Fleet(1, streams=FOUR, since=2 * YEAR + 5 * DAY), WATT, share=share)
    pairs = {key: work for key, work in runner.fleet.pairs.items() if work.stream.grain}
    edges = {key: served_from(work, START) for key, work in pairs.items()}
    for _ in range(300):
        runner.run(DAY)
        if runner.now > START + 10 * DAY and runner.agenda.needs <= 2:
            break
    for key, edge in edges.items():
        work, old = runner.fleet.pairs[key], START - CLASSES.look_again
        windows = [made.task.window for made in runner.calls if made.task.pair == key and is_history(made)]
        least = -(-(old - edge) // work.route.reach)
        assert sum(1 for window in windows if window.start < old) <= 1.05 * least
        unread = subtract((Span(edge, old - DAY),), coverage.covered(work.read, CLASSES.look_again))
        assert total(unread) <= HOUR, "all but the first minutes, which left while the first call was made"


def is_history(made: Made) -> bool:
    return made.task.purpose is Purpose.HISTORY


@pytest.mark.parametrize("period", [900, 6 * HOUR])
def test_live_calls_come_just_after_uploads(period: int) -> None:
    gateway = Gateway(period, 777)
    runner = Runner(Fleet(1, gateways=lambda _: gateway), WATT)
    runner.run(4 * DAY)
    after = [made.at - gateway.reported_at(made.at) for made in lives(runner.calls) if made.at > START + 2 * DAY]
    assert sum(1 for late in after if late <= 2 * MINUTE) >= 0.9 * len(after), after


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
