"""Messages to people: a world whose clock jumps, and a receiver behind real HTTP, reached as apprise reaches it."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest import logs
from ingest.notify.troubles import LATE, MAX_A_DAY, SETTLED, SOON
from ingest.report import build_report
from tests.notify.receiver import Receiver
from tests.notify.told import Told
from tests.world import DAY, HOUR, World
from tests.worlds import SITE, lived

SECRET = "a-topic-that-is-secret"


@pytest.fixture
def other() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


def address(receiver: Receiver, path: str = SECRET) -> str:
    return f"{receiver.url.replace('http', 'json', 1)}/{path}"


def install(tmp_path: Path, *receivers: Receiver, **changes: Any) -> Told:
    return Told(lived(tmp_path, [SITE], HOUR, notify={"to": [address(at) for at in receivers], **changes}))


def said(receiver: Receiver) -> list[str]:
    return [message["message"] for message in receiver.messages]


def test_a_cloud_that_does_not_answer_is_told_once_and_its_end_once(tmp_path: Path, receiver: Receiver) -> None:
    home = install(tmp_path, receiver)
    home.world.cloud.faults.error_5xx = 1.0
    home.looks(8 * HOUR)
    (begun,) = said(receiver)
    assert begun.startswith("The cloud does not answer")
    assert "ingest doctor" in begun
    home.world.cloud.faults.error_5xx = 0.0
    home.looks(8 * HOUR)
    assert said(receiver)[1:] == [f"Over: {begun.split('. ')[0]}"]
    home.world.end()


def test_a_database_that_is_down_is_told_after_a_day_not_before(tmp_path: Path, receiver: Receiver) -> None:
    home = install(tmp_path, receiver)
    home.world.database.down = True
    home.looks(LATE - HOUR, HOUR)
    assert said(receiver) == []
    home.looks(5 * HOUR, HOUR)
    (begun,) = said(receiver)
    assert begun.startswith("Sink db does not accept writes")
    home.world.end()


@pytest.mark.parametrize("every", [300, pytest.param(900, marks=pytest.mark.long), 1500])
def test_restarts_neither_repeat_nor_lose(tmp_path: Path, receiver: Receiver, every: int) -> None:
    home = install(tmp_path, receiver)
    home.world.cloud.faults.error_5xx = 1.0
    for step in range(40):
        home.look(every)
        if step % 2:
            home.restart()
    assert len(said(receiver)) == 1
    home.world.cloud.faults.error_5xx = 0.0
    for _ in range(40):
        home.look(every)
        home.restart()
    assert len(said(receiver)) == 2
    assert said(receiver)[1].startswith("Over: The cloud does not answer")
    home.world.end()


def test_who_was_away_hears_in_one_message_what_still_holds(
    tmp_path: Path, receiver: Receiver, other: Receiver
) -> None:
    home = install(tmp_path, receiver, other)
    receiver.stop()
    home.world.cloud.faults.error_5xx = 1.0
    home.looks(6 * HOUR, 900)
    assert len(said(other)) == 1
    receiver.start()
    home.looks(HOUR)
    (late,) = said(receiver)
    assert late.startswith("The cloud does not answer")
    home.world.end()


def test_a_trouble_that_began_and_ended_while_a_receiver_was_away_is_not_news_to_it(
    tmp_path: Path, receiver: Receiver, other: Receiver
) -> None:
    home = install(tmp_path, receiver, other)
    receiver.stop()
    home.world.cloud.faults.error_5xx = 1.0
    home.looks(6 * HOUR, 900)
    home.world.cloud.faults.error_5xx = 0.0
    home.looks(8 * HOUR, 900)
    receiver.start()
    home.looks(HOUR)
    assert (len(said(other)), len(said(receiver))) == (2, 0)
    home.world.end()


def test_quiet_hours_hold_a_message_back(tmp_path: Path, receiver: Receiver) -> None:
    home = install(tmp_path, receiver, quiet="00:00-12:00")  # 02:00 in Berlin when the world begins
    home.world.cloud.faults.error_5xx = 1.0
    home.looks(8 * HOUR, 900)
    assert said(receiver) == []
    home.looks(2 * HOUR, 900)
    assert len(said(receiver)) == 1
    home.world.end()


def test_the_alarm_of_a_day_is_bounded(tmp_path: Path, receiver: Receiver) -> None:
    home = install(tmp_path, receiver)
    for _ in range(20):
        home.world.cloud.faults.error_5xx = 1.0
        home.looks(max(SOON, HOUR) + 900, 900)
        home.world.cloud.faults.error_5xx = 0.0
        home.looks(SETTLED + 900, 900)
    assert 0 < len(said(receiver)) <= 2 * MAX_A_DAY
    home.world.end()


@pytest.mark.parametrize("status", [403, 500])
def test_a_service_that_refuses_is_told_in_the_status_with_its_answer(
    tmp_path: Path, receiver: Receiver, status: int
) -> None:
    home = install(tmp_path, receiver)
    receiver.status = status
    home.world.cloud.faults.error_5xx = 1.0
    home.looks(4 * HOUR, 900)
    (problem,) = home.problems("receiver")
    assert problem.sentence.startswith("Nothing reaches json (notify.to[0])")
    assert problem.sentence.endswith(f"the service answers {status}")
    receiver.status = 200
    home.looks(1800)
    assert home.problems("receiver") == []
    home.world.end()


def test_a_receiver_that_hangs_delays_neither_the_service_nor_another(
    tmp_path: Path, receiver: Receiver, other: Receiver
) -> None:
    home = install(tmp_path, receiver, other)
    receiver.hangs = True
    home.wait = 0.2
    home.world.cloud.faults.error_5xx = 1.0
    home.looks(4 * HOUR, 900)
    assert len(said(other)) == 1
    (problem,) = home.problems("receiver")
    assert "json (notify.to[0])" in problem.sentence
    receiver.stop()
    home.world.end()


def test_an_address_of_an_unknown_kind_is_told(tmp_path: Path) -> None:
    home = Told(World(tmp_path, [SITE], notify={"to": [f"nonsense://{SECRET}"]}))
    home.world.cloud.faults.error_5xx = 1.0
    home.looks(4 * HOUR, 900)
    (problem,) = home.problems("receiver")
    assert "not known" in problem.sentence
    home.world.end()


def test_no_part_of_an_address_is_printed(tmp_path: Path, receiver: Receiver) -> None:
    stream = io.StringIO()
    home = install(tmp_path, receiver)
    logs.setup(verbose=True, stream=stream)
    home.world.cloud.faults.error_5xx = 1.0
    home.looks(4 * HOUR, 900)
    receiver.status = 403
    home.world.cloud.faults.error_5xx = 0.0
    home.looks(8 * HOUR, 900)
    receiver.stop()
    home.looks(HOUR, 900)
    made = build_report(home.world.settings, home.world.store.db, home.now)
    assert "what=receiver.json" in stream.getvalue().replace('"', "")
    assert SECRET not in stream.getvalue() + str(made.document()) + repr(home.world.settings)
    home.world.end()


def test_a_daily_summary_comes_once_in_the_morning(tmp_path: Path, receiver: Receiver) -> None:
    home = install(tmp_path, receiver, summary="daily", problems="false")
    for _ in range(40):
        home.look(HOUR)
        home.restart()
    titles = [message["title"] for message in receiver.messages]
    assert titles == ["Sunny <b>House</b>: 30 June 2026", "Sunny <b>House</b>: 1 July 2026"]
    produced, used, grid, missing = said(receiver)[1].splitlines()
    assert produced.startswith("Produced: ")
    assert float(produced.split()[1]) > 5
    assert used.startswith("Used: ")
    assert grid.startswith("Grid: ")
    assert missing == "Missing: nothing"
    home.world.end()


def test_not_everybody_hears_the_same(tmp_path: Path, receiver: Receiver, other: Receiver) -> None:
    wishes = [{"to": [address(receiver)]}, {"to": [address(other)], "problems": "false", "summary": "daily"}]
    home = Told(World(tmp_path, [SITE], notify=wishes))
    home.world.run(HOUR)
    home.world.cloud.faults.error_5xx = 1.0
    home.looks(12 * HOUR, 900)
    assert [text.split(" (")[0] for text in said(receiver)] == ["The cloud does not answer"]
    assert [message["title"] for message in other.messages] == ["Sunny <b>House</b>: 30 June 2026"]
    assert list(home.world.settings.receivers().values()) == ["json (notify[0].to[0])", "json (notify[1].to[0])"]
    home.world.end()


def test_a_monthly_summary_adds_the_days_up(tmp_path: Path, receiver: Receiver) -> None:
    home = install(tmp_path, receiver, summary="monthly")
    home.looks(DAY, HOUR)
    (month,) = [message for message in receiver.messages if message["title"].endswith("June 2026")]
    assert month["message"].startswith("Produced: ")
    assert "Missing: Sunny <b>House</b>: " in month["message"]  # it was not yet there when the month began
    home.world.end()
