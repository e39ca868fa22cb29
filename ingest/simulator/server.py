"""Real HTTP on localhost around a simulated cloud."""

import select
import socket
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from ingest.simulator.answers import Answer
from ingest.simulator.cloud import Cloud
from ingest.simulator.demo import demo_sites
from ingest.simulator.faults import faults_from
from ingest.simulator.quota import PLANS

BLANK = b" " * 2**20
HANG = 60.0
"""Most seconds that a call without an answer is kept waiting."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], cloud: Cloud, stopping: Event) -> None:
        self.cloud = cloud
        self.stopping = stopping
        self.open: set[socket.socket] = set()
        super().__init__(address, _HttpHandler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is no error of the vendor's."""


class _HttpHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Every method is the cloud's to judge."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Queries hold keys: nothing is logged."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.cloud.handle(self.command, self.path, dict(self.headers.items()), body)
        if answer.hang:
            self._wait(HANG)
            self.close_connection = True
            return
        if answer.delay and not answer.drip:
            self._wait(answer.delay)
        self._send(answer)

    def _wait(self, seconds: float) -> None:
        """Until the time is over, the caller has gone, or the server stops."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.server.stopping.wait(0.05):
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) + answer.padding))
        if answer.drip == "headers":
            self._drip(b"X-Slow: yes\r\n" * 1000, answer.delay)
        self.end_headers()
        if self.command == "HEAD":
            return
        if answer.drip:
            self._drip(answer.body, answer.delay)
            return
        self.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut else answer.body)
        for _ in range(0, answer.padding, len(BLANK)):
            self.wfile.write(BLANK)
        self.close_connection = self.close_connection or answer.cut

    def _drip(self, data: bytes, pause: float) -> None:
        """Byte by byte, until the caller has gone or the server stops."""
        self.close_connection = True
        self.flush_headers()
        for at in range(len(data)):
            self.wfile.write(data[at : at + 1])
            self.wfile.flush()
            if self.server.stopping.wait(pause):
                return


class SimulatedServer:
    """A cloud behind http://127.0.0.1:port; port 0 takes a free one. A context manager."""

    def __init__(self, cloud: Cloud, port: int = 0, host: str = "127.0.0.1") -> None:
        self.cloud = cloud
        self._stopping = Event()
        self._server = _Server((host, port), cloud, self._stopping)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The base address, without a slash at its end."""
        return f"http://{self._server.server_address[0]!s}:{self.port}"

    def start(self) -> "SimulatedServer":
        """Begin to answer, in a thread of its own."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End all connections and free the port."""
        self._stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        for connection in list(self._server.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._server.server_close()

    def __enter__(self) -> "SimulatedServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(
    port: int = 0,
    systems: int = 3,
    days: int = 14,
    plan: str = "watt",
    seed: int = 1,
    faults: Mapping[str, float] | None = None,
) -> SimulatedServer:
    """Start the demo systems as a server with the real time; ValueError names what is valid."""
    if plan not in PLANS:
        raise ValueError(f"no plan is called {plan!r}; there are: {', '.join(PLANS)}")
    sites = demo_sites(int(time.time()), systems, days, seed)
    cloud = Cloud(sites, clock=time.time, seed=seed, plan=plan, faults=faults_from(faults or {}))
    return SimulatedServer(cloud, port).start()
