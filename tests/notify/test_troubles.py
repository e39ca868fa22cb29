"""Which troubles are told, and when."""

import random

import pytest

from ingest.notify.troubles import LATE, SETTLED, SOON, Lasting, Trouble, after, notice, observe, stopped, troubles
from ingest.report import Problem

CLOUD = Trouble("cloud", "The cloud does not answer", "Wait", stops_reading=True)
SINK = Trouble("sink.db", "Sink db does not accept writes", "Mend it", stops_reading=False)
T = 1_700_000_000


@pytest.mark.parametrize(("trouble", "patience"), [(CLOUD, SOON), (SINK, LATE)])
def test_a_trouble_is_told_when_it_has_lasted_and_its_end_when_it_stays_away(trouble: Trouble, patience: int) -> None:
    current = {trouble.key: trouble}
    seen = observe({}, current, T)
    assert not notice(observe(seen, current, T + patience - 1), {}, T + patience - 1)
    seen = observe(seen, current, T + patience)
    told = after({}, notice(seen, {}, T + patience))
    assert told == {trouble.key: trouble.sentence}
    assert not notice(seen, told, T + patience)
    seen = observe(seen, {}, T + patience + 300)
    assert not notice(seen, told, T + patience + 300)
    seen = observe(seen, {}, T + patience + 300 + SETTLED)
    over = notice(seen, told, T + patience + 300 + SETTLED)
    assert over.over == ((trouble.key, trouble.sentence),)
    assert after(told, over) == {}


def test_a_trouble_that_flaps_is_one_trouble() -> None:
    seen: dict[str, Lasting] = {}
    told: dict[str, str] = {}
    messages = 0
    for step in range(200):
        now = T + step * 300
        seen = observe(seen, {"cloud": CLOUD} if step % 2 else {}, now)
        if found := notice(seen, told, now):
            told, messages = after(told, found), messages + 1
    assert messages == 1


def test_random_weather_tells_each_beginning_and_each_end_once_and_never_an_end_without_a_beginning() -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    weather = random.Random(seed)
    seen: dict[str, Lasting] = {}
    told: dict[str, str] = {}
    open_: set[str] = set()
    for step in range(3000):
        now = T + step * 300
        current = {at.key: at for at in (CLOUD, SINK) if at.key in seen and seen[at.key].gone is None}
        for at in (CLOUD, SINK):
            if weather.random() < 0.02:
                current.pop(at.key) if at.key in current else current.update({at.key: at})
        seen = observe(seen, current, now)
        found = notice(seen, told, now)
        for trouble in found.begun:
            assert trouble.key not in open_
            open_.add(trouble.key)
        for key, _ in found.over:
            open_.remove(key)
        told = after(told, found)
    assert set(told) == open_


def test_a_receiver_is_not_told_that_it_cannot_be_reached() -> None:
    problem = Problem("receiver", "ntfy (notify.to[0])", "Nothing reaches ntfy", "")
    seen = observe({}, troubles([problem]), T)
    assert not notice(seen, {}, T + LATE, "ntfy (notify.to[0])")
    assert notice(seen, {}, T + LATE, "mailto (notify.to[1])").begun


def test_what_a_cause_hides_is_not_over_and_not_told_again() -> None:
    gateway = Trouble("gateway.1", "The gateway is silent", "", stops_reading=False)
    seen = observe({}, {"gateway.1": gateway}, T)
    told = after({}, notice(seen, {}, T + LATE))
    now = T + LATE
    for _ in range(20):
        now += 300
        seen = observe(seen, {"cloud": CLOUD}, now, {"gateway.1"})
        found = notice(seen, told, now)
        assert not found.over
        told = after(told, found)
    assert set(told) == {"gateway.1", "cloud"}
    for _ in range(20):
        now += 300
        seen = observe(seen, {"gateway.1": gateway}, now)
        found = notice(seen, told, now)
        assert not found.begun
        told = after(told, found)
    assert set(told) == {"gateway.1"}


def test_what_a_cause_hides_is_not_told_beside_it() -> None:
    gateway = Trouble("gateway.1", "The gateway is silent", "", stops_reading=False)
    seen = observe({}, {"gateway.1": gateway}, T)
    seen = observe(seen, {"cloud": CLOUD}, T + LATE, {"gateway.1"})
    assert not notice(seen, {}, T + LATE)
    assert [at.key for at in notice(seen, {}, T + LATE + SOON).begun] == ["cloud"]


def test_only_what_stops_reading_raises_the_alarm() -> None:
    assert not stopped(observe({}, {"sink.db": SINK}, T), T + 10 * LATE)
    seen = observe({}, {"cloud": CLOUD}, T)
    assert not stopped(seen, T + SOON - 1)
    assert stopped(seen, T + SOON)


def test_a_clock_that_was_set_back_does_not_hold_a_trouble_up() -> None:
    seen = observe({}, {"cloud": CLOUD}, T + 10**6)
    seen = observe(seen, {"cloud": CLOUD}, T)
    assert observe(seen, {"cloud": CLOUD}, T + SOON)["cloud"].is_ripe(T + SOON)
