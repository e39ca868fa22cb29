"""History asked for at any moment of a month: it has its share of what is left, and live polling goes on."""

import os
import random

import pytest

from ingest.core.units import DAY, HOUR, YEAR
from ingest.enphase.call import Purpose
from ingest.plan.quota import Plan
from tests.fleet import START, Fleet, Made, Runner, busiest, is_history, months
from tests.works import changed

WATT = Plan(10, 1000)
MONTH = 31 * DAY


def _ask_for_history(runner: Runner, since: int = 2 * YEAR) -> None:
    for key, work in runner.fleet.pairs.items():
        if work.stream.grain:
            runner.fleet.pairs[key] = changed(work, floor=runner.now - since)
            runner.due_queue.touch(work.system, runner.now)


def _live(calls: list[Made], start: int, end: int) -> int:
    return sum(made.task.purpose is Purpose.LIVE and start <= made.at < end for made in calls)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(60 if os.environ.get("INGEST_LONG") else 1))
def test_history_asked_for_at_a_random_moment_never_halves_the_pace_of_live_polling(seed: int) -> None:
    rng = random.Random(seed)
    systems, asked_at = rng.randint(1, 5), rng.randrange(HOUR, MONTH - DAY)
    print(f"seed {seed}: {systems} systems, asked after {asked_at / DAY:.2f} days")
    calm, asked = Runner(Fleet(systems), WATT), Runner(Fleet(systems), WATT)
    for runner in (calm, asked):
        runner.run(asked_at)
    before = asked.dispatcher.pace.factors.stretch
    _ask_for_history(asked)
    asked.step(START + MONTH)
    assert asked.dispatcher.pace.factors.stretch <= 2 * before
    for runner in (calm, asked):
        runner.run(START + MONTH - runner.now - 1)
        assert max(months(runner.calls).values()) <= 900
        assert busiest([made.at for made in runner.calls]) <= WATT.per_minute
    for day in range(START + asked_at, START + MONTH - DAY + 1, DAY):
        usual, now = (_live(runner.calls, day, day + DAY) for runner in (calm, asked))
        assert now >= usual / 2, (day - START) / DAY
    assert any(is_history(made) and made.task.window.end < START - 10 * DAY for made in asked.calls)


def test_a_share_of_what_is_left_is_no_share_of_what_was_spent() -> None:
    runner = Runner(Fleet(1), WATT)
    runner.run(26 * DAY)
    left = runner.dispatcher.pace.left
    _ask_for_history(runner)
    runner.run(5 * DAY - HOUR)
    read = [made for made in runner.calls if is_history(made) and made.at > START + 26 * DAY]
    assert 0.1 * left <= len(read) <= 0.25 * left
