"""A hundred kinds of reply that no honest cloud gives, and the ways in which they come."""

import gzip
import json
import socket
import time
from collections.abc import Callable, Iterator

LARGE = 5 * 2**20
"""Bytes: more than any honest reply."""


STATUSES = (
    *(
        201,
        202,
        203,
        205,
        206,
        226,
        299,
        300,
        301,
        303,
        304,
        305,
        307,
        308,
        399,
        400,
        402,
        405,
        406,
        407,
        408,
        409,
        410,
    ),
    *(
        411,
        413,
        414,
        415,
        416,
        417,
        418,
        421,
        423,
        424,
        425,
        426,
        428,
        431,
        451,
        499,
        500,
        501,
        502,
        503,
        504,
        505,
        507,
    ),
    *(508, 511, 520, 521, 522, 525, 530, 599, 600, 999),
)


def http(status: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    """A reply whose length is told, rightly unless another is given."""
    told = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {told}", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def _statuses() -> Iterator[tuple[str, bytes]]:
    words = b'{"message":"no","details":"nothing","code":1}'
    for status in STATUSES:
        yield f"status {status}", http(f"{status} X", words)
    yield "redirect to itself", http("302 Found", b"", "Location: /api/v4/systems")
    yield "redirect to a file", http("302 Found", b"", "Location: file:///etc/passwd")
    yield "redirect to nonsense", http("302 Found", b"", "Location: http://[::1")
    yield "no status", b"\r\n\r\n"
    yield "status of letters", b"HTTP/1.1 abc OK\r\n\r\n"
    yield "another protocol", b"SSH-2.0-OpenSSH_9.2\r\n"
    yield "http 0.9", b"hello"
    yield "tls alert", b"\x15\x03\x01\x00\x02\x02\x28"
    yield "nothing", b""
    yield "reset", b""
    yield "informational without end", b"HTTP/1.1 100 Continue\r\n\r\n" * 50


def _bodies() -> Iterator[tuple[str, bytes]]:
    yield from {
        "empty": b"",
        "null": b"null",
        "number": b"7",
        "text": b'"systems"',
        "list": b"[]",
        "empty object": b"{}",
        "not a number": b'{"systems":NaN}',
        "infinite": b'{"intervals":[{"end_at":1e999}]}',
        "deep": b"[" * 100_000,
        "deep object": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        "half": b'{"systems":[{"system_id":7',
        "bom": b'\xef\xbb\xbf{"systems":[]}',
        "utf-16": '{"systems":[]}'.encode("utf-16"),
        "binary": bytes(range(256)) * 40,
        "zeros": b"\0" * 10_000,
        "huge number": b'{"total":' + b"9" * 5000 + b"}",
        "keys twice": b'{"systems":[],"systems":{}}',
        "html": b"<html><body><h1>We are down</h1></body></html>",
        "script": b"<script>alert(1)</script>",
        "xml": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        "control": b'{"message":"\\u0000\\u001b[2J\\u202e\\ud800"}',
        "systems of text": b'{"systems":"all","total":1}',
        "systems of numbers": b'{"systems":[1,2,3],"total":3}',
        "systems without end": b'{"systems":[{"system_id":1}],"total":99999999999,"current_page":-5,"size":0}',
        "a system called null": b'{"systems":[{"system_id":null}],"total":1}',
        "a system called like a path": b'{"systems":[{"system_id":"../../token"}],"total":1}',
        "zone of nowhere": b'{"systems":[{"system_id":700001,"timezone":"../../etc/passwd"}],"total":1}',
        "of another system": b'{"system_id":1,"intervals":[]}',
        "intervals null": b'{"system_id":700001,"intervals":null}',
        "intervals of the year 9999": b'{"intervals":[{"end_at":253402300799,"enwh":1,"devices_reporting":1}]}',
        "intervals before time": b'{"intervals":[{"end_at":-1,"enwh":1,"devices_reporting":1}]}',
        "negative energy": b'{"intervals":[{"end_at":1782864000,"enwh":-1e300,"devices_reporting":1}]}',
        "reported in the future": b'{"intervals":[],"meta":{"last_report_at":99999999999}}',
        "a crowd of systems": b'{"systems":[' + b",".join(b'{"system_id":%d}' % at for at in range(55_000)) + b"]}",
        "a million rows": b'{"systems":[' + b"{}," * 1_000_000 + b"{}]}",
        "rows of nothing": b'{"intervals":[' + b"{}," * 55_000 + b"{}]}",
        "a quarter of a million words": b'{"systems":[' + b'"ab",' * 240_000 + b'"ab"]}',
        "half a million words": b'{"systems":[' + b'"ab",' * 490_000 + b'"ab"]}',
        "totals without end": b'{"start_date":"0001-01-01","production":[' + b"1," * 200_000 + b"1]}",
        "token of a number": b'{"access_token":1,"refresh_token":2,"expires_in":3}',
        "token for a second": b'{"access_token":"aaaa","refresh_token":"bbbb","expires_in":1}',
        "token with line breaks": b'{"access_token":"a\\r\\nX: y","refresh_token":"b","expires_in":86400}',
        "error of lists": b'{"error":["invalid_grant"],"error_description":{"a":1}}',
    }.items()


def _headers() -> Iterator[tuple[str, bytes]]:
    good = b'{"systems":[],"total":0}'
    yield "too long a length", http("200 OK", good, length=10_000)
    yield "too short a length", http("200 OK", good, length=3)
    yield "negative length", http("200 OK", good, length=-1)
    yield "absurd length", http("200 OK", good, length=10**18)
    yield "two lengths", http("200 OK", good, "Content-Length: 3")
    yield "a header of 100 kB", http("200 OK", good, "X-Long: " + "a" * 100_000)
    yield "ten thousand headers", http("200 OK", good, *(f"X-{number}: y" for number in range(10_000)))
    yield "header without a colon", http("200 OK", good, "nonsense")
    yield "not zipped", http("200 OK", good, "Content-Encoding: gzip")
    yield "bomb", http("200 OK", gzip.compress(b" " * (64 * 2**20)), "Content-Encoding: gzip")
    yield "unknown encoding", http("200 OK", good, "Content-Encoding: rot13")
    yield "bad chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"
    yield "chunk too large", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n{}"
    for date in ("Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "yesterday", "0" * 5000):
        yield f"date {date[:16]}", http("200 OK", good, f"Date: {date}")
    limits: dict[str, dict[str, object]] = {
        "endless": {"period": "month", "period_end": 10**18},
        "past": {"period_end": -5},
        "of text": {"period": 7, "period_end": "soon", "message": "Requested date is in the future"},
        "first": {"details": ":first_interval=>99999999999999"},
    }
    for status in (409, 422, 429):
        yield from (
            (f"{status} {name}", http(f"{status} X", json.dumps(body).encode())) for name, body in limits.items()
        )


def _fixed() -> dict[str, bytes]:
    bodies = {f"200 {name}": http("200 OK", body) for name, body in _bodies()}
    return {**dict(_statuses()), **bodies, **dict(_headers())}


def _constant(reply: bytes) -> Callable[[bytes], bytes]:
    return lambda _: reply


def quoting(status: str) -> Callable[[bytes], bytes]:
    """An error that quotes the whole request, key and token included."""
    return lambda asked: http(status, json.dumps({"message": asked.decode("latin-1"), "details": ["x"]}).encode())


KINDS: dict[str, Callable[[bytes], bytes]] = {name: _constant(reply) for name, reply in _fixed().items()}
KINDS |= {f"quotes with {status}": quoting(f"{status} X") for status in (200, 400, 401, 403, 404, 422, 429, 500)}


def plain(line: socket.socket, reply: bytes) -> None:
    """At once."""
    line.sendall(reply)


def dripping(line: socket.socket, reply: bytes) -> None:
    """Byte by byte."""
    for at in range(min(len(reply), 200)):
        line.sendall(reply[at : at + 1])
        time.sleep(0.01)


def endless(line: socket.socket, reply: bytes) -> None:
    """Going on for ever, whatever length was told."""
    line.sendall(reply)
    until = time.monotonic() + 2
    while time.monotonic() < until:
        line.sendall(b" " * 1000)
        time.sleep(0.005)


def huge(line: socket.socket, reply: bytes) -> None:
    """With a body of megabytes of which the length is told."""
    head, _, body = reply.partition(b"\r\n\r\n")
    kept = [part for part in head.split(b"\r\n") if not part.lower().startswith(b"content-length")]
    length = b"Content-Length: %d" % (len(body) + LARGE)
    line.sendall(b"\r\n".join([*kept, length]) + b"\r\n\r\n" + body + b" " * LARGE)


def repeated(line: socket.socket, reply: bytes) -> None:
    """Over and over on one connection."""
    for _ in range(20):
        line.sendall(reply)


MANNERS: dict[str, Callable[[socket.socket, bytes], None]] = {
    "plain": plain,
    "dripping": dripping,
    "endless": endless,
    "huge": huge,
    "repeated": repeated,
}
