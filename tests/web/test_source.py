"""Who looks at the page does not wait for a report that another is making, or for one that takes long."""

import gc
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.core.errors import StateError
from ingest.web import Source, source
from tests.world import START, World


class Making:
    """Reports that are made when they may be: each is a number."""

    def __init__(self) -> None:
        self.count, self.may, self.begun = 0, threading.Event(), threading.Event()
        self.failure: Exception | None = None
        self.was_searched = False

    def __call__(self, *_: Any, **__: Any) -> Any:
        self.was_searched |= gc.isenabled()
        self.begun.set()
        assert self.may.wait(30)
        if self.failure:
            raise self.failure
        self.count += 1
        return self.count


@pytest.fixture
def looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A source whose first report was made and is due again, and what makes its reports."""
    world, making = World(tmp_path, []), Making()
    monkeypatch.setattr(source, "build_report", making)
    monkeypatch.setattr(source, "MIN_REST", 0.0)
    monkeypatch.setattr(source, "SHARE", 0)
    made: Any = Source(world.settings, world.store, lambda: START, lambda: START)
    making.may.set()
    assert made.report() == 1
    yield made, making
    making.may.set()
    world.end()


def beside(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_while_another_makes_a_new_report_the_one_before_is_shown(looked: tuple[Any, Making]) -> None:
    made, making = looked
    making.may.clear()
    making.begun.clear()
    other = beside(made.report)
    assert making.begun.wait(30)
    assert made.report() == 1, "without waiting"
    making.may.set()
    other.join()
    assert made.report() == 3


def test_a_report_that_takes_long_is_made_beside(looked: tuple[Any, Making]) -> None:
    made, making = looked
    made._took = source.LONG
    making.may.clear()
    assert made.report() == 1
    assert made.report() == 1, "and once"
    making.may.set()
    with made._guard:
        assert made._made is not None
        assert made._made[1] == 2


def test_a_report_of_the_page_has_its_turn(looked: tuple[Any, Making]) -> None:
    made, making = looked
    assert made.report() == 2
    assert not making.was_searched


def test_why_a_report_beside_failed_is_told_to_the_next_who_looks(looked: tuple[Any, Making]) -> None:
    made, making = looked
    made._took, making.failure = source.LONG, StateError("the state is damaged")
    assert made.report() == 1
    with made._guard:
        pass
    with pytest.raises(StateError, match="damaged"):
        made.report()
