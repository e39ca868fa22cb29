"""Every kind of trouble in the table of causes at every channel: the broker, messages, heartbeat, metrics."""

import json
import os
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

import ingest.report
from ingest.config import Settings
from ingest.notify.troubles import STOPS_READING
from ingest.plan.inventory import Inventory
from ingest.report import Problem, Report
from ingest.report.causes import ORDER
from ingest.report.problems import problems
from ingest.web import Server, Source, create_app
from tests import prometheus
from tests.mosquitto import Eye, Mosquitto
from tests.notify.receiver import Receiver
from tests.prometheus import Prometheus
from tests.servers.homely import STATE, Homely, entry, until
from tests.servers.test_prometheus import SHIPPED
from tests.world import DAY, HOUR, UNHURRIED, World
from tests.worlds import SITE, lived

LONG = bool(os.environ.get("INGEST_LONG"))
FROM_OUTSIDE = "runner"
"""Told by the silence of the heartbeat and by the broker's last will: who would tell it does not run."""
A_DAY = 8
"""Looks until what is told after a day has been told."""
UUID = "6ea46a6e-9b0c-4d6e-8bb4-3a5a6b1e0a01"


def problem(kind: str) -> Problem:
    return Problem(kind, f"of-{kind}", f"The trouble of kind {kind} is there", f"Run `ingest doctor`, for {kind}")


class Wrong(list[Problem]):
    """What is wrong besides what really is."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        super().__init__()

        def found(made: Report, settings: Settings, inventory: Inventory) -> list[Problem]:
            return [*problems(made, settings, inventory), *self]

        patch.setattr(ingest.report, "problems", found)


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> Wrong:
    return Wrong(monkeypatch)


@pytest.fixture
def home(tmp_path: Path, broker: Mosquitto, receiver: Receiver, beats: Receiver) -> Iterator[Homely]:
    to = receiver.url.replace("http", "json", 1)
    world = lived(
        tmp_path,
        [SITE],
        DAY,
        api={"plan": UNHURRIED},
        mqtt=entry(broker),
        notify={"to": [to]},
        heartbeat=f"{beats.url}/{UUID}",
    )
    made = Homely(world)
    yield made
    made.stop()


def looks(home: Homely, eye: Eye, count: int) -> None:
    """So many looks, four hours and a restart between two, each of which arrives at the broker."""
    for _ in range(count):
        home.look(4 * HOUR)
        home.arrived(eye)
        home.restart()


def told(eye: Eye) -> list[tuple[str, list[str]]]:
    """What the sensor of problems has shown, one entry a change."""
    states = [json.loads(text) for topic, text in eye.log if topic == STATE and text]
    return [at for at, _ in groupby((state["problem"], state["attributes"]["problems"]) for state in states)]


def metrics(home: Homely) -> list[tuple[str, str]]:
    """Kind and remedy of every problem that is scraped."""
    source = Source(home.world.settings, home.world.store, lambda: home.now, lambda: home.now)
    text = create_app(source).test_client().get("/metrics").get_data(as_text=True)
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return [(sample.labels["kind"], sample.labels["remedy"]) for sample in families["ingest_problem"].samples]


KINDS = [kind for kind in ORDER if kind != FROM_OUTSIDE]
SOME = KINDS if LONG else [next(kind for kind in KINDS if (kind in STOPS_READING) == stops) for stops in (True, False)]
"""One of those that stop reading and one of the others; every kind comes and goes in the tests below."""


@pytest.mark.parametrize("kind", SOME)
def test_each_trouble_reaches_each_channel_once_and_so_does_its_end(
    home: Homely, eye: Eye, receiver: Receiver, beats: Receiver, wrong: Wrong, kind: str
) -> None:
    looks(home, eye, 1)
    it = problem(kind)
    wrong.append(it)
    looks(home, eye, A_DAY)
    assert [message["message"] for message in receiver.messages] == [it.text]
    assert {at.removeprefix(f"/{UUID}") for at in beats.paths[-A_DAY:][3:]} == {
        "/fail" if kind in STOPS_READING else ""
    }
    assert metrics(home) == [(kind, it.remedy)]
    wrong.clear()
    looks(home, eye, 3)
    assert [message["message"] for message in receiver.messages[1:]] == [f"Over: {it.sentence}"]
    assert beats.paths[-1] == f"/{UUID}"
    assert metrics(home) == []
    assert told(eye) == [("OFF", []), ("ON", [it.text]), ("OFF", [])]


def test_all_at_once_come_in_one_message_and_their_ends_in_one(
    home: Homely, eye: Eye, receiver: Receiver, wrong: Wrong
) -> None:
    them = [problem(kind) for kind in ORDER if kind != FROM_OUTSIDE]
    soon, late = ([at for at in them if (at.kind in STOPS_READING) == stops] for stops in (True, False))
    wrong.extend(them)
    looks(home, eye, A_DAY)
    assert [message["message"].split("\n\n") for message in receiver.messages] == [
        [at.text for at in soon],
        [at.text for at in late],
    ]
    wrong.clear()
    looks(home, eye, 3)
    (over,) = [message["message"].split("\n\n") for message in receiver.messages[2:]]
    assert sorted(over) == sorted(f"Over: {at.sentence}" for at in them)
    assert told(eye) == [("OFF", []), ("ON", [at.text for at in them]), ("OFF", [])][-len(told(eye)) :]


def test_a_runner_that_is_gone_is_told_by_silence_and_by_the_last_will(
    home: Homely, eye: Eye, receiver: Receiver, beats: Receiver, wrong: Wrong
) -> None:
    topic = f"enphase-ingest/{home.world.pipeline.app}/availability"
    looks(home, eye, 1)
    before = len(beats.paths)
    wrong.append(problem(FROM_OUTSIDE))
    home.notifier.finish(1, home.now)
    until(lambda: eye.seen.get(topic) == "offline")
    home.world.time.true += DAY
    assert (len(beats.paths), receiver.messages) == (before, [])
    assert metrics(home) == [(FROM_OUTSIDE, problem(FROM_OUTSIDE).remedy)]
    home.begin()


def test_a_real_prometheus_sees_every_kind_begin_and_end(tmp_path: Path, wrong: Wrong) -> None:
    if prometheus.BINARY is None:
        pytest.skip("the real Prometheus is missing: apt-get install prometheus")
    world = World(tmp_path, [SITE])
    world.run(HOUR)
    now = world.pipeline.clock.now
    server = Server(create_app(Source(world.settings, world.store, now, now)), "127.0.0.1", 0)
    server.start()
    try:
        with Prometheus(tmp_path / "prometheus", SHIPPED, urlsplit(server.url).netloc) as prom:
            prom.query("ingest_problems == 0")
            wrong.extend(problem(kind) for kind in ORDER)
            prom.query(f"ingest_problems == {len(ORDER)}")
            seen = [at["metric"] for at in prom.query("ingest_problem")]
            assert sorted(at["kind"] for at in seen) == sorted(ORDER)
            assert {at["kind"]: at["remedy"] for at in seen} == {kind: problem(kind).remedy for kind in ORDER}
            wrong.clear()
            prom.query("ingest_problems == 0")
            until(lambda: prom.now("ingest_problem") == [], "they are still there")
    finally:
        server.stop()
        world.end()
