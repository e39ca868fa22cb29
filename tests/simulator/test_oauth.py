"""Consent, codes and tokens, with both answers to the question whether an old refresh token lives on."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from ingest.simulator import CLIENT_ID, PARTNER_PASSWORD, PARTNER_USER, Answer, Caller, Cloud, Faults, Site

DAY = 86400
NOW = datetime(2026, 4, 20, 21, 7, 30, tzinfo=UTC).timestamp()
HOUSE = Site(66, "House", "UTC", 37.8, -121.3, 7600, 20, int(NOW) - 100 * DAY)
BACK = "http://localhost:8080/oauth/callback"


class World:
    def __init__(self, **options: Any) -> None:
        self.now = NOW
        self.cloud = Cloud([HOUSE], clock=lambda: self.now, plan=(10**9, 10**9), **options)
        self.caller = Caller(self.cloud)

    def authorize(self, decision: str = "", **query: str) -> Answer:
        asked = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": BACK, "state": "s t"} | query
        body = urlencode({"user": "owner", "decision": decision}).encode() if decision else b""
        asked = {name: value for name, value in asked.items() if value}
        method = "POST" if decision else "GET"
        return self.cloud.handle(method, f"/oauth/authorize?{urlencode(asked)}", {}, body)

    def refresh(self, token: str) -> Any:
        return json.loads(self.caller.token(grant_type="refresh_token", refresh_token=token).body)

    def works(self, access: str) -> bool:
        self.caller.access = access
        return self.caller.get("/66").status == 200


def sent_back(answer: Answer) -> dict[str, list[str]]:
    assert answer.status == 302
    assert answer.headers["Location"].startswith(BACK)
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def test_a_person_sees_a_page_and_approval_brings_code_and_state() -> None:
    world = World()
    page = world.authorize()
    assert page.headers["Content-Type"].startswith("text/html")
    assert b"Approve" in page.body
    assert b"Reject" in page.body
    found = sent_back(world.authorize("approve"))
    assert found["state"] == ["s t"]
    code = found["code"][0]
    assert len(code) == 6
    tokens = world.caller.token(grant_type="authorization_code", code=code, redirect_uri=BACK)
    assert tokens.status == 200
    assert world.works(json.loads(tokens.body)["access_token"])


def test_rejection_brings_access_denied() -> None:
    found = sent_back(World().authorize("reject"))
    assert found["error"] == ["access_denied"]
    assert found["state"] == ["s t"]
    assert "code" not in found


def test_an_address_is_needed_and_must_be_registered() -> None:
    missing = World().authorize(redirect_uri="")
    assert missing.status == 400
    assert b"A redirect_uri must be supplied." in missing.body
    assert World(redirect_uris=["https://elsewhere"]).authorize().status == 400
    assert World(redirect_uris=[BACK]).authorize().status == 200
    assert World().authorize(client_id="someone").status == 400


def test_an_address_cannot_break_out_of_its_header() -> None:
    location = World().authorize("approve", redirect_uri=f"{BACK}\r\nX-Evil: 1").headers["Location"]
    assert "\r" not in location
    assert "\n" not in location


def test_the_default_address_shows_the_code_and_nothing_dangerous() -> None:
    answer = World().cloud.handle("GET", "/oauth/redirect_uri?code=<b>a1B2c3", {})
    assert b"a1B2c3" in answer.body
    assert b"<b>" not in answer.body


@pytest.mark.parametrize("spoil", ["reused", "late", "elsewhere", "invented"])
def test_a_bad_code_is_an_invalid_grant(spoil: str) -> None:
    world = World()
    code = world.cloud.consent(redirect_uri=BACK)
    given = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    if spoil == "reused":
        world.caller.token(**given)
    if spoil == "late":
        world.now += 301
    if spoil == "elsewhere":
        given["redirect_uri"] = "https://elsewhere"
    if spoil == "invented":
        given["code"] = "aaaaaa"
    answer = world.caller.token(**given)
    assert answer.status == 400
    assert json.loads(answer.body)["error"] == "invalid_grant"


def test_parameters_may_stand_in_the_query_but_get_fails() -> None:
    world = World()
    world.caller.authorize()
    query = urlencode({"grant_type": "refresh_token", "refresh_token": world.caller.refresh})
    basic = {"Authorization": "Basic c2ltdWxhdGVkLWNsaWVudC1pZDpzaW11bGF0ZWQtY2xpZW50LXNlY3JldA=="}
    assert world.cloud.handle("GET", f"/oauth/token?{query}", basic).status == 405
    assert world.cloud.handle("POST", f"/oauth/token?{query}", basic).status == 200


@pytest.mark.parametrize("authorization", ["", "Basic !!", "Basic YTpi", "Bearer x"])
def test_a_wrong_client_is_refused(authorization: str) -> None:
    answer = World().cloud.handle("POST", "/oauth/token", {"Authorization": authorization})
    assert answer.status == 401
    assert json.loads(answer.body)["error"] == "invalid_client"


def test_access_lives_a_day_and_refresh_a_month() -> None:
    world = World()
    world.caller.authorize()
    access, refresh = world.caller.access, world.caller.refresh
    world.now = NOW + 86398
    assert world.works(access)
    world.now = NOW + 86399
    assert not world.works(access)
    world.now = NOW + 30 * DAY - 1
    renewed = world.refresh(refresh)
    assert world.works(renewed["access_token"])
    assert renewed["refresh_token"] != refresh
    assert renewed["expires_in"] == 86399
    world.now = NOW + 30 * DAY
    assert world.refresh(refresh)["error"] == "invalid_grant"


def test_lenient_an_old_refresh_token_lives_until_the_new_one_is_used() -> None:
    world = World()
    first = world.caller.authorize().refresh
    second = world.refresh(first)["refresh_token"]
    again = world.refresh(first)["refresh_token"]
    assert again != second
    third = world.refresh(again)["refresh_token"]
    assert world.refresh(first)["error"] == "invalid_grant"
    assert "refresh_token" in world.refresh(third)


def test_strict_an_old_refresh_token_is_dead_when_the_answer_is_made() -> None:
    world = World(strict_tokens=True)
    first = world.caller.authorize().refresh
    second = world.refresh(first)["refresh_token"]
    assert world.refresh(first)["error"] == "invalid_grant"
    assert "refresh_token" in world.refresh(second)


def test_strict_a_lost_answer_leaves_nothing_that_works() -> None:
    world = World(strict_tokens=True)
    first = world.caller.authorize().refresh
    world.cloud.faults = Faults(token_lost=1.0)
    assert world.caller.token(grant_type="refresh_token", refresh_token=first).hang
    world.cloud.faults = Faults()
    assert world.refresh(first)["error"] == "invalid_grant"


def test_tokens_survive_a_restart_with_the_same_seed_only() -> None:
    world, restarted, other = World(), World(), World(seed=2)
    world.caller.authorize()
    assert restarted.works(world.caller.access)
    assert "access_token" in restarted.refresh(world.caller.refresh)
    assert not other.works(world.caller.access)


def test_a_token_cannot_be_altered_or_used_as_the_other_kind() -> None:
    world = World()
    world.caller.authorize()
    access, refresh = world.caller.access, world.caller.refresh
    assert not world.works(refresh)
    assert world.refresh(access)["error"] == "invalid_grant"
    head, body, signature = access.split(".")
    assert not world.works(f"{head}.{body[:-2]}AA.{signature}")
    assert not world.works("rubbish")


def test_revocation_kills_tokens_and_a_new_consent_helps_even_in_the_same_second() -> None:
    world = World()
    world.caller.authorize()
    access, refresh = world.caller.access, world.caller.refresh
    world.cloud.revoke()
    assert not world.works(access)
    assert world.refresh(refresh)["error"] == "invalid_grant"
    renewed = world.caller.authorize()
    assert world.works(renewed.access)
    assert world.works(world.refresh(renewed.refresh)["access_token"])


def test_a_partner_logs_in_with_a_password() -> None:
    world = World()
    given = {"grant_type": "password", "username": PARTNER_USER, "password": PARTNER_PASSWORD}
    assert json.loads(world.caller.token(**given).body)["app_type"] == "partner"
    assert world.caller.token(**given | {"password": "x"}).status == 400
    assert world.caller.token(grant_type="magic").status == 400


@pytest.mark.parametrize(("down", "status"), [("500", 500), ("timeout", 0)])
def test_the_token_endpoint_can_be_down(down: str, status: int) -> None:
    world = World(faults=Faults(token_down=down))
    assert world.caller.token(grant_type="password").status == status
    world.cloud.faults.token_down = "html"
    assert b"heavy load" in world.caller.token(grant_type="password").body
    assert len(world.cloud.token_calls) == 2


def test_v2_consent_tells_the_user_id() -> None:
    world = World()
    query = urlencode({"app_id": "1", "redirect": BACK})
    page = world.cloud.handle("GET", f"/app_user_auth/new?{query}", {})
    assert b"Approve" in page.body
    body = urlencode({"user": "owner", "decision": "approve"}).encode()
    found = sent_back(world.cloud.handle("POST", f"/app_user_auth/new?{query}", {}, body))
    target = f"/api/v2/systems?{urlencode({'key': world.caller.key, 'user_id': found['user_id'][0]})}"
    assert world.cloud.handle("GET", target, {}).status == 200
