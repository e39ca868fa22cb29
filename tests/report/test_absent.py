"""Charts without data say why."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.plan.state import NO_METER, NO_POINTS
from ingest.report.absent import UNWANTED
from ingest.store import progress
from ingest.web import Source, create_app
from tests.world import DAY, HOUR, START, Time, World
from tests.worlds import SITE


def said(world: World) -> str:
    now = int(world.time.true)
    text = create_app(Source(world.settings, world.store, lambda: now, lambda: now)).test_client().get("/").text
    (told,) = re.findall(r'<p id="live-absent" class="quiet">(.*?)</p>', text, re.DOTALL)
    return re.sub(r"<[^>]+>", "`", told)


def test_where_everything_is_drawn_nothing_is_said(tmp_path: Path) -> None:
    world = World(tmp_path, [SITE], time=Time(START + 9 * HOUR))
    world.run(DAY)
    assert said(world) == ""
    world.end()


def test_a_denied_stream_is_said_beside_the_chart(tmp_path: Path) -> None:
    world = World(tmp_path, [SITE], time=Time(START + 9 * HOUR))
    world.cloud.faults.denied_groups = {"consumption"}
    world.run(DAY)
    assert re.fullmatch(r"No consumption: not allowed \(HTTP 401: .*\)\.", said(world)), said(world)
    world.end()


def test_a_stream_that_nobody_wanted_is_said(tmp_path: Path) -> None:
    entry = {"id": SITE.system_id, "streams": ["stats", "rgm_stats"]}
    world = World(tmp_path, [SITE], time=Time(START + 9 * HOUR), systems=[entry])
    world.run(DAY)
    assert said(world) == f"No consumption: {UNWANTED}."
    world.end()


@pytest.mark.parametrize(
    ("state", "why"),
    [(NO_METER, "the system has no such meter"), (NO_POINTS, "the cloud has never had a value"), ("", "not asked yet")],
)
def test_what_is_not_there_is_said_in_other_words_than_what_is_awaited(tmp_path: Path, state: str, why: str) -> None:
    world = World(tmp_path, [SITE])
    world.step(world.time.true + HOUR)
    with world.store.transaction() as db:
        for stream in ("stats", "rgm_stats"):
            pair = world.pipeline.inventory._pair((str(SITE.system_id), stream))
            progress.save_pair(db, replace(pair, state=state))
    assert f"No production: {why}." in said(world)
    world.end()


def test_a_silent_gateway_is_awaited(tmp_path: Path) -> None:
    begin = START + 9 * HOUR
    world = World(tmp_path, [replace(SITE, offline=((begin - 10 * DAY, begin + 5 * DAY),))], time=Time(begin))
    world.run(DAY)
    assert "No production: waiting for the gateway." in said(world)
    world.end()
