"""Obtaining and renewing tokens against a token endpoint that follows a script."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.auth.authorizer import Authorizer, Login
from ingest.auth.token_files import StoredTokens, TokenFiles
from ingest.core.errors import AuthBusy, AuthNeeded, ConfigError, IngestError, StateError
from ingest.core.http import Reply, Request
from ingest.enphase.oauth import App, TokenPair

NOW = 1_750_000_000
APP = App("https://api.example", "client-5", "the-secret")
FIRST = TokenPair("a1", "r1-secret", NOW - 90_000, NOW - 3600)
BEFORE = TokenPair("a0", "r0-secret", NOW - 180_000, NOW - 90_000)

INVALID_GRANT = Reply(400, b'{"error": "invalid_grant", "error_description": "Invalid refresh token"}')
INVALID_CLIENT = Reply(401, b'{"error": "invalid_client", "error_description": "Bad client credentials"}')
WEATHER = [
    Reply(0, failure="no answer in time"),
    Reply(500, b'{"message": "Internal Server Error"}'),
    Reply(503, b"<html><title>heavy load</title></html>"),
    Reply(200, b"<html><title>heavy load</title></html>"),
    Reply(429, b'{"message": "Too Many Requests"}'),
]


def pair(access: str, refresh: str) -> Reply:
    """The endpoint hands out a pair."""
    body = {"access_token": access, "refresh_token": refresh, "expires_in": 86_400}
    return Reply(200, json.dumps(body).encode(), NOW)


class Endpoint:
    """Answers what the script says, in order, and keeps what was asked; asking more often is a mistake."""

    def __init__(self, *script: Reply, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.script, self.meanwhile = list(script), meanwhile
        self.asked: list[str] = []

    def send(self, request: Request) -> Reply:
        self.meanwhile()
        form = dict(request.form or {})
        self.asked.append(next(form[name] for name in ("refresh_token", "code", "password") if name in form))
        return self.script.pop(0)


@pytest.fixture(name="files")
def _files(tmp_path: Path) -> TokenFiles:
    return TokenFiles(tmp_path / "tokens")


def authorizer(files: TokenFiles, endpoint: Endpoint, *, partner: bool = False) -> Authorizer:
    logins = {"home": Login("me@example.org", "the-password")} if partner else {}
    return Authorizer(APP, files, endpoint, lambda: NOW, logins)


def refused(error: type[IngestError], act: Callable[[], object]) -> str:
    """The words with which an act was refused."""
    with pytest.raises(error) as caught:
        act()
    return str(caught.value)


def test_a_code_becomes_a_pair_on_the_disk(files: TokenFiles) -> None:
    token = authorizer(files, Endpoint(pair("a1", "r1"))).by_code("home", "code-1")
    assert TokenPair("a1", "r1", NOW, NOW + 86_400) == token
    assert StoredTokens(token) == files.read("home")


def test_a_renewed_pair_keeps_the_one_before_it(files: TokenFiles) -> None:
    files.write("home", StoredTokens(FIRST, BEFORE))
    endpoint = Endpoint(pair("a2", "r2"))
    token = authorizer(files, endpoint).renew("home", "a1")
    assert endpoint.asked == ["r1-secret"]
    assert StoredTokens(token, FIRST) == files.read("home")


def test_a_new_pair_is_on_the_disk_before_anybody_can_use_it(files: TokenFiles) -> None:
    class NoDisk(TokenFiles):
        def write(self, account: str, stored: StoredTokens) -> None:
            raise StateError("no space left on the device")

    files.write("home", StoredTokens(FIRST))
    with pytest.raises(StateError, match="no space left"):
        authorizer(NoDisk(files.folder), Endpoint(pair("a2", "r2"))).renew("home", "a1")
    assert StoredTokens(FIRST) == files.read("home")


def test_what_another_program_renewed_costs_no_call(files: TokenFiles) -> None:
    files.write("home", StoredTokens(FIRST))
    endpoint = Endpoint()
    assert authorizer(files, endpoint).renew("home", "an older one") == FIRST
    assert endpoint.asked == []


def test_a_refused_refresh_token_is_followed_by_the_one_before_it_once(files: TokenFiles) -> None:
    files.write("home", StoredTokens(FIRST, BEFORE))
    endpoint = Endpoint(INVALID_GRANT, pair("a2", "r2"))
    token = authorizer(files, endpoint).renew("home", "a1")
    assert endpoint.asked == ["r1-secret", "r0-secret"]
    assert StoredTokens(token, FIRST) == files.read("home")


def test_two_refused_refresh_tokens_need_a_person(files: TokenFiles) -> None:
    files.write("home", StoredTokens(FIRST, BEFORE))
    endpoint = Endpoint(INVALID_GRANT, INVALID_GRANT)
    said = refused(AuthNeeded, lambda: authorizer(files, endpoint).renew("home", "a1"))
    assert "`ingest auth login home`" in said
    assert "invalid_grant" in said
    assert StoredTokens(FIRST, BEFORE, said) == files.read("home")


def test_the_first_pair_has_none_before_it_to_try(files: TokenFiles) -> None:
    files.write("home", StoredTokens(FIRST))
    endpoint = Endpoint(INVALID_GRANT)
    refused(AuthNeeded, lambda: authorizer(files, endpoint).renew("home", "a1"))
    assert endpoint.asked == ["r1-secret"]


def test_dead_tokens_are_not_tried_again(files: TokenFiles) -> None:
    files.write("home", StoredTokens(FIRST, BEFORE, dead="consent was withdrawn; run `ingest auth login home`"))
    endpoint = Endpoint()
    said = refused(AuthNeeded, lambda: authorizer(files, endpoint).renew("home", "a1"))
    assert said == "consent was withdrawn; run `ingest auth login home`"
    assert endpoint.asked == []


def test_a_new_consent_brings_dead_tokens_back(files: TokenFiles) -> None:
    files.write("home", StoredTokens(FIRST, BEFORE, dead="consent was withdrawn"))
    clerk = authorizer(files, Endpoint(pair("a2", "r2"), pair("a3", "r3")))
    clerk.by_code("home", "code-1")
    assert clerk.renew("home", "a2").access == "a3"


def test_an_account_nobody_authorized_says_which_command_does(files: TokenFiles) -> None:
    endpoint = Endpoint()
    said = refused(AuthNeeded, lambda: authorizer(files, endpoint).renew("home", ""))
    assert said == "account home is not authorized yet; run `ingest auth login home`"
    assert endpoint.asked == []


def test_a_partner_logs_in_by_itself(files: TokenFiles) -> None:
    endpoint = Endpoint(pair("a1", "r1"))
    token = authorizer(files, endpoint, partner=True).renew("home", "")
    assert endpoint.asked == ["the-password"]
    assert StoredTokens(token) == files.read("home")


def test_a_partner_recovers_from_dead_tokens_by_itself(files: TokenFiles) -> None:
    files.write("home", StoredTokens(FIRST, BEFORE))
    endpoint = Endpoint(INVALID_GRANT, INVALID_GRANT, pair("a2", "r2"))
    token = authorizer(files, endpoint, partner=True).renew("home", "a1")
    assert endpoint.asked == ["r1-secret", "r0-secret", "the-password"]
    assert StoredTokens(token) == files.read("home")


@pytest.mark.parametrize("reply", WEATHER, ids=lambda reply: f"{reply.status}")
def test_weather_leaves_the_pair_as_it_is(files: TokenFiles, reply: Reply) -> None:
    files.write("home", StoredTokens(FIRST, BEFORE))
    written = files.path("home").read_bytes()
    said = refused(AuthBusy, lambda: authorizer(files, Endpoint(reply)).renew("home", "a1"))
    assert "trying again later" in said
    assert written == files.path("home").read_bytes()


@pytest.mark.parametrize("reply", WEATHER, ids=lambda reply: f"{reply.status}")
def test_weather_at_the_second_chance_leaves_the_pair_as_it_is(files: TokenFiles, reply: Reply) -> None:
    files.write("home", StoredTokens(FIRST, BEFORE))
    refused(AuthBusy, lambda: authorizer(files, Endpoint(INVALID_GRANT, reply)).renew("home", "a1"))
    assert StoredTokens(FIRST, BEFORE) == files.read("home")


def test_a_refused_application_is_a_matter_of_configuration(files: TokenFiles) -> None:
    files.write("home", StoredTokens(FIRST, BEFORE))
    endpoint = Endpoint(INVALID_CLIENT)
    said = refused(ConfigError, lambda: authorizer(files, endpoint).renew("home", "a1"))
    assert "api.client_id" in said
    assert StoredTokens(FIRST, BEFORE) == files.read("home")
    assert len(endpoint.asked) == 1


def test_a_used_code_needs_a_person_and_leaves_the_pair(files: TokenFiles) -> None:
    files.write("home", StoredTokens(FIRST))
    refused(AuthNeeded, lambda: authorizer(files, Endpoint(INVALID_GRANT)).by_code("home", "code-1"))
    assert StoredTokens(FIRST) == files.read("home")


@pytest.mark.parametrize("name", ["code", "refresh", "password"])
def test_a_refusal_that_quotes_a_secret_is_told_without_it(files: TokenFiles, name: str) -> None:
    """Servers built on a widespread library answer "Invalid refresh token: " and the token."""

    class Echo(Endpoint):
        def send(self, request: Request) -> Reply:
            super().send(request)
            quoted = json.dumps({"error": "invalid_grant", "error_description": f"Invalid: {self.asked[-1]}"})
            return Reply(400, quoted.encode())

    clerk = authorizer(files, Echo(INVALID_GRANT, INVALID_GRANT), partner=name == "password")
    if name == "refresh":
        files.write("home", StoredTokens(FIRST))
    act = {"code": lambda: clerk.by_code("home", "c0d3")}.get(name, lambda: clerk.renew("home", "a1"))
    said = refused(AuthNeeded, act)
    assert "Invalid: ***" in said
    assert not any(secret in said for secret in ("c0d3", "r1-secret", "the-password"))


def test_the_file_is_read_again_inside_the_lock(files: TokenFiles) -> None:
    """Another program renews while we wait for the lock: we must spend the token it left, not the one we knew."""
    files.write("home", StoredTokens(FIRST))
    held: list[bool] = []

    class Watched(TokenFiles):
        def read(self, account: str) -> StoredTokens | None:
            held.append(True)
            return super().read(account)

    watched = Watched(files.folder)
    with files.lock("home"):
        assert held == []
    endpoint = Endpoint(pair("a2", "r2"))
    authorizer(watched, endpoint).renew("home", "a1")
    assert held == [True]


def test_the_clouds_own_time_is_passed_on(files: TokenFiles) -> None:
    dates: list[int | None] = []
    clerk = Authorizer(APP, files, Endpoint(pair("a1", "r1")), lambda: NOW, {}, dates.append)
    clerk.by_code("home", "code-1")
    assert dates == [NOW]
