"""What the timetable promises is what a runner does: a month of one home, days of ten, an hour of a fleet."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from ingest.core.units import DAY, HOUR
from ingest.enphase.call import Purpose
from ingest.plan.budget import Rules
from ingest.plan.demand import Demand, demands
from ingest.plan.quota import Plan, Usage
from ingest.plan.timetable import Timetable, timetable
from ingest.plan.work import Work
from tests.fleet import CLASSES, START, Fleet, Runner, going_for_long

WATT, KILOWATT, PARTNER = Plan(10, 1000), Plan(50, 50_000), Plan(300, 1_500_000)


def fits(plan: Plan, wanted: Sequence[Demand], now: int = START, used: int = 0, **rules: float) -> Timetable:
    """The timetable of one account."""
    options: dict[str, Any] = {"renewals": 1.25, "free": plan.per_month, **rules}
    return timetable(Rules(plan, **options), wanted, Usage(used, 0, (), ()), now)


def _promised(runner: Runner, started: int, **options: float) -> tuple[dict[str, float], float]:
    """Calls a month by stream and in all, as the timetable has them for the fleet as it was found."""
    found = fits(runner.plan, demands(runner.fleet.works(0), started, CLASSES), now=started, renewals=0, **options)  # type: ignore[arg-type]
    by_stream: Counter[str] = Counter()
    for line in found.lines:
        by_stream[line.stream] += line.per_month  # type: ignore[assignment]
    return dict(by_stream), found.planned


def test_a_month_of_one_system_on_watt_is_as_promised() -> None:
    runner = Runner(Fleet(1), WATT)
    runner.run(31 * DAY)
    by_stream, planned = _promised(runner, START)
    assert len(runner.calls) == pytest.approx(planned, rel=0.02)
    made = Counter(call.task.stream.name for call in runner.calls if call.task.purpose is not Purpose.HISTORY)
    for stream, calls in by_stream.items():
        assert made[stream] == pytest.approx(calls, rel=0.06, abs=1.5), stream


def test_days_of_ten_systems_on_kilowatt_are_as_promised() -> None:
    runner = Runner(Fleet(10), KILOWATT)
    runner.run(DAY)
    before = len(runner.calls)
    runner.run(2 * DAY)
    _, planned = _promised(runner, START)
    assert (len(runner.calls) - before) * 31 / 2 == pytest.approx(planned, rel=0.02)


def test_an_hour_of_five_thousand_systems_on_partner_is_as_promised() -> None:
    def promised(works: Sequence[Work]) -> Timetable:
        return fits(PARTNER, demands(works, START, CLASSES), renewals=0)

    fleet = going_for_long(5000, lambda works: {line.stream: line.by_day for line in promised(works).lines})
    lines = promised(fleet.works(START)).lines
    runner = Runner(fleet, PARTNER)
    runner.run(HOUR)
    assert len(runner.calls) == pytest.approx(sum(line.per_day for line in lines) / 24, rel=0.03)
    made = Counter(call.task.stream.name for call in runner.calls)
    for line in lines:
        assert made[line.stream] == pytest.approx(line.per_day / 24, rel=0.1), line.stream
