"""A web server for one answer: it catches the browser that comes back from the vendor's consent page."""

import socket
import time
from collections.abc import Callable
from html import escape
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlsplit

from ingest.core.errors import IngestError
from ingest.enphase.oauth import ConsentAnswer, answer_of

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer"><title>{title}</title></head>
<body><main><h1>{title}</h1><p>{text}</p></main></body></html>
"""
POLL_S, READ_S = 0.25, 10


class Catcher:
    """Listens on a port of this machine; a context manager. `conclude` turns an answer into words for the browser.

    Raises `OSError` when the port is taken.
    """

    def __init__(self, host: str, port: int, path: str, conclude: Callable[[ConsentAnswer], str]) -> None:
        catcher = self

        class Handler(BaseHTTPRequestHandler):
            timeout = READ_S

            def do_GET(self) -> None:
                catcher._answer(self)

            def log_message(self, *_: object) -> None:
                """Addresses hold codes: nothing is logged."""

        self._path, self._conclude = path, conclude
        address = "127.0.0.1" if host == "localhost" else host
        self._server = (_Six if ":" in address else HTTPServer)((address, port), Handler)
        self._server.timeout = POLL_S

    def __enter__(self) -> "Catcher":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    def serve(self, seconds: float, done: Callable[[], bool]) -> None:
        """ConsentAnswer browsers until `done`, or until the time is over."""
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            self._server.handle_request()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        if parts.path != self._path:
            _send(handler, 404, "Not here", "The answer of the consent page is awaited at another address.")
            return
        try:
            text = self._conclude(answer_of(dict(parse_qsl(parts.query, keep_blank_values=True))))
        except IngestError as error:
            _send(handler, 400, "Not authorized", f"{error}.")
        else:
            _send(handler, 200, "Authorized", text)


class _Six(HTTPServer):
    address_family = socket.AF_INET6


def _send(handler: BaseHTTPRequestHandler, status: int, title: str, text: str) -> None:
    body = _PAGE.format(title=escape(title), text=escape(text)).encode()
    handler.send_response_only(status)
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Length": str(len(body)),
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Connection": "close",
    }
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
