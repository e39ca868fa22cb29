"""The OAuth exchanges as values: what is asked, and what an answer means."""

import json
import tracemalloc
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.core.http import Reply, Request
from ingest.enphase.oauth import (
    App,
    Refused,
    TokenPair,
    authorize_url,
    by_code,
    by_password,
    by_refresh,
    read_token,
    user_id,
)

NOW = 1_750_000_000
APP = App("https://api.example", "client-5", "the-secret", "https://me.example/back?x=1")
DEVELOPER: dict[str, Any] = {
    "access_token": "unique access token",
    "token_type": "bearer",
    "refresh_token": "unique refresh token",
    "expires_in": 86393,
    "scope": "read write",
    "enl_uid": "217231",
    "enl_cid": "5",
    "enl_password_last_changed": "1638870641",
    "is_internal_app": False,
    "app_type": "system",
    "jti": "1ee68d30-3e79-4347-b7ea-a5851f6f15db",
}
"""The vendor's published answer for a developer application."""
PARTNER = DEVELOPER | {"app_type": "partner"}
ERROR = {"error": "invalid_request", "error_description": "A redirect_uri must be supplied."}

REQUESTS = {
    "code": (by_code(APP, "the-code"), {"code": "the-code", "redirect_uri": APP.redirect_uri}),
    "refresh": (by_refresh(APP, "the-refresh"), {"refresh_token": "the-refresh"}),
    "password": (by_password(APP, "me", "the-password"), {"username": "me", "password": "the-password"}),
}
GRANTS = {"code": "authorization_code", "refresh": "refresh_token", "password": "password"}


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_token_is_asked_for_by_post_with_a_form(kind: str) -> None:
    asked, form = REQUESTS[kind]
    assert (asked.method, asked.url) == ("POST", "https://api.example/oauth/token")
    assert {"grant_type": GRANTS[kind]} | form == dict(asked.form or {})
    assert asked.basic == ("client-5", "the-secret")


@pytest.mark.parametrize("kind", REQUESTS)
def test_no_secret_is_in_an_address(kind: str) -> None:
    asked, _ = REQUESTS[kind]
    assert dict(asked.params) == {}
    assert "the-" not in asked.url


@pytest.mark.parametrize("kind", REQUESTS)
def test_no_secret_shows_when_a_request_is_printed(kind: str) -> None:
    asked: Request = REQUESTS[kind][0]
    assert "the-" not in repr(asked)


def test_no_secret_shows_when_an_application_or_token_is_printed() -> None:
    assert "the-" not in repr(APP) + repr(TokenPair("the-access", "the-refresh", NOW, NOW + 9))


def test_the_page_of_consent_is_addressed_with_where_to_return() -> None:
    url = urlsplit(authorize_url(APP, "a state&more"))
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://api.example/oauth/authorize"
    assert {
        "response_type": ["code"],
        "client_id": ["client-5"],
        "redirect_uri": [APP.redirect_uri],
        "state": ["a state&more"],
    } == parse_qs(url.query)


def _read(body: object, status: int = 200) -> TokenPair | Refused:
    return read_token(Reply(status, json.dumps(body).encode()), NOW)


@pytest.mark.parametrize("sample", [DEVELOPER, PARTNER], ids=["developer", "partner"])
def test_the_vendors_examples_are_read(sample: dict[str, Any]) -> None:
    assert TokenPair("unique access token", "unique refresh token", NOW, NOW + 86393) == _read(sample)


@pytest.mark.parametrize(
    ("life", "seconds"),
    [
        (86393, 86393),
        ("3600", 3600),
        (3599.5, 3599),
        (None, 86400),
        (0, 86400),
        (-5, 86400),
        (True, 86400),
        ("soon", 86400),
        ("\u0663", 86400),
        (10**12, 86400),
        ([], 86400),
    ],
)
def test_a_token_lives_as_long_as_was_said_and_else_a_day(life: object, seconds: int) -> None:
    token = _read(DEVELOPER | {"expires_in": life})
    assert isinstance(token, TokenPair)
    assert NOW + seconds == token.expires_at


def test_a_token_without_a_life_lives_a_day() -> None:
    token = _read({key: value for key, value in DEVELOPER.items() if key != "expires_in"})
    assert isinstance(token, TokenPair)
    assert token.expires_at == NOW + 86400


@pytest.mark.parametrize("key", ["access_token", "refresh_token"])
@pytest.mark.parametrize("value", [None, "", 7, "a\r\nX: y", "a\x00b", "t\u00f6ken", ["a"]])
def test_half_a_pair_is_no_pair(key: str, value: object) -> None:
    assert Refused("the token endpoint's answer holds no pair of tokens") == _read(DEVELOPER | {key: value})


def test_a_token_is_renewed_when_a_fifth_of_its_life_is_left() -> None:
    assert TokenPair("a", "r", NOW, NOW + 10_000).renew_at() == NOW + 8000


def test_a_consent_lapses_thirty_days_after_the_pair_was_issued() -> None:
    assert TokenPair("a", "r", NOW, NOW + 10_000).lapses_at == NOW + 30 * 86400


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("error", ["invalid_grant", "invalid_token"])
def test_two_words_say_that_the_grant_is_dead(status: int, error: str) -> None:
    said = _read({"error": error, "error_description": "Gone."}, status)
    assert said == Refused(f"{error}: Gone.", dead=True)


@pytest.mark.parametrize(
    "body",
    [
        ERROR,
        {"error": "unauthorized", "error_description": "Bad credentials"},
        {"error": "unauthorized", "error_description": "Full authentication is required to access this resource"},
        {"timestamp": "2026-11-27T10:00:00.000+0000", "status": 401, "error": "Unauthorized", "path": "/oauth/token"},
        {"message": "Not Authorized", "details": "User is not authorized", "code": 401},
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403])
def test_no_other_refusal_kills_the_grant(status: int, body: dict[str, object]) -> None:
    said = _read(body, status)
    assert isinstance(said, Refused)
    assert (said.dead, said.unknown_client, said.of_client) == (False, False, status == 401)


def test_a_renewal_without_a_new_refresh_token_keeps_the_old_one() -> None:
    """RFC 6749, section 6."""
    body = {key: value for key, value in DEVELOPER.items() if key != "refresh_token"}
    token = read_token(Reply(200, json.dumps(body).encode()), NOW, "the-old-one")
    assert isinstance(token, TokenPair)
    assert token.refresh == "the-old-one"


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client"])
def test_a_refused_client_is_our_mistake(error: str) -> None:
    refused = _read({"error": error}, 401)
    assert isinstance(refused, Refused)
    assert refused.unknown_client


@pytest.mark.parametrize("error", ["server_error", "temporarily_unavailable"])
def test_trouble_of_the_server_kills_no_grant(error: str) -> None:
    assert Refused(f"{error}: later") == _read({"error": error, "error_description": "later"}, 400)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(0, failure="no answer in time"),
        Reply(200, b"<html><title>heavy load</title></html>"),
        Reply(200, b'{"access_tok'),
        Reply(302, b""),
        Reply(400, b"<html><title>Bad Request</title></html>"),
        Reply(404, b'{"message": "no"}'),
        Reply(429, b'{"message": "Too Many Requests"}'),
        Reply(500, b'{"error": "invalid_grant"}'),
        Reply(503, b"<html></html>"),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body[:8].decode()}",
)
def test_weather_kills_no_grant(reply: Reply) -> None:
    refused = read_token(reply, NOW)
    assert isinstance(refused, Refused)
    assert not refused.dead
    assert refused.reason


@given(
    st.integers(0, 999),
    st.binary(max_size=100)
    | st.dictionaries(
        st.sampled_from(["access_token", "refresh_token", "expires_in", "error", "error_description", "message"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2),
    ).map(lambda body: json.dumps(body).encode())
    | st.sampled_from([b'{"message": ' + b"[" * n + b"]" * n + b"}" for n in (100, 400, 600, 900, 5000)]),
)
def test_every_answer_is_a_pair_or_a_reason_in_one_line(status: int, body: bytes) -> None:
    answer = read_token(Reply(status, body, failure="broke\noff"), NOW)
    if isinstance(answer, TokenPair):
        assert (status, True) == (200, answer.expires_at > NOW)
    else:
        assert answer.reason.isprintable()
        assert 0 < len(answer.reason) <= 300


def test_the_v2_user_id_is_the_hex_of_the_base64_line() -> None:
    assert user_id(247) == "4d6a51330a"


@pytest.mark.parametrize("row", [b"{}," * 1_000_000, b'"ab",' * 240_000, b"{}," * 90_000])
@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_an_answer_that_is_far_too_large_is_refused_unread(status: int, row: bytes) -> None:
    reply = Reply(status, b'{"access_token":"a","refresh_token":"b","rows":[' + row + b"{}]}")
    tracemalloc.start()
    try:
        assert isinstance(read_token(reply, NOW), Refused)
        assert tracemalloc.get_traced_memory()[1] < len(reply.body)
    finally:
        tracemalloc.stop()
