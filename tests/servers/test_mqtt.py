"""Systems at a real mosquitto, as Home Assistant sees them."""

import io
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest import logs
from ingest.core.errors import ConfigError
from ingest.notify import wiring
from ingest.report import build_report
from ingest.simulator import API_KEY
from tests.mosquitto import PASSWORD, Eye, Mosquitto
from tests.notify import home_assistant_rules as rules
from tests.servers.homely import STATE, Homely, configurations, entry, until
from tests.world import DAY, HOUR, World
from tests.worlds import HOME, SITE, lived

DAYS = 31 if os.environ.get("INGEST_LONG") else 16


@pytest.fixture
def home(tmp_path: Path, broker: Mosquitto) -> Iterator[Homely]:
    world = lived(tmp_path, [SITE], DAY, mqtt=entry(broker))
    made = Homely(world)
    yield made
    made.stop()


def test_every_payload_follows_the_rules_of_home_assistant(home: Homely, eye: Eye) -> None:
    state = home.arrived(eye)
    found = configurations(eye)
    assert len(found) == len({config["unique_id"] for config in found.values()}) >= 11
    for topic, config in found.items():
        rules.check(topic, config, state, STATE)
    (device,) = {json.dumps(config["device"]) for config in found.values()}
    assert json.loads(device)["name"] == SITE.name


def test_the_energy_dashboard_takes_what_was_made_used_bought_and_sold(home: Homely, eye: Eye) -> None:
    state = home.arrived(eye)
    energies = {
        topic.split("/")[3]: config
        for topic, config in configurations(eye).items()
        if config["device_class"] == "energy"
    }
    for flow in ("produced", "consumed", "imported", "exported"):
        for period in ("today", "lifetime"):
            config = energies[f"{flow}_{period}_kwh"]
            assert config["state_class"] in rules.DASHBOARD["energy"]
            assert state[f"{flow}_{period}_kwh"] >= 0
    assert state["produced_lifetime_kwh"] > 100
    assert state["power_w"] is not None
    assert state["age_s"] > 0


def test_it_is_online_while_it_runs_offline_when_it_ends_and_when_it_dies(home: Homely, eye: Eye) -> None:
    topic = f"enphase-ingest/{home.world.pipeline.app}/availability"
    home.arrived(eye)
    until(lambda: eye.seen.get(topic) == "online")
    assert all(config["availability_topic"] == topic for config in configurations(eye).values())
    home.notifier.finish(1, home.now)
    until(lambda: eye.seen.get(topic) == "offline")
    home.begin()
    home.arrived(eye)
    until(lambda: eye.seen.get(topic) == "online")
    line = home.notifier._broker
    assert line is not None
    sock: socket.socket = line._client.socket()  # type: ignore[assignment]
    before = len(eye.log)
    sock.shutdown(socket.SHUT_RDWR)
    until(lambda: (topic, "offline") in eye.log[before:], "the last will")


def test_a_service_that_ends_while_it_connects_does_not_stay_online(home: Homely, broker: Mosquitto) -> None:
    topic = f"enphase-ingest/{home.world.pipeline.app}/availability"
    for _ in range(20):
        home.restart()
    home.notifier.finish(1, home.now)
    fresh = Eye(broker)
    until(lambda: topic in fresh.seen)
    assert fresh.seen[topic] == "offline"
    fresh.close()


def test_all_is_there_again_when_the_broker_has_forgotten_it(home: Homely, broker: Mosquitto, eye: Eye) -> None:
    home.arrived(eye)
    broker.stop()
    line = home.notifier._broker
    assert line is not None
    until(lambda: line.error)
    home.look()
    (problem,) = home.problems("receiver")
    assert problem.sentence.startswith("Nothing reaches mqtt: ")
    broker.start()
    fresh = Eye(broker)
    until(lambda: STATE in fresh.seen)
    assert len(configurations(fresh)) >= 11
    home.look()
    assert home.problems("receiver") == []
    fresh.close()


def test_totals_never_go_back_over_weeks_of_revisions_outages_and_restarts(tmp_path: Path, broker: Mosquitto) -> None:
    eye = Eye(broker)
    home = Homely(World(tmp_path, [SITE], mqtt=entry(broker)))
    home.world.cloud.faults.error_5xx = home.world.cloud.faults.timeout = 0.05
    zone, states = ZoneInfo(SITE.timezone), []
    for step in range(8 * DAYS):
        home.world.run(3 * HOUR)
        if step % 40 == 20:
            home.world.cloud.faults.error_5xx = 1.0  # a day without the cloud
        if step % 40 == 28:
            home.world.cloud.faults.error_5xx = 0.05
        if step % 11 == 5:
            home.restart()
        states.append((datetime.fromtimestamp(home.now, UTC).astimezone(zone).date(), home.arrived(eye)))
    names = [name for name in states[-1][1] if name.endswith("_kwh")]
    assert len(names) == 8
    for name in names:
        told = [(day, state[name]) for day, state in states if name in state]
        for (day, before), (following, after) in pairwise(told):
            if name.endswith("_lifetime_kwh") or day == following:
                assert after >= before, name
    (begun, first), (today, last) = next(at for at in states if (states[-1][0] - at[0]).days == DAYS - 7), states[-1]
    days = home.world.cloud.daily(SITE.system_id, "production")
    made = sum(wh for day, wh in days.items() if begun <= day < today)
    shown = [state["produced_lifetime_kwh"] - state["produced_today_kwh"] for state in (first, last)]
    assert shown[1] - shown[0] == pytest.approx(made / 1000, rel=0.05)
    assert min(state["produced_today_kwh"] for day, state in states[8:]) == 0.0
    home.stop()
    eye.close()


def test_a_problem_is_on_for_its_system_with_sentence_and_remedy(tmp_path: Path, broker: Mosquitto, eye: Eye) -> None:
    home = Homely(World(tmp_path, [SITE, HOME], mqtt=entry(broker)))
    home.world.run(DAY)
    assert home.arrived(eye)["problem"] == "OFF"
    home.world.cloud.faults.denied_groups = {"consumption"}
    home.world.run(DAY)
    state = home.arrived(eye)
    assert state["problem"] == "ON"
    (sentence,) = state["attributes"]["problems"]
    assert "consumption is not allowed" in sentence
    assert "developer portal" in sentence
    home.stop()


def test_a_system_that_is_no_longer_followed_is_taken_away(tmp_path: Path, broker: Mosquitto, eye: Eye) -> None:
    home = Homely(World(tmp_path, [SITE, HOME], mqtt=entry(broker)))
    home.world.run(DAY)
    home.arrived(eye)
    assert any("8000" in topic for topic in configurations(eye))
    home.stop()
    fewer = World(tmp_path, [SITE, HOME], mqtt=entry(broker), systems=[{"id": 4242}])
    home = Homely(fewer)
    home.arrived(eye)
    until(lambda: not any("8000" in topic for topic in configurations(eye)))
    assert not eye.seen["enphase-ingest/8000/state"]
    home.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves a refused socket open
def test_tls_with_an_authority_of_ones_own(tmp_path: Path, broker: Mosquitto) -> None:
    with Mosquitto(tmp_path / "tls", tls=True) as secure:
        eye = Eye(secure)
        world = World(tmp_path, [SITE], mqtt=entry(secure, tls="true", ca_file=str(secure.ca), host="localhost"))
        world.run(HOUR)
        home = Homely(world)
        assert home.arrived(eye)["problem"] == "OFF"
        home.stop()
        stranger = World(tmp_path, [SITE], mqtt=entry(secure, tls="true", host="localhost"))
        other = Homely(stranger)
        other.look()
        (problem,) = other.problems("receiver")
        assert "certificate is not trusted" in problem.sentence
        other.stop()
        eye.close()


def test_a_file_of_the_authority_that_is_missing_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    world = World(tmp_path, [SITE], mqtt={"host": "localhost", "tls": "true", "ca_file": "/nowhere/ca.pem"})
    with pytest.raises(ConfigError, match=r"mqtt.ca_file: /nowhere/ca.pem: No such file"):
        wiring.broker(world.settings)
    world.end()


@pytest.mark.parametrize("changes", [{"password": "not-the-password-93"}, {"username": "nobody"}])
def test_a_broker_that_refuses_is_told_in_the_status_without_a_secret(
    tmp_path: Path, broker: Mosquitto, changes: dict[str, str]
) -> None:
    stream = io.StringIO()
    home = Homely(World(tmp_path, [SITE], mqtt=entry(broker, **changes)))
    logs.setup(verbose=True, stream=stream)
    line = home.notifier._broker
    assert line is not None
    until(lambda: "refuses" in line.error)
    home.look()
    (problem,) = home.problems("receiver")
    assert problem.sentence == "Nothing reaches mqtt: the broker refuses: not authorized"
    assert "user and password under `mqtt:`" in problem.remedy
    made = build_report(home.world.settings, home.world.store.db, home.now)
    for secret in (changes.get("password", PASSWORD), API_KEY):
        assert secret not in stream.getvalue() + str(made.document())
    home.stop()


def test_a_broker_that_takes_connections_and_says_nothing_delays_nothing(tmp_path: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        home = Homely(World(tmp_path, [SITE], mqtt={"host": "127.0.0.1", "port": deaf.getsockname()[1]}))
        home.looks(1800)
        (problem,) = home.problems("receiver")
        assert problem.sentence.endswith("it cannot be reached")
        home.stop()
