"""The account of an installation: what is missing and why, what was spent, what is wrong."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from ingest.core.point import Point
from ingest.core.span import Span
from ingest.core.words import many, size_words
from ingest.enphase.streams import BY_NAME
from ingest.plan import coverage
from ingest.plan.coverage import Advance
from ingest.plan.state import Pair
from ingest.plan.work import Work
from ingest.report import build_report, span_words
from ingest.report.gaps import NO_METER_WORDS, NOT_DUE, OUTSIDE, WAITING, gaps, standing
from ingest.store import archive
from tests.works import a_work
from tests.world import DAY, HOUR, START, World
from tests.worlds import SITE

NOW = START + 10 * DAY
STATS = BY_NAME["stats"]
SETTLE = 6 * HOUR


def work(read_until: int | None, floor: int = START, reported_at: int = NOW - 600, **more: Any) -> Work:
    read = {SETTLE: (Span(floor, read_until),)} if read_until else {}
    log = tuple(Advance(at + 100, at) for at in range(START, reported_at + 1, 900))
    options: dict[str, Any] = {"asked_at": NOW - 300, **more}
    return a_work(STATS, every=900, floor=floor, read=read, log=log, **options)


def reasons(entry: Work, pair: Pair | None = None, patience: Mapping[str, int] = MappingProxyType({})) -> list[str]:
    pair = replace(pair or Pair("1", "stats", floor=START), asked_at=entry.asked_at)
    entry = entry._replace(pair=pair)
    return [gap.reason for gap in gaps(entry, standing(entry, SETTLE, NOW, patience), NOW)]


def test_what_is_younger_than_settled_is_not_yet_due_and_then_waits_for_the_gateway() -> None:
    assert reasons(work(NOW - SETTLE - 900)) == [NOT_DUE, WAITING]


def test_the_edge_of_what_is_settled_is_no_gap() -> None:
    for late in range(0, 900, 100):
        edge = coverage.edge(work(None).log, NOW - late, SETTLE)
        assert edge is not None
        entry = work(edge - edge % STATS.grain, asked_at=NOW - late)
        assert reasons(entry)[0] == NOT_DUE, late
        assert standing(entry, SETTLE, NOW, {}).ratio == 1.0


def test_a_pair_that_was_not_asked_for_long_has_a_gap() -> None:
    assert reasons(work(NOW - 2 * DAY, asked_at=NOW - 2 * DAY))[0] == "will be read"


def test_a_pair_that_is_asked_as_often_as_the_plan_admits_has_no_gap(tmp_path: Path) -> None:
    """Five homes on the smallest plan are asked every 16 h or so."""
    world = World(tmp_path, [replace(SITE, system_id=4242 + number) for number in range(5)])
    world.run(3 * HOUR)
    inventory = world.pipeline.inventory
    build_report(world.settings, world.store.db, int(world.time.true), inventory=inventory)
    allowed = inventory.patience["stats"]
    assert allowed > DAY
    world.end()
    asked = NOW - allowed + HOUR
    edge = coverage.edge(work(None).log, asked, SETTLE)
    assert edge is not None
    entry = work(edge - edge % STATS.grain, asked_at=asked)
    assert reasons(entry, patience={"stats": allowed})[0] == NOT_DUE
    assert reasons(entry)[0] == "will be read"


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (Pair("1", "stats"), "not read yet"),
        (Pair("1", "stats", floor=START), "will be read"),
        (Pair("1", "stats", state="denied", reason="Not authorized"), "denied: Not authorized"),
        (Pair("1", "stats", state="nothing", reason="no such data"), "never delivered: no such data"),
        (Pair("1", "stats", state="wrong_key", reason="other"), "wrong key: other"),
    ],
)
def test_a_hole_says_why(pair: Pair, reason: str) -> None:
    assert reasons(work(None), pair)[0] == reason


def test_what_the_cloud_no_longer_has_is_outside_history() -> None:
    entry = work(NOW - SETTLE - 900, floor=NOW - 3 * 365 * DAY)
    assert reasons(entry)[0] == OUTSIDE


def test_a_meter_that_is_not_there_is_one_gap_and_no_debt() -> None:
    absent = Pair("1", "stats", state="no_meter")
    assert reasons(work(None), absent) == [NO_METER_WORDS]
    assert standing(work(None)._replace(pair=absent), SETTLE, NOW, {}).ratio == 1.0


def test_numbers_are_said_as_people_say_them() -> None:
    assert many(1, "gap") == "1 gap"
    assert many(1204, "point") == "1,204 points"
    assert span_words(3 * HOUR + 300) == "3 h 5 min"
    assert span_words(2 * DAY + 4 * HOUR) == "2 d 4 h"
    assert size_words(3 * 2**30) == "3.0 GB"
    assert size_words(120 * 2**20) == "120 MB"


def test_a_world_that_is_well_has_no_problem_and_nothing_open(tmp_path: Path) -> None:
    world = World(tmp_path, [SITE])
    world.run(2 * DAY)
    made = build_report(world.settings, world.store.db, int(world.time.true))
    assert made.problems == []
    (system,) = made.systems
    assert system.name == SITE.name
    assert {stream.stream for stream in system.streams} == {"stats", "rgm_stats", "consumption"}
    for stream in system.streams:
        assert stream.ratio == 1.0, stream
        assert {gap.reason for gap in stream.gaps} <= {NOT_DUE, WAITING}, stream
    assert made.quota.used_month == sum(call.counted for call in world.cloud.calls) + 2  # and the tokens
    assert made.quota.used_month <= made.quota.forecast_month <= made.quota.per_month - made.quota.reserve
    assert made.backfill.calls == 0
    assert made.points == world.store.db.execute("SELECT count(*) FROM points").fetchone()[0]
    world.end()


def test_the_number_of_points_is_kept_and_not_counted(tmp_path: Path) -> None:
    world = World(tmp_path, [SITE])
    for value in (1.0, 1.0, 2.0):
        with world.store.transaction() as db:
            archive.upsert(db, [Point("m", (), at, {"f": value}) for at in (1, 2, 3)])
    assert archive.size(world.store.db) == 3
    world.end()


def test_a_wrong_id_is_named_first_and_is_not_blamed_on_its_zone(tmp_path: Path) -> None:
    wanted = [{"id": each, "streams": ["stats"]} for each in (SITE.system_id, 999)]
    world = World(tmp_path, [SITE], systems=wanted)
    world.run(8 * HOUR)
    problems = build_report(world.settings, world.store.db, int(world.time.true)).problems
    assert "check its id" in problems[0].text, [problem.text for problem in problems]
    assert "zone" not in [problem.kind for problem in problems]
    world.end()
