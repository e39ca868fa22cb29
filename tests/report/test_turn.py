"""Reports of thousands of systems, and the memory that they take."""

import gc
import threading
import weakref

import pytest

from ingest.report import turn
from ingest.service.garbage import search_all


class Knot:
    """Something that only a search finds to be garbage."""

    def __init__(self) -> None:
        self.itself = self


def test_one_report_is_made_after_the_other() -> None:
    begun = threading.Event()

    def make() -> None:
        with turn():
            begun.set()

    other = threading.Thread(target=make)
    with turn():
        other.start()
        assert not begun.wait(0.1)
    other.join()
    assert begun.is_set()


def test_what_a_report_needs_is_not_searched_for_cycles() -> None:
    searches: list[int] = []

    def heard(phase: str, _: object) -> None:
        searches.append(phase == "start")

    with turn():
        gc.callbacks.append(heard)
        made = [[number] for number in range(300_000)]
    assert searches == [], "while it is made"
    gc.collect(1)
    gc.callbacks.remove(heard)
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(made), "and after"


def test_what_makes_a_cycle_meanwhile_stays_until_all_is_searched() -> None:
    with turn():
        left = weakref.ref(Knot())
    gc.collect()
    assert left() is not None
    search_all()
    assert left() is None


def test_what_was_garbage_before_a_report_goes_with_it() -> None:
    left = weakref.ref(Knot())
    with turn():
        assert left() is None


def test_a_report_that_fails_leaves_the_search_as_it_was() -> None:
    with pytest.raises(ValueError, match="the disk"), turn():
        raise ValueError("the disk")
    assert gc.isenabled()
    with turn():
        pass
