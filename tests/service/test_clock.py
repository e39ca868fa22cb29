"""The clock: even through jumps of the wall clock, and set by the cloud."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.service.clock import TOLERANCE_S, Clock

START = 1_750_000_000


class Machine:
    """A machine whose two clocks the test turns: `pass_by` is time itself, `jump` sets the wall clock alone."""

    def __init__(self, wall: float = START) -> None:
        self.wall, self.steady = wall, 5000.0
        self.clock = Clock(lambda: self.wall, lambda: self.steady)

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def agree(self, date_at: int) -> None:
        """Two replies in a row say the same time."""
        self.clock.observe(date_at)
        self.clock.observe(date_at)

    def jump(self, seconds: float) -> None:
        self.wall += seconds


@pytest.fixture(name="machine")
def _machine() -> Machine:
    return Machine()


def test_time_goes_by(machine: Machine) -> None:
    machine.pass_by(100)
    assert machine.clock.now() == START + 100


jumps = st.integers(-(10**9), 10**9).filter(lambda seconds: abs(seconds) > TOLERANCE_S)


@given(st.lists(st.tuples(jumps, st.integers(0, 10**6)), max_size=6))
def test_jumps_of_the_wall_clock_do_not_move_it(steps: list[tuple[int, int]]) -> None:
    machine, true = Machine(), START
    for jump, seconds in steps:
        machine.jump(jump)
        assert true == machine.clock.now()
        machine.pass_by(seconds)
        true += seconds
        assert true == machine.clock.now()


@given(st.lists(st.integers(-TOLERANCE_S + 1, TOLERANCE_S - 1), max_size=6))
def test_small_corrections_of_the_wall_clock_are_followed(corrections: list[int]) -> None:
    machine = Machine()
    for correction in corrections:
        machine.jump(correction)
        machine.clock.now()
    assert START + sum(corrections) == machine.clock.now()


@pytest.mark.parametrize("difference", [TOLERANCE_S + 1, -TOLERANCE_S - 1, 10**8, -(10**8)])
def test_the_cloud_sets_it(machine: Machine, difference: int) -> None:
    machine.agree(START + difference)
    assert START + difference == machine.clock.now()


@pytest.mark.parametrize("difference", [0, 1, TOLERANCE_S, -TOLERANCE_S])
def test_small_differences_from_the_cloud_are_left_alone(machine: Machine, difference: int) -> None:
    machine.agree(START + difference)
    assert machine.clock.now() == START
    assert machine.clock.wrong_by == 0


@pytest.mark.parametrize("difference", [3600, -3600, 10**8])
def test_one_reply_alone_is_not_believed(machine: Machine, difference: int) -> None:
    machine.clock.observe(START + difference)
    assert machine.clock.now() == START
    machine.clock.observe(START)
    machine.clock.observe(START + difference)
    assert (machine.clock.now(), machine.clock.corrections) == (START, 0)


def test_a_reply_without_a_date_sets_nothing(machine: Machine) -> None:
    machine.clock.observe(None)
    assert machine.clock.now() == START


@pytest.mark.parametrize("ahead", [3600, -3600])
def test_it_says_by_how_much_the_wall_clock_is_ahead(machine: Machine, ahead: int) -> None:
    machine.agree(START - ahead)
    assert ahead == machine.clock.wrong_by


@pytest.mark.parametrize("jump", [3600, -3600])
def test_a_jump_away_from_the_right_time_is_told(machine: Machine, jump: int) -> None:
    machine.clock.observe(START)
    machine.jump(jump)
    machine.clock.now()
    assert jump == machine.clock.wrong_by


def test_a_wall_clock_that_is_set_right_is_no_longer_wrong(machine: Machine) -> None:
    machine.agree(START + 10**8)
    machine.jump(10**8)
    assert machine.clock.now() == START + 10**8
    assert machine.clock.wrong_by == 0


@pytest.mark.parametrize("behind", [0, 3 * 86400, 10**9])
def test_it_begins_no_earlier_than_the_last_call(behind: int) -> None:
    machine = Machine(START - behind)
    machine.clock.not_before(START)
    assert machine.clock.now() == START
    assert machine.clock.wrong_by == 0, "nothing is said of the machine before the cloud has spoken"
    machine.pass_by(10)
    machine.clock.observe(START + 10)
    assert machine.clock.now() == START + 10
    assert machine.clock.wrong_by == -behind


def test_a_last_call_in_the_future_is_corrected_by_the_cloud(machine: Machine) -> None:
    machine.clock.not_before(START + 10**8)
    assert machine.clock.now() == START + 10**8
    for _ in range(2):
        machine.clock.observe(START)
    assert (machine.clock.now(), machine.clock.wrong_by, machine.clock.corrections) == (START, 0, 1)


def test_the_real_clock_tells_the_time_of_this_machine() -> None:
    clock = Clock()
    first = clock.now()
    assert 0 <= clock.now() - first <= 60
    assert clock.wrong_by == 0
