"""What all tests share: the order in which they begin, garbage is collected rarely, SIGINT works."""

import gc
import os
import signal
from collections.abc import Iterator, Sequence
from itertools import groupby

import pytest
from hypothesis import HealthCheck, settings

from tests.notify.receiver import Receiver

LONGEST = ("test_kills", "test_tokens_40_days", "test_convergence", "test_audit", "test_real_influx", "test_v2_week")
"""Files whose tests take long. Begun last, they would keep one core waiting for the other."""


def pytest_configure() -> None:
    """The worlds keep whole databases in memory: to search those for garbage all the time takes a sixth of it.

    How long an example takes says how busy the machine is, not whether the program is right. A background job of a
    shell is started with SIGINT ignored, and its children would inherit that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.set_threshold(100_000, 20, 20)
    untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("untimed", untimed, max_examples=100 if os.environ.get("INGEST_LONG") else 50)
    settings.load_profile("untimed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not os.environ.get("INGEST_LONG"):
        named = [at for at in config.args if "[" in at]
        left_out = set() if named else {item for item in items if item.get_closest_marker("long")}
        rest = [] if named else [item for item in items if item not in left_out]
        left_out |= {item for _, group in groupby(rest, _function) for item in _left_out([*group])}
        config.hook.pytest_deselected(items=[*left_out])
        items[:] = [item for item in items if item not in left_out]

    def rank(item: pytest.Item) -> int:
        # the database of the boards takes half a minute: all who ask it are with the first worker, who has done them
        # before another has nothing left and takes over some
        if "seeded" in getattr(item, "fixturenames", ()):
            return -1
        name = item.path.stem
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=rank)


def _function(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


def _left_out(variants: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Those variants of a test marked `each_value` that show no value which another does not show."""
    if variants[0].get_closest_marker("each_value") is None:
        return []
    shown: set[tuple[str, str]] = set()
    rest = {item: _values(item) for item in variants}
    while rest:
        best = max(rest, key=lambda item: len(rest[item] - shown))
        if rest[best] <= shown:
            break
        shown |= rest.pop(best)
    return [*rest]


def _values(item: pytest.Item) -> set[tuple[str, str]]:
    return {(name, repr(value)) for name, value in getattr(item, "callspec").params.items()}  # noqa: B009


@pytest.fixture(autouse=True)
def searched_again() -> Iterator[None]:
    """What reports left out of the search for garbage is searched again: there are thousands of worlds."""
    yield
    gc.unfreeze()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Who is told of troubles."""
    with Receiver() as server:
        yield server


@pytest.fixture
def beats() -> Iterator[Receiver]:
    """Who hears the heartbeat."""
    with Receiver() as server:
        yield server
