"""The most urgent pairs are found without sorting all: held against sorting all."""

import random

import pytest

from ingest.enphase.catalogue import DEFAULTS
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.site import SUMMARY, SYSTEMS
from ingest.plan.front import Front
from ingest.plan.planner import urgency
from ingest.plan.work import Work
from tests.works import a_work

NOW = 1_782_864_000
STREAMS = [*(BY_NAME[name] for name in DEFAULTS), SUMMARY, SYSTEMS]


def some_work(dice: random.Random) -> Work:
    asked_at = dice.choice([None, NOW - dice.randrange(10_000)])
    every = dice.choice([300, 900, 86_400])
    return a_work(dice.choice(STREAMS), system=str(dice.randrange(30)), every=every, asked_at=asked_at)


@pytest.mark.parametrize("seed", range(20))
def test_the_order_is_that_of_urgency(seed: int) -> None:
    dice = random.Random(seed)
    front, due = Front(), dict[tuple[str, str], tuple[Work, int, int]]()
    for step in range(300):
        work = some_work(dice)
        if dice.random() < 0.3:
            front.discard(work.key)
            due.pop(work.key, None)
            continue
        order = due[work.key][2] if work.key in due else step
        due[work.key] = work, NOW - dice.randrange(5000), order
        front.add(*due[work.key])
        now, most, only_new = NOW + step, dice.randrange(1, 12), dice.random() < 0.3
        besides = set(dice.sample(sorted(due), len(due) // 4))
        wanted = [
            key
            for key, (entry, *_) in due.items()
            if key not in besides and not (only_new and entry.asked_at is not None)
        ]
        wanted.sort(key=lambda key: (*urgency(due[key][0], due[key][1], now), due[key][2]))
        assert front.first(most, now, besides, only_new=only_new) == wanted[:most], (seed, step)
        assert front.has_asked == any(entry.asked_at is not None for entry, *_ in due.values())


def test_what_was_cleared_is_not_due() -> None:
    front = Front()
    front.add(a_work(STREAMS[0]), NOW, 0)
    front.clear()
    assert front.first(5, NOW, (), only_new=False) == []
    assert not front.has_asked


def test_what_is_added_again_as_it_was_is_held_once() -> None:
    front, work = Front(), a_work(STREAMS[0])
    for _ in range(50):
        front.add(work, NOW, 0)
        front.discard(work.key)
    assert front.first(5, NOW, (), only_new=False) == []
    for _ in range(50):
        front.add(work, NOW, 0)
    assert front.first(5, NOW, (), only_new=False) == [work.key]
    assert sum(map(len, front._heaps.values())) == 1
