"""A window of history that the cloud never answers: it costs itself alone, and is named."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingest.core.http import Reply, Request
from ingest.core.span import Span
from ingest.plan.inventory import Inventory
from ingest.report.calls import outlook
from ingest.report.problems import summary
from ingest.store import snapshot
from ingest.web import calendar
from tests.stories.test_odd_data import DIALECTS, asks_for, lacking, told
from tests.world import DAY, HOUR, START, World
from tests.worlds import HOME

BERLIN = ZoneInfo("Europe/Berlin")
LOCAL_DAY = int(datetime(2026, 6, 11, tzinfo=BERLIN).timestamp())
UTC_DAY = START - 20 * DAY
WORDS = "please try again later"
LENGTHS = {"day": DAY, "week": 7 * DAY}


def asked(request: Request, now: float) -> Span:
    """What a reply to a request holds."""
    start = int(request.params["start_at"])
    if "granularity" in request.params:
        return Span(start, min(start + LENGTHS[request.params["granularity"]], int(now)))
    return Span(start, int(request.params["end_at"]))


@contextmanager
def refusing(world: World, stream: str, bad: Span) -> Iterator[list[float]]:
    """Meanwhile every reply of a stream that would hold any of a span fails; gives the times of those."""
    honest, refused = world.wire.send, list[float]()

    def send(request: Request) -> Reply:
        reply = honest(request)
        held = asked(request, world.time.true) if asks_for(request, stream) else Span(0, 0)
        if not (held.start < bad.end and held.end > bad.start):
            return reply
        refused.append(world.time.true)
        return replace(reply, status=500, body=b'{"message": "%s"}' % WORDS.encode())

    world.wire.send = send  # type: ignore[method-assign]
    yield refused
    world.wire.send = honest  # type: ignore[method-assign]


MEASURED = {"stats": "production_micro", "rgm_stats": "production_rgm", "consumption": "consumption"}
ASKED = ["stats", "rgm_stats", pytest.param("consumption", marks=pytest.mark.long)]
"""The windows of consumption are those of `rgm_stats`."""


@pytest.mark.each_value
@pytest.mark.parametrize("changes", DIALECTS)
@pytest.mark.parametrize("stream", ASKED)
@pytest.mark.parametrize("start", [LOCAL_DAY, UTC_DAY], ids=["local", "utc"])
def test_case_1_a_day_that_always_fails_costs_itself_alone(
    start: int, stream: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    bad = Span(start, start + DAY)
    api = changes.get("api", {}) | {"plan": "watt"}
    world = World(tmp_path, [HOME], systems=[{"id": 8000, "since": "35d"}], **(changes | {"api": api}))
    with refusing(world, stream, bad) as refused:
        world.run(DAY)
        missing = {at for name, at in lacking(world, HOME, START - 34 * DAY) if name == MEASURED[stream]}
        assert missing
        assert all(bad.start <= at < bad.end for at in missing), "every other interval is there"
        others = {name for name, _ in lacking(world, HOME, START - 34 * DAY)} - {MEASURED[stream]}
        assert others <= {"production_rgm_channel"}
        assert len(refused) <= 25, "it is asked for at growing intervals"
        (problem,) = [problem for problem in told(world).problems if problem.kind == "days"]
        assert problem.subject == f"8000.{stream}"
        assert WORDS in problem.text
        assert "11 June 2026" in problem.text
        found = next(each for each in told(world).systems[0].streams if each.stream == stream)
        assert {at.is_alone for at in found.refused} == {True}
        assert all("in vain" in gap.reason and WORDS in gap.reason for gap in found.gaps if gap.end <= START)
        _says_what_the_calendar_shows(world, stream)
        before = len(refused)
        world.run(3 * DAY)
        assert len(refused) - before <= 12
    world.run(8 * DAY)
    assert lacking(world, HOME, START - 34 * DAY) == set(), "it is read when the cloud has it"
    assert summary(told(world)).startswith("All is well")
    world.end()


def _says_what_the_calendar_shows(world: World, stream: str) -> None:
    now = int(world.time.true)
    inventory = Inventory(world.settings, snapshot.load(world.store.db))
    work = inventory.work("8000", stream, now)
    assert work is not None
    days = {cell.why.partition(":")[0]: cell for cell in calendar.calendar(inventory, work, now, 13, []).cells}
    day = days["Thu 11 Jun 2026"]
    assert day.kind in ("missing", "partial")
    assert WORDS in day.why
    backfill = outlook(world.settings, inventory.works(now), world.store.db, now).backfill
    assert backfill.done_at is None or backfill.calls <= 2, "nothing is promised of what the cloud refuses"


@pytest.mark.each_value
@pytest.mark.parametrize("hours", [20, 56], ids=["while it lasts", "read once"])
@pytest.mark.parametrize("changes", DIALECTS)
@pytest.mark.parametrize("stream", ASKED)
def test_a_young_day_that_fails_costs_little_and_keeps_nothing_new_waiting(
    stream: str, changes: dict[str, Any], hours: int, tmp_path: Path
) -> None:
    api = changes.get("api", {}) | {"plan": "watt"}
    world = World(tmp_path, [HOME], **(changes | {"api": api}))
    world.run(hours * HOUR)
    day = int(datetime(2026, 7, 2, tzinfo=BERLIN).timestamp())
    with refusing(world, stream, Span(day, day + DAY)) as refused:
        world.run(3 * DAY)
        assert len(refused) <= 40, "a failing day costs little"
        late = max(world.rows(MEASURED[stream], 8000))
        assert world.time.true - late <= 8 * HOUR, "what is new is read as ever"
        missing = {at for name, at in lacking(world, HOME) if name == MEASURED[stream]}
        assert all(day <= at < day + DAY for at in missing), "every other interval is there"
    world.run(8 * DAY)
    assert lacking(world, HOME) == set()
    world.end()
