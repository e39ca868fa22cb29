"""The heartbeat of an installation: a world whose clock jumps, and a real receiver."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest import logs
from ingest.core.errors import StateError
from ingest.core.words import span_words
from ingest.notify.channel import PATIENCE_S
from ingest.report import build_report
from tests.notify.receiver import Receiver
from tests.notify.told import Told
from tests.world import HOUR, World
from tests.worlds import SITE

UUID = "6ea46a6e-9b0c-4d6e-8bb4-3a5a6b1e0a01"


@pytest.fixture
def home(tmp_path: Path, receiver: Receiver) -> Iterator[Told]:
    made = Told(World(tmp_path, [SITE], heartbeat=f"{receiver.url}/{UUID}"))
    made.world.run(HOUR)
    yield made
    made.world.end()


def test_it_beats_while_all_is_well(home: Told, receiver: Receiver) -> None:
    home.looks(HOUR)
    assert receiver.paths == [f"/{UUID}"] * 12
    assert all(not asked.body and not asked.params for asked in receiver.asked)


def test_it_fails_when_reading_has_stopped_and_beats_again_afterwards(home: Told, receiver: Receiver) -> None:
    home.world.cloud.faults.error_5xx = 1.0
    home.looks(6 * HOUR)
    assert receiver.paths[-1] == f"/{UUID}/fail"
    home.world.cloud.faults.error_5xx = 0.0
    home.looks(8 * HOUR)
    assert receiver.paths[-1] == f"/{UUID}"


def test_a_disk_that_takes_nothing_is_told(home: Told, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise StateError("state.db: the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(home.world.store, "transaction", full)
        for _ in range(5):
            home.world.time.true += 300
            home.watch()
            home.notifier.settle(10, home.world.pipeline.clock.now())
    assert receiver.paths[-1] == f"/{UUID}/fail"
    home.looks(1800)
    assert receiver.paths[-1] == f"/{UUID}"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_receiver_that_refuses_is_told_in_the_status(home: Told, receiver: Receiver, status: int) -> None:
    receiver.status = status
    home.looks(600)
    (problem,) = home.problems("receiver")
    assert f"Nothing reaches heartbeat for {span_words(300)}: it answers {status}" in problem.sentence
    assert "address under `heartbeat:`" in problem.remedy
    receiver.status = 200
    home.look()
    assert home.problems("receiver") == []


def test_a_receiver_that_is_down_is_told_and_that_survives_a_restart(home: Told, receiver: Receiver) -> None:
    receiver.stop()
    home.look()
    home.restart()
    (problem,) = home.problems("receiver")
    assert "cannot connect" in problem.sentence


def test_a_receiver_that_never_answers_delays_nothing(home: Told, receiver: Receiver) -> None:
    receiver.hangs = True
    home.wait = 0.2
    home.looks(PATIENCE_S + 600)
    (problem,) = home.problems("receiver")
    assert "does not answer in time" in problem.sentence
    assert receiver.arrived.wait(60)
    assert len(receiver.asked) == 1
    assert home.world.pipeline.clock.now() > 0


def test_its_address_is_nowhere_in_what_is_told(home: Told, receiver: Receiver) -> None:
    stream = io.StringIO()
    logs.setup(verbose=True, stream=stream)
    receiver.status = 500
    home.looks(600)
    receiver.stop()
    home.looks(600)
    made = build_report(home.world.settings, home.world.store.db, home.world.pipeline.clock.now())
    assert UUID not in str(made.document())
    assert "what=receiver.heartbeat" in stream.getvalue()
    assert UUID not in stream.getvalue()
    assert UUID not in repr(home.world.settings)
