"""Receivers that are slow, down or hostile, at every channel at once: they delay nothing, and `status` tells them."""

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest import logs
from ingest.report import build_report
from tests.notify.receiver import Receiver
from tests.notify.told import Told
from tests.world import HOUR
from tests.worlds import SITE, lived

SECRET = "a-topic-that-is-secret"
LONGEST_LOOK_S = 10.0
"""A receiver that is waited for holds a look up for a minute and more; a busy machine for less than this."""


class Rude:
    """A server that does as it likes with each connection until it is stopped."""

    def __init__(self, behave: Callable[[socket.socket, threading.Event], None]) -> None:
        self._behave, self._ends = behave, threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._meet, args=(line,), daemon=True).start()

    def _meet(self, line: socket.socket) -> None:
        with line:
            try:
                line.recv(65536)
                self._behave(line, self._ends)
            except OSError:
                return

    def stop(self) -> None:
        self._ends.set()
        self._socket.close()


def silent(_: socket.socket, ends: threading.Event) -> None:
    ends.wait(120)


def closing(_: socket.socket, __: threading.Event) -> None:
    """Nothing is said."""


def garbage(line: socket.socket, _: threading.Event) -> None:
    line.sendall(bytes(range(256)) * 8)


def dripping_head(line: socket.socket, ends: threading.Event) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while not ends.wait(0.02):
        line.sendall(b"x")


def dripping_body(line: socket.socket, ends: threading.Event) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not ends.wait(0.02):
        line.sendall(b"x")


def cutting(line: socket.socket, _: threading.Event) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx")


def failing(line: socket.socket, _: threading.Event) -> None:
    line.sendall(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")


def circling(line: socket.socket, _: threading.Event) -> None:
    line.sendall(b"HTTP/1.1 302 There\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


BEHAVIOURS = (silent, closing, garbage, dripping_head, dripping_body, cutting, failing, circling)
ALIKE = (dripping_head, cutting)
"""They take as long as `dripping_body`, and end as early as `closing`."""


@pytest.fixture
def good() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


def install(folder: Path, *addresses: str, **changes: Any) -> Told:
    folder.mkdir(exist_ok=True)
    return Told(lived(folder, [SITE], HOUR, notify={"to": [*addresses]}, **changes), wait=0.2)


def live(home: Told) -> float:
    """A trouble that begins and ends; the longest look in seconds."""
    longest = 0.0
    for rate in (1.0, 0.0):
        home.world.cloud.faults.error_5xx = rate
        for _ in range(16):
            home.world.run(900)
            began = time.monotonic()
            home.watch()
            longest = max(longest, time.monotonic() - began)
            home.notifier.settle(home.wait, home.now)
    return longest


def messages(receiver: Receiver) -> list[str]:
    return [message["message"].split(" (")[0] for message in receiver.messages]


EXPECTED = ["The cloud does not answer", "Over: The cloud does not answer"]


@pytest.fixture(scope="module")
def calm_calls(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many calls the same trouble takes where the one receiver answers well."""
    with Receiver() as receiver:
        calm = install(tmp_path_factory.mktemp("calm"), f"{receiver.url.replace('http', 'json', 1)}/calm")
        live(calm)
        assert messages(receiver) == EXPECTED
        calm.stop()
    return calm.world.wire.sent


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(behave, id=behave.__name__, marks=[pytest.mark.long] if behave in ALIKE else [])
        for behave in BEHAVIOURS
    ],
)
def test_who_does_not_answer_well_delays_nothing_and_is_told(
    tmp_path: Path, good: Receiver, calm_calls: int, behave: Callable[[socket.socket, threading.Event], None]
) -> None:
    rude = Rude(behave)
    place = f"127.0.0.1:{rude.port}"
    stream = io.StringIO()
    home = install(
        tmp_path / "rude",
        f"json://{place}/{SECRET}",
        f"{good.url.replace('http', 'json', 1)}/calm",
        heartbeat=f"http://{place}/{SECRET}",
        mqtt={"host": "127.0.0.1", "port": rude.port, "username": "u", "password": SECRET},
    )
    logs.setup(verbose=True, stream=stream)
    assert live(home) < LONGEST_LOOK_S
    assert messages(good) == EXPECTED, "the other receiver hears all, once"
    assert home.world.wire.sent == calm_calls, "as many calls as without them"
    made = build_report(home.world.settings, home.world.store.db, home.now)
    told = {problem.subject: problem.text for problem in made.problems if problem.kind == "receiver"}
    assert told.keys() == {"heartbeat", "json (notify.to[0])", "mqtt"}
    assert all(text.startswith(f"Nothing reaches {name}") for name, text in told.items())
    assert SECRET not in stream.getvalue() + str(made.document()) + str(told)
    rude.stop()
    home.stop()
