"""The page behind a port of this machine, in a thread of its own."""

import errno
import logging
import threading
from typing import TYPE_CHECKING

from ingest.core.errors import ConfigError
from ingest.web.application import create_app
from ingest.web.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Blueprint, Flask

NEXT_PORTS = 20
LARGEST_REQUEST = 64 * 1024
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "localhost"}  # noqa: S104 - only looked up
"""Where to find on this machine what listens on every address."""


class Server:
    """A running page. `url` is where it is."""

    def __init__(self, app: "Flask", host: str, port: int) -> None:
        from waitress import create_server  # noqa: PLC0415 - only the page needs it

        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a browser that asks for four files is no news
        self._server = create_server(
            app,
            host=host,
            port=port,
            threads=4,
            ident=None,
            connection_limit=64,
            channel_timeout=30,
            max_request_body_size=LARGEST_REQUEST,
            max_request_header_size=LARGEST_REQUEST,
            expose_tracebacks=False,
            clear_untrusted_proxy_headers=True,
        )
        self.host, self.port = host, int(getattr(self._server, "effective_port", port))
        self._thread = threading.Thread(target=self._server.run, name="web", daemon=True)

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
        """Free the port."""
        self._server.close()


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
