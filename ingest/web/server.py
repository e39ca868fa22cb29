"""The page behind a port of this machine, in a thread of its own."""

import errno
import logging
import threading
from typing import TYPE_CHECKING, Any

from ingest.core.errors import ConfigError
from ingest.web.application import create_app
from ingest.web.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flask import Blueprint, Flask

NEXT_PORTS = 20
STOPPING_S = 10.0
LARGEST_REQUEST = 64 * 1024
MAX_PER_CLIENT, MAX_CONNECTIONS = 32, 256
"""Connections of one client, and of all: the oldest that waits for its request gives way to a new one."""
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "localhost"}  # noqa: S104 - only looked up
"""Where to find on this machine what listens on every address."""


class Server:
    """A running page. `url` is where it is."""

    def __init__(self, app: "Flask", host: str, port: int) -> None:
        from waitress import create_server, trigger, wasyncore  # noqa: PLC0415 - only the page needs it

        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a browser that asks for four files is no news
        sockets: dict[int, object] = {}
        server = create_server(
            app,
            map=sockets,
            host=host,
            port=port,
            threads=4,
            ident=None,
            connection_limit=2 * MAX_CONNECTIONS,
            channel_timeout=30,
            cleanup_interval=10,
            asyncore_use_poll=True,
            max_request_body_size=LARGEST_REQUEST,
            max_request_header_size=LARGEST_REQUEST,
            expose_tracebacks=False,
            clear_untrusted_proxy_headers=True,
        )
        for listening in list(sockets.values()):
            if hasattr(listening, "channel_class"):
                listening.channel_class = _admitting(listening.channel_class)
        self._waker = trigger.trigger(sockets)

        def end() -> None:
            server.task_dispatcher.shutdown()
            wasyncore.close_all(sockets)

        self._end = end
        self.host, self.port = host, int(getattr(server, "effective_port", port))
        self._thread = threading.Thread(target=server.run, name="web", daemon=True)

    @property
    def url(self) -> str:
        """The address to open on this machine."""
        name = EVERYWHERE.get(self.host, self.host)
        return f"http://{f'[{name}]' if ':' in name else name}:{self.port}/"

    def start(self) -> "Server":
        """Begin to answer."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Finish the answers under way and free the port."""
        self._waker.pull_trigger(self._end)  # by the thread that waits on the sockets: no other may close them
        self._thread.join(STOPPING_S)


def _admitting(make: "Callable[..., object]") -> "Callable[..., object]":
    """Make room before a connection is taken, so that slow and idle ones shut nobody out."""

    def admitted(server: Any, conn: object, address: tuple[str, int], *rest: object, **more: object) -> object:
        idle = sorted(
            (channel for channel in server.active_channels.values() if not channel.requests),
            key=lambda channel: channel.creation_time,
        )
        mine = [channel for channel in idle if channel.addr[0] == address[0]]
        if len(mine) >= MAX_PER_CLIENT:
            mine[0].handle_close()
        elif len(server.active_channels) >= MAX_CONNECTIONS and idle:
            idle[0].handle_close()
        return make(server, conn, address, *rest, **more)

    return admitted


def serve(source: Source, more: "Sequence[Blueprint]" = ()) -> Server | None:
    """The page where the settings want it, with `more` routes; None when it is off.

    On the next free port if the one wanted is taken.
    """
    web = source.settings.web
    if web is None:
        return None
    app = create_app(source, more)
    for port in (*range(web.port, min(web.port + NEXT_PORTS, 65536)), 0):
        try:
            return Server(app, web.host, port).start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise ConfigError(
                    f"{source.settings.config_path}: web.listen: {web.listen} cannot be listened on "
                    f"({error.strerror}); choose another address, or write `web: off`"
                ) from None
    raise ConfigError(f"{source.settings.config_path}: web.listen: no port is free at {web.host}")
