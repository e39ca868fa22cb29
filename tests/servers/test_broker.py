"""The line to a real mosquitto that loses what the broker confirms."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from ingest.config import Mqtt
from ingest.notify.broker import OFFLINE, Broker
from tests.mosquitto import PASSWORD, USER, Eye, Mosquitto
from tests.servers.homely import until

CONFIRMED = 4
STATE, AVAILABILITY = "solar/state", "solar/availability"


class Lossy:
    """A line to a broker that carries everything but the confirmations of what was published."""

    def __init__(self, port: int) -> None:
        self._to, self._lines = port, list[socket.socket]()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._lines += [near, far]
                threading.Thread(target=self._carry, args=(near, far), daemon=True).start()
                threading.Thread(target=self._carry_but_confirmed, args=(far, near), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := source.recv(65536):
                target.sendall(part)

    def _carry_but_confirmed(self, source: socket.socket, target: socket.socket) -> None:
        """What a broker sends to one who is subscribed to nothing: packets of less than 128 bytes."""
        with contextlib.suppress(OSError), source.makefile("rb") as packets:
            while head := packets.read(2):
                packet = head + packets.read(head[1])
                if head[0] >> 4 != CONFIRMED:
                    target.sendall(packet)

    def cut(self) -> None:
        """Break all lines that stand."""
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listening.close()
        self.cut()


@pytest.fixture
def lossy(broker: Mosquitto) -> Iterator[Lossy]:
    line = Lossy(broker.port)
    yield line
    line.close()


def test_what_was_never_confirmed_does_not_come_after_what_is_newer(lossy: Lossy, eye: Eye) -> None:
    entry = Mqtt(host="127.0.0.1", port=lossy.port, username=USER, password=SecretStr(PASSWORD))
    line = Broker(entry, "test", AVAILABILITY)
    line.start()
    line.show({STATE: "1"})
    until(lambda: eye.seen.get(STATE) == "1")
    lossy.cut()
    until(lambda: line.error)
    line.show({STATE: "2"})
    until(lambda: eye.seen.get(STATE) == "2")
    line.stop()
    until(lambda: eye.seen.get(AVAILABILITY) == OFFLINE)
    assert [text for topic, text in eye.log if topic == STATE] == ["1", "2"]
