"""How lines are brought to an InfluxDB: cut into requests, asked again while failure is fleeting, judged."""

import socket
import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from ipaddress import ip_address
from os import environ
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt

from ingest.core.errors import ConfigError, SinkDown, SinkRefused
from ingest.deliver.answers import (
    NO_USE,
    UNREACHABLE,
    SinkAnswer,
    Words,
    down,
    judge,
    passes_by_itself,
    version_words,
    wait_asked,
)

LINES_PER_REQUEST = 5_000
"""About half a megabyte: every server takes it, and larger requests are not faster."""
CONNECT_SECONDS, ANSWER_SECONDS = 5, 30
Sleep = Callable[[float], None]

_ATTEMPTS, _FIRST_PAUSE, _LONGEST_PAUSE = 3, 0.2, 3.0
_WEATHER: tuple[tuple[type[BaseException], int, str], ...] = (
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
        for kind, status, words in _WEATHER:
            if isinstance(link, kind):
                return SinkAnswer(status, words)
        link = link.__cause__ or link.__context__
    return SinkAnswer(UNREACHABLE, "broke the connection")


class LineSink(ABC):
    """A database that takes line protocol over HTTP; its kinds differ in how one request is made."""

    fingerprint: str
    _words: Words

    def __init__(self, sleep: Sleep = time.sleep) -> None:
        self._retrying = Retrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=_pause,
            retry=retry_if_result(_worth_another),
            retry_error_callback=_last,
            sleep=sleep,
        )

    def write(self, lines: Sequence[str]) -> int:
        """Store the lines, 5,000 a request; returns how many are older than the database keeps."""
        return sum(judge(self._retrying(self._post, body), self._words) for body in _bodies(lines))

    def ping(self) -> str:
        """Prove that server, credentials and target are right; returns the version in words."""
        answer = self._retrying(self._hello)
        if answer.status not in (200, 204):
            raise SinkDown(down(answer, self._words))
        # A write of nothing changes nothing but is authorized like any other; 2.x says bad request then.
        with suppress(SinkRefused):
            judge(self._retrying(self._probe), self._words)
        return version_words(answer)

    def _probe(self) -> SinkAnswer:
        return self._post(b"")

    @abstractmethod
    def _post(self, body: bytes) -> SinkAnswer:
        """Write one batch."""

    @abstractmethod
    def _hello(self) -> SinkAnswer:
        """Ask /ping, which every version has."""

    @abstractmethod
    def close(self) -> None:
        """Release the connections."""


def _bodies(lines: Sequence[str]) -> Iterator[bytes]:
    for start in range(0, len(lines), LINES_PER_REQUEST):
        yield "\n".join(lines[start : start + LINES_PER_REQUEST]).encode()


def _last(state: RetryCallState) -> SinkAnswer:
    return state.outcome.result() if state.outcome else SinkAnswer(UNREACHABLE)


def _pause(state: RetryCallState) -> float:
    asked = wait_asked(_last(state))
    return _FIRST_PAUSE * 2.0 ** (state.attempt_number - 1) if asked is None else asked


def _worth_another(answer: SinkAnswer) -> bool:
    # Who asks for a long pause is left alone: the sender comes back by itself.
    return passes_by_itself(answer) and (wait_asked(answer) or 0.0) <= _LONGEST_PAUSE
