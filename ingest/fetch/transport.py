"""Requests over the network: one session a thread, bounded in time and size, never following a redirect.

A time-out of `requests` is one between two bytes, so a reply that drips could take for ever: an alarm cuts the
connection when the whole of it, headers included, has taken too long.

Only a failure before the request was sent is tried again here. Once sent, a call is spent, and the planner decides
whether another is worth it.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_exponential, wait_random
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationValueError, MaxRetryError, NewConnectionError
from urllib3.exceptions import SSLError as Urllib3SSLError
from urllib3.response import HTTPResponse

from ingest.core.http import Reply, Request

CONNECT_S, READ_S = 10.0, 60.0
WHOLE_S = 120.0
"""The longest that a request may take, from connecting to the last byte."""
LARGEST = 4 * 2**20
"""No honest reply is larger: a week of 5-minute intervals is 200 kB. As Python objects, JSON takes tenfold room."""
PLAUSIBLE = range(1_704_067_200, 4_102_444_800)
"""Epoch seconds of a `Date` that may be believed: the years 2024 to 2099."""
ATTEMPTS = 3

_FAILURES: tuple[tuple[tuple[type[Exception], ...], str, bool], ...] = (
    ((requests.exceptions.ProxyError,), "cannot connect through the proxy", False),
    ((requests.Timeout,), "no answer in time", True),
    ((UnicodeError,), "the token or the key holds characters that cannot be sent", False),
    (
        (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, LocationValueError),
        "the address of the API is not valid",
        False,
    ),
)
"""What went wrong, in words, and whether the request may have been sent."""


class HttpTransport:
    """Requests by the requests library. `sleep` waits between attempts to connect."""

    def __init__(self, sleep: Callable[[float], None], user_agent: str) -> None:
        self._agent = user_agent
        self._local = threading.local()
        self._retrying = Retrying(  # one for all: it refers to itself, and one for each call would keep its reply
            retry=retry_if_result(lambda reply: not reply.sent),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=0.5, max=4) + wait_random(0, 1),
            sleep=sleep,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )

    def send(self, request: Request) -> Reply:
        """One request, tried again only while it never left this machine."""
        reply: Reply = self._retrying(self._once, request)
        return reply

    def _session(self) -> requests.Session:
        session = getattr(self._local, "session", None)
        if session is None:
            session = _Session()
            session.mount("http://", _Adapter(max_retries=0))
            session.mount("https://", _Adapter(max_retries=0))
            session.headers.update({"User-Agent": self._agent, "Accept": "application/json"})
            self._local.session = session
        return session

    def _once(self, request: Request) -> Reply:
        with _Alarm(WHOLE_S) as alarm:
            reply = self._asked(request)
        return replace(reply, status=0, failure=_TOO_LONG) if alarm.rang else reply

    def _asked(self, request: Request) -> Reply:
        try:
            with self._session().request(
                request.method,
                request.url,
                params=[*request.params.items(), *request.more],
                headers=dict(request.headers),
                data=dict(request.form) if request.form is not None else None,
                auth=request.basic or _as_it_is,
                timeout=(CONNECT_S, READ_S),
                allow_redirects=False,
                stream=True,
            ) as response:
                return _reply(response)
        except (requests.RequestException, HTTPError, UnicodeError) as error:
            return _failure(error)
        except OSError as error:  # of a file that the environment names, such as REQUESTS_CA_BUNDLE
            return Reply(0, failure=f"the request cannot be made: {error}", sent=False)


class _Session(requests.Session):
    """A session that does not look where a redirect leads: requests reads the address also where it follows none."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere; an address that is none would end in an exception."""


_TOO_LONG = "the reply took too long to arrive"
_ALARMS = threading.local()


class _Alarm:
    """A context in which this thread's connections to the cloud are cut when it lasts too long; `rang` says so."""

    def __init__(self, seconds: float) -> None:
        self.rang = False
        self.connection: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True

    def __enter__(self) -> "_Alarm":
        _ALARMS.now = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        del self._timer  # each knows the other
        _ALARMS.now = None

    def _ring(self) -> None:
        self.rang = True
        if self.connection is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.connection, socket.SHUT_RDWR)  # TLS would say good-bye first, and wait


class _Watched(HTTPConnection):
    """A connection that the alarm knows: while it is made, and while its reply is awaited."""

    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        _ALARMS.now.connection = made
        return made

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3 has it
        """The reply; what was connected may be another socket by now, that of TLS."""
        _ALARMS.now.connection = self.sock
        return super().getresponse()


class _WatchedTls(_Watched, HTTPSConnection):
    """The same with TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager


def _as_it_is(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    """Our own `Authorization`: without this, an entry in `~/.netrc` would take its place."""
    return prepared


def _reply(response: requests.Response) -> Reply:
    body = bytearray()
    try:
        for chunk in response.iter_content(65536):
            body += chunk
            if len(body) > LARGEST:
                return Reply(0, failure=f"the reply is larger than {LARGEST >> 20} MB")
    except (requests.RequestException, HTTPError) as error:
        return replace(_failure(error), body=bytes(body))  # what did arrive is kept as a sample
    location = _location(response.url, response.headers.get("Location", ""))
    return Reply(response.status_code, bytes(body), _date(response.headers.get("Date")), location=location)


def _location(url: str, location: str) -> str:
    """Where a redirect leads, without what could hold a secret: the user, the query, the fragment."""
    try:
        parts = urlsplit(urljoin(url, location))
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    name = parts.hostname or ""
    return f"{parts.scheme}://{f'[{name}]' if ':' in name else name}{port}{parts.path}"[:200] if location else ""


def _date(text: str | None) -> int | None:
    """The cloud's own time, where it can be believed."""
    try:
        found = int(parsedate_to_datetime(text).timestamp()) if text else 0
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found in PLAUSIBLE else None


def _failure(error: Exception) -> Reply:
    """Words without the address: its query holds the key."""
    cause = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    if isinstance(cause, NewConnectionError | ConnectTimeoutError):
        return Reply(0, failure="cannot connect; is the network up?", sent=False)
    if isinstance(error, requests.exceptions.SSLError):
        certificate = isinstance(cause, Urllib3SSLError) and isinstance(cause.args[0], ssl.SSLCertVerificationError)
        why = "its certificate is not trusted" if certificate else "it was refused or broke"
        return Reply(0, failure=f"no secure connection (TLS): {why}", sent=not certificate)
    for kinds, words, sent in _FAILURES:
        if isinstance(error, kinds):
            return Reply(0, failure=words, sent=sent)
    return Reply(0, failure="the connection broke before the reply was whole")
