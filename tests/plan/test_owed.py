"""The most urgent debts are found without looking at all: held against looking at all."""

import random

import pytest

from ingest.enphase.streams import BY_NAME
from ingest.plan.owed import Owed, Slot
from ingest.plan.planner import Debt
from tests.works import a_work, changed

NOW = 1_782_864_000


def some_debt(dice: random.Random, now: int) -> Debt | None:
    key = (dice.randrange(2), -dice.randrange(50))
    at = dice.choice([0, now - 5, now + dice.randrange(200)])
    return dice.choice([None, Debt(dice.randrange(9), 0.5, key, at), Debt(1, 0.0, key)])


def resting(slot: Slot, until: int) -> None:
    slot.work = changed(slot.work, history_from=until)


@pytest.mark.parametrize("seed", range(20))
def test_the_order_is_that_of_the_debts(seed: int) -> None:
    dice, owed, now = random.Random(seed), Owed(), NOW
    slots = [Slot((str(number), "stats"), number, a_work(BY_NAME["stats"], system=str(number))) for number in range(40)]
    for _ in range(400):
        now += dice.choice([0, 0, 1, 30])
        slot = dice.choice(slots)
        if dice.random() < 0.3:
            resting(slot, now + dice.choice([-9, 9, 99]))
            owed.place(slot, now)
        else:
            owed.put(slot, some_debt(dice, now), now)
        besides = {each.key for each in dice.sample(slots, 8)}
        due = [each for each in slots if each.debt and each.history_at <= now and each.key not in besides]
        due.sort(key=lambda each: (each.debt and each.debt.key, each.order))
        assert owed.first(6, now, besides) == due[:6]
        assert owed.calls == sum(each.debt.calls for each in slots if each.debt)
        assert owed.leaving == sum(each.debt.leaving for each in slots if each.debt)


def test_a_rest_that_grew_meanwhile_is_kept() -> None:
    owed, slot = Owed(), Slot(("1", "stats"), 0, a_work(BY_NAME["stats"], system="1"))
    owed.put(slot, Debt(1, 0.0, (1, 0)), NOW)
    resting(slot, NOW + 9)
    assert owed.first(1, NOW, ()) == []
    assert owed.first(1, NOW + 8, ()) == []
    assert owed.first(1, NOW + 9, ()) == [slot]
