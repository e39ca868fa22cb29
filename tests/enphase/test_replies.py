"""The verdict on a reply: there is one for every status and every body, and its reason fits a line."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.core.http import Reply
from ingest.core.span import Span
from ingest.enphase.replies import Kind, one_line, verdict, words

WINDOW = Span(1_565_049_600, 1_565_136_000)
spans = st.none() | st.tuples(st.integers(0, 2**33), st.integers(0, 2**33)).map(lambda ends: Span(*sorted(ends)))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
error_bodies = st.fixed_dictionaries(
    {},
    optional={
        key: json_values | st.text(max_size=400)
        for key in ("message", "details", "reason", "errorMessages", "period", "period_end", "code", "first_interval")
    },
)
bodies = (
    st.binary(max_size=200)
    | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | error_bodies.map(lambda body: json.dumps(body).encode())
    | st.text(max_size=300).map(lambda text: f"<html><title>{text}</title>".encode("utf-8", "replace"))
    | st.sampled_from([b"[" * 5000, b'{"message":' * 3000, b"\xff\xfe", b"\xef\xbb\xbf{}", b"\x00" * 40])
)


@settings(max_examples=500)
@given(st.integers(0, 999), bodies, st.sampled_from(["v2", "v4"]), spans, st.none() | st.integers(0, 2**33))
@example(422, b"first_interval" + "\u0662".encode() * 9, "v4", WINDOW, None)
@example(200, b'{"a": 1' + b"0" * 5000 + b"}", "v4", None, None)
@example(500, b'{"message": 1' + b"0" * 4000 + b"}", "v4", None, None)
def test_every_reply_has_a_verdict_in_one_printable_line(
    status: int, body: bytes, version: str, window: Span | None, began_at: int | None
) -> None:
    judged = verdict(Reply(status, body, failure="line\nbreak" * 80), version, window, began_at)
    assert judged.kind in Kind
    assert len(judged.reason) <= 300
    assert judged.reason.isprintable()
    assert (judged.kind is Kind.OK) == isinstance(judged.data, dict)
    assert judged.kind is Kind.OK or judged.reason


@pytest.mark.parametrize("version", ["v2", "v4"])
def test_only_a_200_is_read(version: str) -> None:
    read = [status for status in range(1000) if verdict(Reply(status, b"{}"), version).kind is Kind.OK]
    assert read == [200]


@given(st.text(max_size=300))
def test_one_line_has_no_breaks_and_no_control_characters(text: str) -> None:
    assert one_line(text).isprintable()


def test_no_answer_is_weather() -> None:
    assert _said(verdict(Reply(0, failure="no answer in time"), "v4")) == (Kind.BUSY, "no answer in time")


def _said(judged: Any) -> tuple[Kind, str]:
    return judged.kind, judged.reason


def _outside(first: int, window: Span | None) -> Any:
    body = f"range is invalid. {{:first_interval=>{first}, :last_interval=>{first + 900}}}".encode()
    return verdict(Reply(422, body), "v4", window)


def test_a_window_that_begins_before_the_first_interval_is_outside() -> None:
    judged = _outside(WINDOW.start + 1, WINDOW)
    assert (Kind.OUTSIDE, WINDOW.start + 1) == (judged.kind, judged.first_at)


def test_a_window_after_the_first_interval_is_not_outside() -> None:
    assert _outside(WINDOW.start, WINDOW).kind is Kind.NOTHING


def test_a_snapshot_is_never_outside() -> None:
    assert _outside(WINDOW.start + 1, None).kind is Kind.NOTHING


@pytest.mark.parametrize(("began_at", "kind"), [(WINDOW.end, Kind.OUTSIDE), (WINDOW.end - 1, Kind.NOTHING)])
def test_a_window_before_the_system_began_is_outside(began_at: int, kind: Kind) -> None:
    assert verdict(Reply(422, b"{}"), "v4", WINDOW, began_at).kind is kind


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599, 408, 301, 302, 307])
def test_trouble_of_servers_and_gateways_is_weather(status: int) -> None:
    assert verdict(Reply(status, b"x"), "v4").kind is Kind.BUSY


@pytest.mark.parametrize("status", [400, 405, 406, 415, 418, 501])
def test_what_only_a_mistake_of_ours_brings_about_is_told_to_a_human(status: int) -> None:
    assert verdict(Reply(status, b"x"), "v4").kind is Kind.GARBLED


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("version", ["v2", "v4"])
def test_a_page_of_a_proxy_says_nothing_about_a_resource(status: int, version: str) -> None:
    page = b"\n <html><title>Sign in</title> access this resource: key is invalid</html>"
    assert (Kind.BUSY, f"HTTP {status}: an HTML page: Sign in") == _said(verdict(Reply(status, page), version))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"message": "Forbidden", "details": "no"}', "Forbidden: no"),
        ('{"reason": "405", "message": ["Method", "not allowed"]}', "Method, not allowed: 405"),
        ('{"errorCode": 7, "errorMessages": ["unavailable"]}', "unavailable"),
        ("<html><h1>Busy</h1></html>", "an HTML page: Busy"),
        ("plain\n\twords", "plain words"),
        ("", "no words"),
    ],
)
def test_a_reply_speaks_for_itself(body: str, expected: str) -> None:
    assert expected == words(body)


@pytest.mark.parametrize("status", [200, 204, 401, 403, 404, 409, 422, 429, 500, 501])
def test_a_reply_of_a_million_rows_is_judged_unread(status: int) -> None:
    reply = Reply(status, b'{"intervals":[' + b"{}," * 1_000_000 + b"{}]}")
    tracemalloc.start()
    try:
        assert verdict(reply, "v2").kind is not Kind.OK
        assert tracemalloc.get_traced_memory()[1] < len(reply.body)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("digits", [18, 19, 20, 21, 40])
@pytest.mark.parametrize("sign", ["", "-"])
def test_a_number_of_any_length_is_read_as_it_was_sent(digits: int, sign: str) -> None:
    number = f"{sign}{'9' * digits}"
    for offset in range(digits):
        data = verdict(Reply(200, f'{{"{"x" * offset}": {number}, "at": 1780490700}}'.encode()), "v4").data
        assert [repr(value) for value in data.values()] == [number, "1780490700"]
