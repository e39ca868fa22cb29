"""A fault of the program itself: what a worker raises comes back as an outcome, costs that call alone, and is said."""

from pathlib import Path
from typing import Any

import pytest

from ingest.commit import decide, record
from ingest.core.http import Reply, Request
from ingest.deliver import sender
from ingest.deliver.verify import Verification
from ingest.report import build_report
from ingest.simulator import demo_sites
from tests.world import HOUR, START, World

HOUSES = demo_sites(START, 1, 10)


def break_one(world: World, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on every call for consumption ends in an exception that nobody expected."""
    send = world.wire.send

    def sending(request: Request) -> Reply:
        if "consumption_meter" in request.url:
            raise OverflowError("date value out of range")
        return send(request)

    def recording(loaded: Any, outcome: Any, at: Any) -> Any:
        if outcome.task.stream.name == "consumption" and outcome.points:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        return decide.decide(loaded, outcome, at)

    if where == "sending":
        monkeypatch.setattr(world.wire, "send", sending)
    else:
        monkeypatch.setattr(record, "decide", recording)


@pytest.mark.parametrize("where", ["sending", "recording"])
def test_it_costs_that_call_alone(tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, HOUSES)
    world.run(6 * HOUR)
    break_one(world, where, monkeypatch)
    begin = world.time.true
    world.run(8 * HOUR)
    newest = max(world.rows("production_micro", HOUSES[0].system_id))
    assert newest > begin, "the others go on"
    asked = "SELECT at FROM calls WHERE stream = 'consumption' AND at > ?"
    made = list(world.store.db.execute(asked, (begin,)))
    assert 1 < len(made) < 12, "asked again, in growing pauses"
    problems = build_report(world.settings, world.store.db, int(world.time.true)).problems
    assert any("the program failed; the reason is in its log" in problem.sentence for problem in problems), problems
    monkeypatch.undo()
    world.run(8 * HOUR)
    assert build_report(world.settings, world.store.db, int(world.time.true)).problems == []
    assert max(world.rows("consumption", HOUSES[0].system_id)) > begin + 8 * HOUR


def test_a_look_at_a_database_that_fails_ends_no_delivery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, HOUSES)
    (sending,) = world.senders

    def fails(*_: object) -> None:
        raise ValueError("a count that is none")

    monkeypatch.setattr(sender, "verification", fails)
    monkeypatch.setattr(sender, "VerifiableSink", object)
    looked = sending.verify(int(world.time.true))
    assert isinstance(looked, Verification)
    assert looked.error == "the program failed (ValueError); see its log"
