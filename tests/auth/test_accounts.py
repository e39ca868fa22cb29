"""The grants in memory: what is due, what a person must do, and what other programs put on the disk."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.auth.accounts import FRESH_S, Accounts, Renewal
from ingest.auth.authorizer import Authorizer, Login
from ingest.auth.token_files import StoredTokens, TokenFiles
from ingest.core.errors import AuthBusy, AuthNeeded, ConfigError
from ingest.core.http import Reply
from ingest.core.span import Span
from ingest.core.units import DAY
from ingest.enphase.call import Purpose, Task
from ingest.enphase.oauth import App, TokenPair
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams.site import SYSTEMS
from ingest.fetch.worker import Outcome
from tests.auth.test_authorizer import INVALID_CLIENT, INVALID_GRANT, Endpoint, pair

NOW = 1_750_000_000
YOUNG = TokenPair("a1", "r1-secret", NOW, NOW + DAY)
OLD = TokenPair("a0", "r0-secret", NOW - 2 * DAY, NOW - DAY)


@pytest.fixture(name="files")
def _files(tmp_path: Path) -> TokenFiles:
    return TokenFiles(tmp_path / "tokens")


def accounts(
    files: TokenFiles, *script: Reply, logins: tuple[str, ...] = (), names: tuple[str, ...] = ("home",)
) -> Accounts:
    known = {name: Login("me@example.org", "the-password") for name in logins}
    endpoint = Endpoint(*script)
    app = App("https://api.example", "client-5", "the-secret")
    return Accounts(names, {}, Authorizer(app, files, endpoint, lambda: NOW, known))


def renew(held: Accounts, now: int = NOW) -> object:
    held.begin("home")
    renewal = held.renew("home", 1)
    held.finish(renewal, now)
    return renewal.error


def test_a_stored_pair_is_used_without_a_call(files: TokenFiles) -> None:
    files.write("home", StoredTokens(YOUNG))
    held = accounts(files)
    assert held.due(NOW) == []
    assert held.grant("home", NOW) == "a1"
    assert held.days_left(NOW) == {"home": 30.0}


def test_without_consent_nothing_is_asked_and_the_next_step_is_said_once(
    files: TokenFiles, caplog: pytest.LogCaptureFixture
) -> None:
    held = accounts(files)
    with caplog.at_level(logging.INFO):
        assert [held.due(NOW + step) for step in range(5)] == [[]] * 5
    assert held.needed() == {"home": "account home is not authorized yet; run `ingest auth login home`"}
    assert [record.msg for record in caplog.records] == ["bad"]
    assert held.next_at(NOW) > NOW + DAY


def test_a_consent_given_elsewhere_is_noticed(files: TokenFiles, caplog: pytest.LogCaptureFixture) -> None:
    held = accounts(files)
    held.due(NOW)
    files.write("home", StoredTokens(YOUNG))
    with caplog.at_level(logging.INFO):
        assert held.due(NOW) == []
    assert (held.grant("home", NOW), held.needed()) == ("a1", {})
    assert [record.msg for record in caplog.records] == ["bad", "good"]


def test_a_new_consent_takes_the_place_of_a_pair_that_is_still_good(files: TokenFiles) -> None:
    files.write("home", StoredTokens(YOUNG))
    held = accounts(files)
    held.due(NOW)
    files.write("home", StoredTokens(replace(YOUNG, access="a9")))
    held.due(NOW)
    assert held.grant("home", NOW) == "a9"


def test_a_logout_beside_the_runner_ends_the_calls(files: TokenFiles) -> None:
    files.write("home", StoredTokens(YOUNG))
    held = accounts(files)
    held.due(NOW)
    files.forget("home")
    assert held.due(NOW) == []
    assert held.grant("home", NOW) == ""
    assert "not authorized" in held.needed()["home"]


def test_what_is_left_of_a_dead_pair_is_used_to_its_end(files: TokenFiles) -> None:
    files.write("home", StoredTokens(YOUNG, dead="consent was withdrawn"))
    held = accounts(files)
    assert held.due(NOW) == []
    assert held.grant("home", NOW) == "a1"
    assert held.grant("home", YOUNG.expires_at) == ""
    assert held.needed() == {"home": "consent was withdrawn"}


def test_a_partner_needs_nobody(files: TokenFiles) -> None:
    held = accounts(files, pair("a5", "r5"), logins=("home",))
    assert held.due(NOW) == ["home"]
    assert renew(held) is None
    assert held.grant("home", NOW) == "a5"


def test_while_one_account_needs_a_person_the_others_go_on(files: TokenFiles) -> None:
    files.write("cabin", StoredTokens(YOUNG))
    held = accounts(files, names=("home", "cabin"))
    held.due(NOW)
    assert (held.grant("home", NOW), held.grant("cabin", NOW)) == ("", "a1")
    assert list(held.needed()) == ["home"]


def test_a_pair_is_renewed_ahead_of_its_end(files: TokenFiles) -> None:
    files.write("home", StoredTokens(YOUNG))
    held = accounts(files, pair("a2", "r2"))
    assert held.due(NOW + int(0.8 * DAY) - 1) == []
    assert held.due(NOW + int(0.8 * DAY)) == ["home"]
    assert held.next_at(NOW) == NOW + int(0.8 * DAY)


def test_a_pair_is_renewed_every_few_days_however_long_it_lives() -> None:
    assert TokenPair("a", "r", NOW, NOW + 100 * DAY).renew_at() == NOW + 3 * DAY


def test_weather_is_waited_for_in_growing_pauses(files: TokenFiles) -> None:
    files.write("home", StoredTokens(OLD))
    held = accounts(files)
    held.due(NOW)
    pauses = []
    now = NOW
    for _ in range(9):
        held.begin("home")
        held.finish(Renewal("home", 1, error=AuthBusy("later")), now)
        pauses.append(held.next_at(now) - now)
        now += pauses[-1]
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


@pytest.mark.parametrize(("reply", "stops"), [(INVALID_CLIENT, ["fatal"]), (INVALID_GRANT, ["needed"])])
def test_only_a_refused_application_stops_everything(files: TokenFiles, reply: Reply, stops: list[str]) -> None:
    files.write("home", StoredTokens(OLD))
    held = accounts(files, reply)
    assert held.due(NOW) == ["home"]
    fatal = isinstance(renew(held), ConfigError)
    assert stops == ["fatal"] * fatal + ["needed"] * bool(held.needed())


def _expired(held: Accounts, grant: str, now: int) -> Kind:
    task = Task("home", "@home", SYSTEMS, Span(now, now), Purpose.LIVE)
    return held.judge(Outcome(task, 1, Verdict(Kind.EXPIRED, "no"), grant), now).verdict.kind


@pytest.mark.parametrize(
    ("age", "kind", "due"),
    [(1, Kind.DENIED, []), (FRESH_S, Kind.EXPIRED, ["home"]), (-3600, Kind.EXPIRED, ["home"])],
    ids=["just issued", "older", "issued by a clock that was wrong"],
)
def test_a_token_called_expired_is_renewed_once_unless_it_is_new(
    files: TokenFiles, age: int, kind: Kind, due: list[str]
) -> None:
    files.write("home", StoredTokens(YOUNG))
    held = accounts(files)
    held.due(NOW + age)
    assert _expired(held, "a1", NOW + age) is kind
    assert due == held.due(NOW + age)
    assert _expired(held, "another", NOW + age) is Kind.EXPIRED


def test_a_renewal_without_an_authorizer_is_a_sentence() -> None:
    held = Accounts(["home"], {"home": "4d6a51330a"}, None)
    assert held.due(NOW) == []
    assert held.grant("home", NOW) == "4d6a51330a"
    assert isinstance(held.renew("home", 1).error, AuthNeeded)


def test_a_token_that_lives_a_second_is_renewed_once_a_minute(files: TokenFiles) -> None:
    files.write("home", StoredTokens(OLD))
    short = Reply(200, b'{"access_token": "a1", "refresh_token": "r1", "expires_in": 1}')
    held = accounts(files, *[short] * 10)
    renewed = []
    for now in range(NOW, NOW + 300):
        if held.due(now):
            renew(held, now)
            renewed.append(now - NOW)
    assert renewed == [0, 60, 120, 180, 240]


def test_whatever_renewing_raises_comes_back(files: TokenFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write("home", StoredTokens(OLD))
    held = accounts(files)

    def fail(*_: object) -> None:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(Authorizer, "renew", fail)
    held.due(NOW)
    assert isinstance(renew(held), AuthBusy)
    assert held.renewing == 0
    assert held.due(NOW + 59) == []
    assert held.due(NOW + 60) == ["home"]
