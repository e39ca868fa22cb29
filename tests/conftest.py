"""What all tests share: the longest begin first, garbage is collected rarely, SIGINT works."""

import gc
import signal
from collections.abc import Iterator

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
    settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        name = item.path.stem
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=rank)


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
