"""The real servers, started once for all tests of a run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import influxd as real
from tests import influxd2, mosquitto
from tests.influxd import Influxd
from tests.influxd2 import ReadyInfluxd2
from tests.mosquitto import Eye, Mosquitto


def _influxd(factory: pytest.TempPathFactory, admin: tuple[str, str] | None) -> Iterator[Influxd]:
    if real.BINARY is None:
        why = "the real InfluxDB is missing: apt-get install influxdb"
        if os.environ.get("INGEST_REQUIRE_SERVERS") == "1":
            pytest.fail(why)
        pytest.skip(why)
    with Influxd(factory.mktemp("influxd"), admin) as server:
        yield server


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    yield from _influxd(tmp_path_factory, None)


@pytest.fixture(scope="session")
def guarded_influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    yield from _influxd(tmp_path_factory, ("root", "root-secret"))


@pytest.fixture(scope="session")
def ready_influxd2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadyInfluxd2]:
    if influxd2.BINARY is None:
        pytest.skip(influxd2.MISSING)
    with ReadyInfluxd2(tmp_path_factory.mktemp("influxd2") / "data") as server:
        yield server


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    if mosquitto.BINARY is None:
        why = "the real mosquitto is missing: apt-get install mosquitto"
        if os.environ.get("INGEST_REQUIRE_SERVERS") == "1":
            pytest.fail(why)
        pytest.skip(why)
    with Mosquitto(tmp_path / "mosquitto") as server:
        yield server


@pytest.fixture
def eye(broker: Mosquitto) -> Iterator[Eye]:
    made = Eye(broker)
    yield made
    made.close()
