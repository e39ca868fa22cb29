"""Consent by a link and a code: what the page and the commands share, and every way in which it can go wrong."""

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ingest.auth.consent import SHORT, ConsentFlow, StateRefused, States, only_account
from ingest.auth.token_files import TokenFiles
from ingest.core.errors import AuthNeeded, ConfigError, StateError
from ingest.core.units import DAY
from ingest.enphase.oauth import ConsentAnswer, answer_of, read_answer
from ingest.service import onboarding
from ingest.simulator import Cloud, Faults, demo_sites
from ingest.web import authorize, bare
from tests.world import START, Time, Wire, settings

PAGE = "https://cloud.example/oauth/redirect_uri"
LOCAL = "http://localhost:8080/oauth/callback"


@pytest.fixture(name="states")
def _states(tmp_path: Path) -> States:
    return States(TokenFiles(tmp_path / "tokens"))


def test_a_state_works_once(states: States) -> None:
    state = states.issue("home", START, SHORT)
    assert states.redeem(state, START + 1) == "home"
    with pytest.raises(StateRefused, match="used already"):
        states.redeem(state, START + 2)


def test_a_state_expires(states: States) -> None:
    state = states.issue("home", START, SHORT)
    with pytest.raises(StateRefused, match="expired"):
        states.redeem(state, START + SHORT)


@pytest.mark.parametrize("state", ["", "guessed", "\udc80", "x" * 5000])
def test_a_state_that_was_never_issued_is_refused(states: States, state: str) -> None:
    states.issue("home", START, SHORT)
    with pytest.raises(StateRefused, match="unknown or expired"):
        states.redeem(state, START)


def test_states_are_long_random_and_not_in_any_file(states: States) -> None:
    issued = {states.issue("home", START, SHORT) for _ in range(20)}
    assert len(issued) == 20
    assert min(len(state) for state in issued) >= 32
    states.redeem(next(iter(issued)), START)
    for path in states._files.folder.glob(".consents.*"):
        assert not any(state in path.read_text() for state in issued)
        assert path.stat().st_mode & 0o777 == 0o600


def test_another_process_knows_the_state(states: States) -> None:
    state = states.issue("home", START, SHORT)
    assert States(TokenFiles(states._files.folder)).redeem(state, START) == "home"


def test_no_number_of_others_ends_a_state(states: States) -> None:
    mine = states.issue("home", START, SHORT)
    for number in range(500):
        states.redeem(states.issue("home", START + number, SHORT), START + number)
    assert states.redeem(mine, START + 600) == "home"


def test_used_states_do_not_pile_up(states: States) -> None:
    for number in range(20):
        states.redeem(states.issue("home", START + number, SHORT), START + number)
    states.redeem(states.issue("home", START + 9 * DAY, SHORT), START + 9 * DAY)
    assert len(states._read()) == 1


@pytest.mark.parametrize("part", [0, 1, 2, 3])
def test_a_state_that_was_changed_is_refused(states: States, part: int) -> None:
    parts = states.issue("home", START, SHORT).split(".")
    parts[part] = {0: "x" * 24, 1: str(START + 10**6), 2: "cabin", 3: "x" * 43}[part]
    with pytest.raises(StateRefused, match="unknown or expired"):
        states.redeem(".".join(parts), START)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', '{"a": ["home"]}'])
def test_a_broken_file_of_states_is_begun_anew(states: States, text: str) -> None:
    states.issue("home", START, SHORT)
    states._path.write_text(text)
    assert states.redeem(states.issue("home", START, SHORT), START) == "home"


def test_a_folder_that_takes_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("")
    with pytest.raises(StateError, match=str(tmp_path / "tokens")):
        States(TokenFiles(tmp_path / "tokens")).issue("home", START, SHORT)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Ab3xYz", ConsentAnswer("Ab3xYz")),
        ("  'Ab3xYz'\n", ConsentAnswer("Ab3xYz")),
        ("https://a.example/oauth/redirect_uri?code=Ab3&state=s1", ConsentAnswer("Ab3", "s1")),
        ("<https://a.example/?state=s1&code=Ab3>", ConsentAnswer("Ab3", "s1")),
        ("?code=Ab3&state=s1", ConsentAnswer("Ab3", "s1")),
        ("code=Ab3", ConsentAnswer("Ab3")),
        ("https://a.example/cb?error=access_denied&error_description=User+denied&state=s1",
         ConsentAnswer("", "s1", "access_denied", "User denied")),
        ("https://a.example/oauth/authorize?response_type=code&client_id=c&state=s1", ConsentAnswer(state="s1")),
        ("https://a.example/?user_id=4d6a51330a", ConsentAnswer(user_id="4d6a51330a")),
        ("", ConsentAnswer()),
        ("two words", ConsentAnswer()),
        ("http://[::1", ConsentAnswer()),
        ("https://a.example/?code=" + "x" * 9000, ConsentAnswer()),
    ],
)  # fmt: skip
def test_what_is_pasted_is_understood(text: str, answer: ConsentAnswer) -> None:
    assert answer == read_answer(text)


@pytest.mark.parametrize(
    ("kinds", "named", "answer"),
    [
        ({"home": "consent"}, None, "home"),
        ({"home": "consent", "b": "consent"}, "b", "b"),
        ({"home": "consent", "b": "consent"}, None, ConfigError),
        ({"home": "consent"}, "hoem", ConfigError),
    ],
)
def test_the_account_may_be_left_out_when_there_is_one(
    kinds: dict[str, str], named: str | None, answer: str | type[ConfigError]
) -> None:
    if isinstance(answer, str):
        assert answer == only_account(kinds, named)
    else:
        with pytest.raises(answer, match="home"):
            only_account(kinds, named)


# ── the page ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Office:
    """A page in an application of its own, over a simulated cloud, and the owner's browser."""

    cloud: Cloud
    flow: ConsentFlow
    client: FlaskClient
    time: Time

    def open(self, account: str = "home") -> tuple[str, str]:
        """The link and the state of the page of an account."""
        html = self.client.get(f"/authorize/{account}").text
        link = unescape(re.search(r'<a href="([^"]+)" rel="noreferrer', html)[1])  # type: ignore[index]
        return link, re.search(r'name="state" value="([^"]+)"', html)[1]  # type: ignore[index]

    def decide(self, link: str, decision: str = "approve") -> str:
        """Where the vendor sends the browser after the owner decided."""
        parts = urlsplit(link)
        body = urlencode({"user": "owner", "decision": decision}).encode()
        answer = self.cloud.handle("POST", f"{parts.path}?{parts.query}", {}, body)
        return answer.headers["Location"]

    def come_back(self, address: str) -> TestResponse:
        return self.client.get(f"/oauth/callback?{urlsplit(address).query}")

    def paste(self, text: str, state: str, account: str = "home") -> TestResponse:
        return self.client.post(f"/authorize/{account}", data={"answer": text, "state": state})

    def is_authorized(self, account: str = "home") -> bool:
        return self.flow.authorizer.stored(account) is not None


def office(folder: Path, redirect_uri: str = PAGE, **changes: object) -> Office:
    time = Time()
    cloud = Cloud(demo_sites(START, 2, 3), clock=lambda: time.true, plan=(10, 1000))
    made = settings(folder, api={"redirect_uri": redirect_uri}, **changes)
    flow = onboarding.flow(made, time.clock(), Wire(cloud, time))
    app = bare("ingest")
    app.register_blueprint(authorize.blueprint(flow))
    return Office(cloud, flow, app.test_client(), time)


@pytest.fixture(name="here")
def _here(tmp_path: Path) -> Office:
    return office(tmp_path, LOCAL)


def test_an_approval_that_comes_back_authorizes_and_shows_the_systems(here: Office) -> None:
    link, _ = here.open()
    reply = here.come_back(here.decide(link))
    assert reply.status_code == 200
    assert "Account home is authorized" in reply.text
    assert "(700001)" in reply.text
    assert "The first poll is" in reply.text
    assert here.is_authorized()
    assert [call.path for call in here.cloud.calls] == ["/api/v4/systems"]


def test_a_refusal_is_told_and_changes_nothing(here: Office) -> None:
    link, _ = here.open()
    reply = here.come_back(here.decide(link, "reject"))
    assert reply.status_code == 400
    assert "the owner refused; nothing was changed" in reply.text
    assert 'href="/authorize/home"' in reply.text
    assert not here.is_authorized()


def test_an_answer_that_is_replayed_is_refused(here: Office) -> None:
    back = here.decide(here.open()[0])
    assert here.come_back(back).status_code == 200
    again = here.come_back(back)
    assert again.status_code == 400
    assert "used already" in again.text
    assert len(here.cloud.token_calls) == 1


@pytest.mark.parametrize("query", ["", "code=Ab3xYz", "code=Ab3xYz&state=guessed", "error=access_denied"])
def test_an_answer_to_no_question_is_refused_without_a_call(here: Office, query: str) -> None:
    reply = here.client.get(f"/oauth/callback?{query}")
    assert reply.status_code == 400
    assert "unknown or expired" in reply.text
    assert here.cloud.token_calls == []


def test_an_answer_that_comes_too_late_is_refused(here: Office) -> None:
    back = here.decide(here.open()[0])
    here.time.true += SHORT
    assert "expired" in here.come_back(back).text
    assert not here.is_authorized()


def test_an_old_code_is_told_as_such(here: Office) -> None:
    back = here.decide(here.open()[0])
    here.time.true += 400
    reply = here.come_back(back)
    assert "a code works once, and for a few minutes only" in unescape(reply.text)
    assert parse_qs(urlsplit(back).query)["code"][0] not in reply.text


def test_a_redirect_address_that_differs_is_told_as_such(tmp_path: Path, here: Office) -> None:
    link = here.open()[0].replace("8080", "9090")
    text = unescape(here.come_back(here.decide(link)).text)
    assert "the redirect address does not match" in text
    assert LOCAL in text


@pytest.mark.parametrize("whole", [True, False], ids=["address", "code"])
def test_what_the_page_of_the_vendor_shows_can_be_pasted(tmp_path: Path, *, whole: bool) -> None:
    here = office(tmp_path)
    link, state = here.open()
    back = here.decide(link)
    assert back.startswith(PAGE)
    reply = here.paste(back if whole else parse_qs(urlsplit(back).query)["code"][0], state)
    assert (reply.status_code, here.is_authorized()) == (200, True)
    assert "(700002)" in reply.text


def test_a_pasted_refusal_is_told(tmp_path: Path) -> None:
    here = office(tmp_path)
    link, state = here.open()
    reply = here.paste(here.decide(link, "reject"), state)
    assert "the owner refused" in reply.text
    assert 'name="state"' in reply.text


@pytest.mark.parametrize("text", ["", "what is this?", "https://cloud.example/oauth/authorize?client_id=c"])
def test_nonsense_in_the_field_spends_nothing_and_the_same_page_still_works(tmp_path: Path, text: str) -> None:
    here = office(tmp_path)
    link, state = here.open()
    reply = here.paste(text, state)
    assert "there is no code in what was pasted" in reply.text
    assert here.cloud.token_calls == []
    assert here.paste(here.decide(link), state).status_code == 200


@pytest.mark.parametrize("state", ["", "guessed"])
def test_another_site_cannot_paste_for_us(tmp_path: Path, state: str) -> None:
    here = office(tmp_path)
    here.open()
    assert here.paste("Ab3xYz", state).status_code == 400
    assert here.cloud.token_calls == []


def test_the_answer_of_one_account_is_not_taken_for_another(tmp_path: Path) -> None:
    here = office(tmp_path, accounts={"home": {}, "cabin": {}})
    back = here.decide(here.open("cabin")[0])
    reply = here.paste(back, here.open("home")[1])
    assert "answers the question of account cabin" in reply.text
    assert not here.is_authorized("home")


def test_accounts_of_which_nobody_is_asked_say_so(tmp_path: Path) -> None:
    here = office(tmp_path, accounts={"home": {}, "fleet": {"username": "me@example.org", "password": "pass-1234"}})
    assert "logs in by itself" in here.client.get("/authorize/fleet").text
    missing = here.client.get("/authorize/<b>")
    assert missing.status_code == 404
    assert "home, fleet" in missing.text
    assert here.paste("Ab3xYz", "s", "fleet").status_code == 200
    assert here.cloud.token_calls == []


def test_weather_at_the_token_endpoint_is_told_and_can_be_tried_again(here: Office) -> None:
    here.cloud.faults = Faults(token_down="html")
    reply = here.come_back(here.decide(here.open()[0]))
    assert "the token endpoint has trouble" in reply.text
    here.cloud.faults = Faults()
    assert here.come_back(here.decide(here.open()[0])).status_code == 200


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (Faults(denied_groups={"system"}), 'tick the access control "System Details"'),
        (Faults(wrong_key=True), "the API key belongs to another application than the Client ID"),
        (Faults(error_5xx=1.0), "the runner tries again by itself"),
    ],
    ids=["group", "key", "weather"],
)
def test_a_consent_counts_even_if_the_systems_cannot_be_listed(here: Office, faults: Faults, words: str) -> None:
    here.cloud.faults = faults
    reply = here.come_back(here.decide(here.open()[0]))
    assert words in unescape(reply.text)
    assert here.is_authorized()


def test_pages_hold_no_secret_and_are_not_kept(here: Office) -> None:
    link, _ = here.open()
    back = here.decide(link)
    pages = [here.client.get("/authorize/home"), here.come_back(back), here.come_back(back)]
    stored = here.flow.authorizer.stored("home")
    assert stored is not None
    app = here.flow.authorizer.app
    secrets = [
        stored.current.access,
        stored.current.refresh,
        app.client_secret,
        parse_qs(urlsplit(back).query)["code"][0],
    ]
    for reply in pages:
        assert reply.headers["Cache-Control"] == "no-store"
        assert [secret for secret in secrets if secret in reply.text] == []


def test_pages_work_without_script_and_fit_a_phone(here: Office) -> None:
    html = here.client.get("/authorize/home").text
    assert "<script" not in html
    assert "width=device-width" in html
    assert "light dark" in html
    assert '<label for="answer">' in html


@pytest.mark.parametrize("value", ["<b>", '"><script>', "{{ 7 * 7 }}"])
def test_what_comes_from_outside_is_shown_as_text(here: Office, value: str) -> None:
    _, state = here.open()
    query = urlencode({"error": value, "error_description": value, "state": state})
    html = here.client.get(f"/oauth/callback?{query}").text
    assert "<script" not in html
    assert "<b>" not in html
    assert "49" not in html


def test_an_answer_is_cut_to_what_is_sensible() -> None:
    answer = answer_of({"error": "e" * 999, "error_description": "a\nb" * 999, "code": "c" * 9999})
    assert (len(answer.error), len(answer.about), len(answer.code)) == (60, 200, 2000)


def test_the_commands_check_the_state_of_an_address_too(tmp_path: Path) -> None:
    here = office(tmp_path)
    link, _ = here.flow.ask("home")
    back = here.decide(link)
    with pytest.raises(StateRefused, match="unknown or expired"):
        here.flow.pasted("home", back.replace("state=", "state=x"))
    assert here.flow.pasted("home", back).access
    with pytest.raises(StateRefused, match="used already"):
        here.flow.pasted("home", back)
    with pytest.raises(AuthNeeded, match="user_id belongs to API v2"):
        here.flow.pasted("home", "https://x.example/?user_id=4d6a51330a")
