"""A cloud that is hostile or ill in ways that hurt: what it does to us is bounded, and said."""

import os
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.core.http import Reply, Request
from ingest.core.span import Span
from ingest.core.units import DAY, HOUR, MINUTE
from ingest.enphase import oauth
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import verdict
from ingest.enphase.requests import ApiTarget, request
from ingest.enphase.streams.site import SYSTEMS
from ingest.fetch import transport
from ingest.fetch.transport import HttpTransport
from ingest.report import build_report
from ingest.simulator import (
    API_KEY,
    CLIENT_SECRET,
    Cloud,
    Faults,
    SimulatedServer,
    demo_sites,
    enlighten_id,
    faults_from,
)
from tests.world import START, World

LONG = bool(os.environ.get("INGEST_LONG"))
HOUSES = demo_sites(START, 1, 10)


def made_in_any_minute(world: World) -> int:
    """The most calls of any minute, those for tokens included."""
    calls = sorted(call.at for call in (*world.cloud.calls, *world.cloud.token_calls))
    return max(sum(1 for at in calls if begin <= at < begin + MINUTE) for begin in calls)


def test_tokens_of_a_second_obey_the_minute(tmp_path: Path) -> None:
    world = World(tmp_path, HOUSES, cloud={"faults": Faults(token_short=1.0)})
    world.run(HOUR)
    assert made_in_any_minute(world) <= 10
    assert len(world.cloud.token_calls) <= 61


def test_an_account_whose_refresh_token_is_not_replaced_lives_on(tmp_path: Path) -> None:
    world = World(tmp_path, HOUSES)
    world.cloud.faults = Faults(token_no_refresh=1.0)
    world.run(2 * DAY)
    assert world.pipeline.accounts.needed() == {}
    assert world.cloud.calls[-1].status == 200
    assert world.cloud.calls[-1].at > world.time.true - DAY
    assert len(world.cloud.token_calls) >= 2


def test_what_frameworks_say_of_a_wrong_client_ends_no_authorization(tmp_path: Path) -> None:
    world = World(tmp_path, HOUSES)
    world.run(HOUR)
    world.cloud.faults = Faults(token_unauthorized=1.0)
    world.run(26 * HOUR)
    world.cloud.faults = Faults()
    world.run(2 * HOUR)
    assert world.pipeline.accounts.needed() == {}
    assert world.cloud.calls[-1].status == 200


def test_a_refusal_that_quotes_the_request_leaves_no_secret_behind(tmp_path: Path) -> None:
    world = World(tmp_path, HOUSES)
    world.cloud.faults = Faults(quotes_key=1.0)
    world.run(HOUR)
    token = world.authorizer().files.read("home").current.access
    assert world.cloud.calls[-1].status == 500
    world.end()
    for path in world.settings.state_dir.glob("state.db*"):
        assert API_KEY.encode() not in path.read_bytes()
        assert token.encode() not in path.read_bytes()


def test_one_date_of_the_year_9999_stops_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, HOUSES)
    world.run(HOUR)
    world.cloud.faults = Faults(wrong_date=0.2)
    before = len(world.cloud.calls)
    world.run(DAY)
    assert abs(world.pipeline.clock.now() - world.time.true) < 2 * MINUTE
    assert len(world.cloud.calls) > before + 10


# ── over a real connection ────────────────────────────────────────────────────────────────────────────


def reply_of(fault: str) -> Reply:
    """The list of systems, from a server with a fault."""
    faults = faults_from({fault: 1.0})
    faults.slow_by = 1.0
    with SimulatedServer(Cloud(HOUSES, clock=lambda: START, faults=faults)) as server:
        access = server.cloud.tokens.first("owner", "system", START)[0]
        task = Task("home", "@home", SYSTEMS, Span(0, 0), Purpose.LIVE)
        asked = request(ApiTarget("v4", server.url, API_KEY), task, access)
        return HttpTransport(lambda _: None, "test").send(asked)


@pytest.mark.parametrize("fault", ["drip", "drip_headers"])
def test_a_reply_that_drips_is_cut_off_as_a_whole(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every byte is in time; the reply as a whole is not."""
    monkeypatch.setattr(transport, "WHOLE_S", 0.5)
    reply = reply_of(fault)
    assert (reply.status, reply.failure, reply.sent) == (0, "the reply took too long to arrive", True)


@pytest.mark.parametrize("fault", ["huge", *(["many_systems"] if LONG else [])])
def test_a_huge_reply_is_not_held_in_memory(fault: str) -> None:
    reply = reply_of(fault)
    assert (reply.status, reply.failure) == (0, "the reply is larger than 4 MB")


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +2300", "soon", ""])
def test_a_date_that_cannot_be_is_none(date: str) -> None:
    assert transport._date(date) is None


def test_a_broken_bundle_of_certificates_is_a_reply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))
    reply = HttpTransport(lambda _: None, "test").send(Request("GET", "https://127.0.0.1:9/"))
    assert reply.status == 0
    assert "gone.pem" in reply.failure


def test_a_redirect_names_the_place_and_no_secret() -> None:
    reply = reply_of("redirect")
    assert (reply.status, reply.location) == (302, "https://login.example/begin")
    sentence = "HTTP 302: a redirect to https://login.example/begin, which is not followed"
    assert verdict(reply, "v4").reason.startswith(sentence)
    refused = oauth.read_token(reply, START)
    assert isinstance(refused, oauth.Refused)
    assert refused.reason.startswith(sentence)


@pytest.mark.parametrize("place", ["https://u:secret@portal.example:8443/a?key=1#x", "//[", "", "\x00"])
def test_no_place_of_a_redirect_is_too_strange(place: str) -> None:
    found = transport._location("https://api.example/systems", place)
    assert "secret" not in found
    assert "key" not in found
    assert not place.startswith("https") or found == "https://portal.example:8443/a"


@pytest.mark.parametrize("reason", ["client", *(["key"] if LONG else [])])
def test_a_refused_application_is_asked_again_after_an_hour_and_then_daily(tmp_path: Path, reason: str) -> None:
    """Alike for the key and for the client: what is mended at the portal heals without a restart."""
    world = World(tmp_path, HOUSES)
    world.run(HOUR)
    if reason == "key":
        world.cloud.faults.wrong_key = True
    else:
        world.cloud.oauth.application = replace(world.cloud.oauth.application, client_secret="another")
    begin = world.time.true
    world.run(4 * DAY)
    asked = [call.at for call in (*world.cloud.calls, *world.cloud.token_calls) if call.status == 401]
    pauses = [int(after - before) // HOUR for before, after in pairwise(sorted(asked))]
    assert pauses[:6] == [1, 2, 4, 8, 16, 24], pauses
    assert len(asked) < 10
    (problem,) = build_report(world.settings, world.store.db, int(world.time.true)).problems
    assert problem.kind == "application"
    assert "developer portal" in problem.sentence
    world.cloud.faults.wrong_key = False
    world.cloud.oauth.application = replace(world.cloud.oauth.application, client_secret=CLIENT_SECRET)
    world.run(2 * DAY)
    assert build_report(world.settings, world.store.db, int(world.time.true)).problems == []
    assert world.cloud.calls[-1].at > begin + 5 * DAY


@pytest.mark.parametrize("version", ["v4", *(["v2"] if LONG else [])])
def test_data_that_quote_the_request_leave_no_secret_behind(tmp_path: Path, version: str) -> None:
    """As the name of a system, say, in a reply that is good in every other way."""
    account = {"home": {"enlighten_id": enlighten_id("owner")} if version == "v2" else {}}
    world = World(tmp_path, HOUSES, api={"version": version}, accounts=account)
    send, sent = world.wire.send, set[str]()

    def quoting(request: Request) -> Reply:
        reply = send(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.params.get("user_id", "")
        sent.update((API_KEY, token))
        quoted = rf"\g<0>{API_KEY} {token} ".encode()
        return replace(reply, body=re.sub(rb'"(name|system_name|status)": ?"', quoted, reply.body))

    world.wire.send = quoting  # type: ignore[method-assign]
    world.run(HOUR)
    world.end()
    assert world.cloud.calls[-1].status == 200
    held = b"".join(path.read_bytes() for path in world.settings.state_dir.glob("state.db*"))
    assert b"***" in held
    assert not [secret for secret in sent if secret and secret.encode() in held]
