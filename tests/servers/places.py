"""The databases that the contract of a sink is tried on: each kind of sink, and a server behind it."""

from abc import ABC, abstractmethod
from typing import Any

from ingest.deliver.influx import InfluxSink
from ingest.deliver.influx_v1 import InfluxV1Sink
from ingest.deliver.sink import Sink
from tests.influxd import Influxd
from tests.influxd2 import ReadyInfluxd2
from tests.servers.strict_v2 import StrictV2
from tests.servers.v2_proxy import V2Proxy

TOKEN = "a-token-that-is-secret"


def no_sleep(seconds: float) -> None:
    """Tests do not wait."""


class Place(ABC):
    """A server and the sink that writes to it; every test has a database name of its own."""

    version = "InfluxDB 1.6.7"

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def make(self, days: int | None = None) -> None:
        """Make the database, keeping points for so many days."""

    @abstractmethod
    def sink(self, name: str | None = None, secret: str | None = None) -> Sink:
        """A sink for this place, perhaps for another database or with another secret."""

    @abstractmethod
    def rows(self, measurement: str) -> list[dict[str, Any]]:
        """What is stored, in order of time."""

    @abstractmethod
    def kill(self) -> None:
        """Take the server away without a word."""

    @abstractmethod
    def start(self) -> None:
        """Bring it back."""


class V1(Place):
    """influx_v1 to the real 1.6."""

    def __init__(self, name: str, server: Influxd) -> None:
        super().__init__(name)
        self.server = server

    def make(self, days: int | None = None) -> None:
        self.server.execute(f'CREATE DATABASE "{self.name}"' + (f" WITH DURATION {days}d" if days else ""))

    def sink(self, name: str | None = None, secret: str | None = None) -> Sink:
        user, password = self.server.admin or ("", "")
        return InfluxV1Sink(self.server.url, name or self.name, user, secret or password, sleep=no_sleep)

    def rows(self, measurement: str) -> list[dict[str, Any]]:
        return self.server.query(self.name, f'SELECT * FROM "{measurement}"')  # noqa: S608

    def kill(self) -> None:
        self.server.kill()

    def start(self) -> None:
        self.server.start()


class Proxied(V1):
    """influxdb through a proxy to the real 1.6: as good as a 1.8."""

    def __init__(self, name: str, server: Influxd, proxy: V2Proxy) -> None:
        super().__init__(name, server)
        self.proxy = proxy

    def sink(self, name: str | None = None, secret: str | None = None) -> Sink:
        return InfluxSink(self.proxy.url, secret or TOKEN, None, name or self.name, sleep=no_sleep)

    def kill(self) -> None:
        self.proxy.stop()
        super().kill()

    def start(self) -> None:
        super().start()
        self.proxy.start()


class Strict(Place):
    """influxdb to the strict stand-in for 2.x."""

    version = "InfluxDB 2.9.1"

    def __init__(self, name: str, server: StrictV2) -> None:
        super().__init__(name)
        self.server = server

    def make(self, days: int | None = None) -> None:
        self.server.buckets[self.name] = days * 86400 if days else None

    def sink(self, name: str | None = None, secret: str | None = None) -> Sink:
        return InfluxSink(self.server.url, secret or TOKEN, "home", name or self.name, sleep=no_sleep)

    def rows(self, measurement: str) -> list[dict[str, Any]]:
        return self.server.rows(self.name, measurement)

    def kill(self) -> None:
        self.server.stop()

    def start(self) -> None:
        self.server.start()


class V2(Place):
    """influxdb to a real 2.x."""

    version = "InfluxDB 2."

    def __init__(self, name: str, server: ReadyInfluxd2) -> None:
        super().__init__(name)
        self.server = server

    def make(self, days: int | None = None) -> None:
        self.server.make(self.name, days)

    def sink(self, name: str | None = None, secret: str | None = None) -> Sink:
        return InfluxSink(self.server.url, secret or self.server.token, "home", name or self.name, sleep=no_sleep)

    def rows(self, measurement: str) -> list[dict[str, Any]]:
        return self.server.query(self.server.token, self.name, f'SELECT * FROM "{measurement}"')  # noqa: S608

    def kill(self) -> None:
        self.server.kill()

    def start(self) -> None:
        self.server.start()
