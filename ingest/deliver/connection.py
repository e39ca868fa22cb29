"""The address of a database, and the wording of connection failures."""

import socket
import ssl
from ipaddress import ip_address
from os import environ
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ingest.core.errors import ConfigError
from ingest.deliver.answers import NO_USE, UNREACHABLE, SinkAnswer

CONNECT_SECONDS, ANSWER_SECONDS = 5, 30

_OUTAGES: tuple[tuple[type[BaseException], int, str], ...] = (
    (ConnectionRefusedError, UNREACHABLE, "refuses connections: is it running, and is that its address?"),
    (
        socket.gaierror,
        UNREACHABLE,
        "cannot be found: its host name is not known here, check the `url` of the sink",
    ),
    (
        ssl.SSLError,
        NO_USE,
        "offers no TLS that is trusted here: check its certificate and the `url` of the sink",
    ),
    (TimeoutError, NO_USE, "does not answer in time: is it overloaded, or a firewall between?"),
    (UnicodeError, NO_USE, "cannot be talked to: its answer, or the credentials, are not plain text"),
)


class Address(NamedTuple):
    """Where a server is: its URL without credentials, those credentials, and whether it is this machine."""

    url: str
    username: str | None
    password: str | None
    local: bool


def parse_address(url: str) -> Address:
    """Take a URL apart. Raises ConfigError for what is none."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https"):
        raise ConfigError("the `url` of a sink looks like http://localhost:8086")
    place = f"[{host}]" if ":" in host else host
    shown = f"{parts.scheme}://{place}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
    user, password = (unquote(text) if text else None for text in (parts.username, parts.password))
    return Address(shown, user, password, _is_local(host))


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def ca_file() -> str | None:
    """The file of certificate authorities that the environment names, as curl and requests know it."""
    return environ.get("REQUESTS_CA_BUNDLE") or environ.get("SSL_CERT_FILE")


def unreachable(error: BaseException) -> SinkAnswer:
    """What a failed connection means, found in the chain of exceptions that libraries wrap around it."""
    link: BaseException | None = error
    while link is not None:
        for kind, status, words in _OUTAGES:
            if isinstance(link, kind):
                return SinkAnswer(status, words)
        link = link.__cause__ or link.__context__
    return SinkAnswer(UNREACHABLE, "broke the connection")
