"""Requests over a real connection to a tiny server on this machine."""

import gc
import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import MaxRetryError
from urllib3.exceptions import SSLError as PoolSSLError

from ingest.core.http import Reply, Request
from ingest.fetch import transport
from ingest.fetch.transport import HttpTransport

Answer = Callable[[http.server.BaseHTTPRequestHandler], object]
SECRETS = ("the-key", "the-token", "the-refresh", "the-client-secret")


@dataclass
class Site:
    """A server that answers what the test sets, and keeps what it was sent."""

    url: str
    answer: Answer = lambda _: None
    seen: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)


@pytest.fixture(name="site")
def _site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            site.seen.append((self.path, dict(self.headers), self.rfile.read(length)))
            site.answer(self)

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield site
    site.done.set()
    server.shutdown()
    thread.join()
    server.server_close()


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def _send(url: str, sleeps: list[float] | None = None, **changes: object) -> Reply:
    asked = Request("GET", url, {"key": "the-key"}, {"Authorization": "Bearer the-token"}, **changes)  # type: ignore[arg-type]
    slept: list[float] = [] if sleeps is None else sleeps
    return HttpTransport(slept.append, "test/1").send(asked)


def test_a_reply_is_handed_back_as_it_came(site: Site) -> None:
    site.answer = says(422, b'{"details": "no"}')
    reply = _send(site.url)
    assert (reply.status, reply.body, reply.sent) == (422, b'{"details": "no"}', True)


def test_the_clouds_own_time_is_read(site: Site) -> None:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response_only(200)
        handler.send_header("Date", "Sun, 15 Jun 2025 15:06:40 GMT")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    site.answer = answer
    assert _send(site.url).date_at == 1_750_000_000


def test_what_is_asked_arrives(site: Site) -> None:
    site.answer = says(200)
    _send(site.url + "/api/v4/systems")
    (path, headers, body) = site.seen[0]
    assert path == "/api/v4/systems?key=the-key"
    assert (headers["Authorization"], headers["User-Agent"], body) == ("Bearer the-token", "test/1", b"")


def test_a_form_goes_into_the_body_with_the_client_in_the_header(site: Site) -> None:
    site.answer = says(200)
    form = {"grant_type": "refresh_token", "refresh_token": "the-refresh"}
    asked = Request("POST", site.url + "/oauth/token", form=form, basic=("me", "the-client-secret"))
    HttpTransport(lambda _: None, "test/1").send(asked)
    (path, headers, body) = site.seen[0]
    assert (path, body) == ("/oauth/token", b"grant_type=refresh_token&refresh_token=the-refresh")
    assert headers["Authorization"].startswith("Basic ")


def test_a_netrc_file_does_not_replace_the_token(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    site.answer = says(200)
    _send(site.url)
    assert site.seen[0][1]["Authorization"] == "Bearer the-token"


def test_a_redirect_is_not_followed(site: Site) -> None:
    site.answer = says(302, b"", Location=site.url + "/elsewhere")
    assert _send(site.url).status == 302
    assert len(site.seen) == 1


@pytest.mark.parametrize("place", ["http://[::1", "http://a]b/", "//[", "http://host:port/", "\x01"])
def test_a_redirect_to_nonsense_is_a_redirect(site: Site, place: str) -> None:
    site.answer = says(302, b"", Location=place)
    assert _send(site.url).status == 302


def _unanswered(reply: Reply, why: str) -> None:
    assert (0, why, True) == (reply.status, reply.failure, reply.sent)


def test_a_reply_that_was_cut_off_is_no_reply(site: Site) -> None:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        says(200, b'{"intervals": []', Content_Length="999")(handler)
        handler.close_connection = True

    site.answer = answer
    _unanswered(_send(site.url), "the connection broke before the reply was whole")
    assert len(site.seen) == 1


def test_a_chunked_reply_that_was_cut_off_is_no_reply(site: Site) -> None:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"4\r\n{}  \r\n9\r\n{")
        handler.close_connection = True

    site.answer = answer
    _unanswered(_send(site.url), "the connection broke before the reply was whole")


def test_a_connection_closed_without_an_answer_is_a_call_that_was_spent(site: Site) -> None:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.close_connection = True

    site.answer = answer
    _unanswered(_send(site.url), "the connection broke before the reply was whole")
    assert len(site.seen) == 1


def test_what_is_not_http_is_no_reply(site: Site) -> None:
    site.answer = lambda handler: print("garbage", file=_Text(handler))
    _unanswered(_send(site.url), "the connection broke before the reply was whole")


class _Text:
    """A handler's connection as a text file."""

    def __init__(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        self.handler = handler

    def write(self, text: str) -> int:
        self.handler.close_connection = True
        return self.handler.wfile.write(text.encode())


def test_a_server_that_says_nothing_is_waited_for_and_not_asked_twice(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "READ_S", 0.1)
    site.answer = lambda _: site.done.wait(30)
    _unanswered(_send(site.url), "no answer in time")
    assert len(site.seen) == 1


def test_a_reply_that_stops_halfway_is_not_waited_for_without_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "READ_S", 0.1)

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        says(200, b"{", Content_Length="999")(handler)
        handler.wfile.flush()
        site.done.wait(30)

    site.answer = answer
    assert ((reply := _send(site.url)).status, reply.sent) == (0, True)


def test_a_reply_without_end_is_not_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LARGEST", 2**20)

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while not site.done.is_set():
                handler.wfile.write(b" " * 65536)
        except OSError:
            pass

    site.answer = answer
    _unanswered(_send(site.url), "the reply is larger than 1 MB")


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_refused_connection_is_tried_three_times_and_costs_no_call() -> None:
    sleeps: list[float] = []
    reply = _send(f"http://127.0.0.1:{_closed_port()}", sleeps)
    assert (reply.status, reply.failure, reply.sent) == (0, "cannot connect; is the network up?", False)
    assert len(sleeps) == 2
    assert all(0 < seconds <= 5 for seconds in sleeps)


def test_a_connection_that_comes_up_at_the_second_attempt_is_used(site: Site) -> None:
    port = _closed_port()
    sleeps: list[float] = []
    site.answer = says(200, b"{}")
    carrier = HttpTransport(sleeps.append, "test/1")
    addresses = iter([f"http://127.0.0.1:{port}", site.url])
    real = carrier._once
    carrier._once = lambda request: real(Request("GET", next(addresses)))  # type: ignore[method-assign]
    assert carrier.send(Request("GET", "")).status == 200
    assert len(sleeps) == 1


@pytest.mark.parametrize("url", ["http://", "nonsense", "http://exa mple", "http://127.0.0.1:99999", "http://a..b/"])
def test_an_address_that_is_none_costs_no_call(url: str) -> None:
    reply = _send(url)
    assert (reply.status, reply.sent) == (0, False)


def test_a_token_that_no_header_can_hold_costs_no_call(site: Site) -> None:
    reply = HttpTransport(lambda _: None, "test/1").send(
        Request("GET", site.url, {}, {"Authorization": "Bearer \u20ac"})
    )
    assert (reply.status, reply.sent) == (0, False)
    assert site.seen == []


def test_a_proxy_that_is_down_costs_no_call(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{_closed_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    reply = _send("http://cloud.example")
    assert (reply.status, reply.failure, reply.sent) == (0, "cannot connect through the proxy", False)


def _tls(cause: Exception) -> Reply:
    error = requests.exceptions.SSLError(MaxRetryError(None, "/?key=the-key", PoolSSLError(cause)))  # type: ignore[arg-type]
    return transport._failure(error)


def test_a_certificate_that_is_not_trusted_costs_no_call() -> None:
    reply = _tls(ssl.SSLCertVerificationError("self-signed"))
    assert (reply.failure, reply.sent) == ("no secure connection (TLS): its certificate is not trusted", False)


def test_a_secure_connection_that_broke_may_have_cost_a_call() -> None:
    assert _tls(ssl.SSLEOFError("EOF occurred in violation of protocol")).sent


def test_a_secure_connection_that_broke_within_the_reply_has_cost_a_call() -> None:
    broken = requests.exceptions.SSLError(PoolSSLError(ssl.SSLError("bad record mac")))
    assert transport._failure(broken).sent


def test_no_failure_tells_a_secret(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "READ_S", 0.1)
    answers: list[Answer] = [
        says(200, b"x", Content_Length="9"),
        lambda handler: setattr(handler, "close_connection", True),
        lambda _: site.done.wait(30),
    ]
    told = []
    for site.answer in answers:
        told.append(_send(site.url, form={"refresh_token": "the-refresh"}, basic=("me", "the-client-secret")))
    told += [_send(f"http://127.0.0.1:{_closed_port()}"), _send("http://exa mple/the-key"), _send("the-key")]
    assert all(reply.status == 0 and reply.failure for reply in told)
    assert not [reply for reply in told for secret in SECRETS if secret in reply.failure + repr(reply)]


def test_a_reply_goes_with_the_last_who_knows_it(site: Site) -> None:
    """Not when cycles are searched for: a hundred replies of 200 kB take what a small computer has not."""
    transport = HttpTransport(lambda _: None, "test")
    site.answer = says(200, b"x")
    transport.send(Request("GET", site.url))
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            transport.send(Request("GET", site.url))
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_each_thread_has_a_connection_of_its_own(site: Site) -> None:
    site.answer = says(200, b"{}")
    carrier = HttpTransport(lambda _: None, "test/1")
    replies: list[int] = []
    threads = [
        threading.Thread(target=lambda: replies.append(carrier.send(Request("GET", site.url)).status)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [200] * 4


@given(st.text(max_size=40) | st.from_regex(r"\w{3}, \d{1,3} \w{3} \d{1,5} \d\d:\d\d:\d\d [+-]?\w{1,6}"))
def test_any_date_header_is_read_or_left(text: str) -> None:
    read = transport._date(text)
    assert read is None or isinstance(read, int)
