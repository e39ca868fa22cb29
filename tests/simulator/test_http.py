"""The same cloud over real HTTP."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from ingest.simulator import API_KEY, CLIENT_ID, CLIENT_SECRET, Cloud, Faults, SimulatedServer, Site, serve

NOW = int(datetime(2026, 4, 20, 21, 7, 30, tzinfo=UTC).timestamp())
HOUSE = Site(66, "House", "UTC", 37.8, -121.3, 7600, 20, NOW - 100 * 86400)


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    with SimulatedServer(Cloud([HOUSE], clock=lambda: NOW, plan="kilowatt")) as running:
        yield running


@pytest.fixture
def http(server: SimulatedServer) -> Iterator[requests.Session]:
    code = server.cloud.consent()
    with requests.Session() as session:
        given = {"grant_type": "authorization_code", "code": code}
        reply = session.post(f"{server.url}/oauth/token", given, auth=(CLIENT_ID, CLIENT_SECRET), timeout=5)
        session.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
        session.headers["key"] = API_KEY
        yield session


def test_a_day_over_the_wire(server: SimulatedServer, http: requests.Session) -> None:
    url = f"{server.url}/api/v4/systems/66/telemetry/production_micro"
    reply = http.get(url, params={"start_at": str(NOW - 86400)}, timeout=5)
    assert reply.status_code == 200
    assert reply.headers["Date"] == "Mon, 20 Apr 2026 21:07:30 GMT"
    assert len(reply.json()["intervals"]) > 280
    assert "Server" not in reply.headers


def test_any_method_is_answered_in_json_and_the_connection_stays(
    server: SimulatedServer, http: requests.Session
) -> None:
    url = f"{server.url}/api/v4/systems/66"
    assert http.request("BREW", url, timeout=5).json()["reason"] == "501"
    assert http.post(url, data={"a": "b"}, timeout=5).json()["reason"] == "405"
    assert http.head(url, timeout=5).status_code == 200
    assert http.get(url, timeout=5).json()["system_id"] == 66


def test_silence_lasts_until_the_caller_gives_up(server: SimulatedServer, http: requests.Session) -> None:
    server.cloud.faults = Faults(timeout=1.0)
    with pytest.raises(requests.Timeout):
        http.get(f"{server.url}/api/v4/systems", timeout=0.2)
    server.cloud.faults = Faults()
    assert http.get(f"{server.url}/api/v4/systems", timeout=5).status_code == 200


def test_a_cut_connection_is_an_error_of_transport(server: SimulatedServer, http: requests.Session) -> None:
    server.cloud.faults = Faults(cut_off=1.0)
    with pytest.raises(requests.RequestException):
        http.get(f"{server.url}/api/v4/systems", timeout=5)


def test_a_slow_answer_is_late_but_whole(server: SimulatedServer, http: requests.Session) -> None:
    server.cloud.faults = Faults(slow=1.0, slow_by=0.1)
    begin = time.monotonic()
    assert http.get(f"{server.url}/api/v4/systems", timeout=5).json()["total"] == 1
    assert time.monotonic() - begin >= 0.1


def test_stopping_does_not_wait_for_those_who_wait(server: SimulatedServer) -> None:
    server.cloud.faults = Faults(token_down="timeout")
    with pytest.raises(requests.Timeout):
        requests.post(f"{server.url}/oauth/token", timeout=0.1)
    begin = time.monotonic()
    server.stop()
    assert time.monotonic() - begin < 1


def test_consent_in_a_browser_leads_back_with_a_code(server: SimulatedServer) -> None:
    asked = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": f"{server.url}/oauth/redirect_uri"}
    reply = requests.post(
        f"{server.url}/oauth/authorize", {"user": "owner", "decision": "approve"}, params=asked, timeout=5
    )
    assert reply.history[0].status_code == 302
    assert reply.url.partition("code=")[2] in reply.text


def test_serve_shows_the_demo_and_says_what_is_valid() -> None:
    server = serve(port=0, systems=2, days=7, plan="partner", seed=3, faults={"slow": 0.0})
    try:
        assert "Mesa Ranch" in requests.get(server.url, timeout=5).text
        assert [site.name for site in server.cloud.sites] == ["Mesa Ranch", "Lake House"]
    finally:
        server.stop()
    with pytest.raises(ValueError, match="there are: cut_off, denied, drip, drip_headers, endless_systems, error_5xx"):
        serve(faults={"fire": 1.0})
    with pytest.raises(ValueError, match="there are: watt, kilowatt"):
        serve(plan="gigawatt")
