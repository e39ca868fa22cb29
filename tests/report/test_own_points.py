"""The measurement `ingest`: what the pipeline says of itself, for the databases."""

import io
import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.core.point import Point, Value, decode_fields, parse_series
from ingest.enphase.streams import STREAMS
from ingest.plan.budget import Pace
from ingest.report import build_report
from ingest.report.model import DifferenceReport, Problem, StreamReport
from ingest.report.own_points import (
    FILLED,
    KEPT,
    REVISED,
    OwnPoints,
    audit_days,
    changes,
    in_plain_words,
    points,
)
from ingest.service.monitor import Progress, ReportJob
from ingest.store import archive, own
from ingest.store.own import MEASUREMENT, Said
from tests.world import DAY, HOUR, World
from tests.worlds import SITE, lived

FIELDS = {
    "calls_month",
    "calls_month_limit",
    "calls_month_forecast",
    "coverage_ratio",
    "gaps",
    "odd_rows",
    "lag_s",
    "gap_days",
    "gap_why",
    "missing_days",
    "lost_days",
    "wanted_from",
    "source",
    "sink_backlog",
    "sink_overdue",
    "token_days_left",
    "points_revised",
    "revised_wh",
    "audit_differences",
    "audit_days",
    "last_error",
    "no_production_meter",
    "no_consumption_meter",
    "no_meters",
}
"""As agreed in the interface."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return lived(tmp_path, [SITE], DAY)


def said(world: World) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    keys = archive.series_keys(world.store.db)
    for series, time, _, _ in own.after(world.store.db, 0, 10**6):
        rows.setdefault(keys[series], []).append(time)
    return rows


def test_the_points_have_the_agreed_tags_and_fields_and_all_numbers_are_floats(world: World) -> None:
    made = build_report(world.settings, world.store.db, int(world.time.true))
    found = [*points(made, "abc")]
    assert {name for point in found for name in point.fields} == FIELDS
    tags = {tuple(sorted(name for name, _ in point.tags)) for point in found}
    assert tags == {("app",), ("account", "app"), ("app", "sink"), ("app", "stream", "system")}
    for point in found:
        assert list(point.tags) == sorted(point.tags)
        assert point.time == made.now
        texts = {"last_error", "gap_days", "gap_why", "audit_days", "source", "wanted_from"}
        texts |= {"no_production_meter", "no_consumption_meter", "no_meters"}
        assert all(isinstance(value, float) != (name in texts) for name, value in point.fields.items())
    whole = next(point for point in found if point.tags == (("app", "abc"),))
    assert whole.fields["calls_month"] == made.quota.used_month
    assert whole.fields["calls_month_limit"] == 1000.0
    assert whole.fields["last_error"] == ""


def test_a_meter_that_a_system_has_not_is_said_once_its_devices_are_known(tmp_path: Path) -> None:
    """For the databases: boards say why nothing was consumed. What is only not known yet is not said to be missing."""
    told = []
    for consumption in (True, False):
        site = replace(SITE, consumption_meter=consumption)
        (tmp_path / site.name / str(consumption)).mkdir(parents=True)
        world = World(tmp_path / site.name / str(consumption), [site])
        for _ in range(2):
            made = build_report(world.settings, world.store.db, int(world.time.true))
            said = [point.fields for point in points(made, "abc") if ("system", str(site.system_id)) in point.tags]
            told.append({str(fields["no_consumption_meter"]) for fields in said})
            assert {fields["no_production_meter"] for fields in said} <= {""}
            world.run(DAY)
        world.end()
    assert told == [set(), {""}, set(), {"no consumption meter"}]


def test_the_application_speaks_once_an_hour_and_the_rest_on_change(world: World) -> None:
    watch = ReportJob(world.pipeline)
    begin = int(world.time.true)
    for _ in range(25):
        watch()
        world.run(300)
    rows = said(world)
    assert rows.pop(f"ingest,app={world.pipeline.app}") == [begin, begin + HOUR, begin + 2 * HOUR]
    assert rows.pop(f"ingest,account=home,app={world.pipeline.app}") == [begin]
    for times in rows.values():
        assert 1 <= len(times) <= 3
        assert all(later - earlier >= HOUR for earlier, later in pairwise(times))
    world.end()


def read(told: Iterable[Said]) -> list[Point]:
    return [Point(*parse_series(key), time, decode_fields(row)) for key, time, row in told]


def test_what_did_not_change_is_not_told_again(world: World) -> None:
    made = build_report(world.settings, world.store.db, int(world.time.true))
    own = OwnPoints(world.store.db, "abc")
    own.said(own.due(made))
    later = replace(made, now=made.now + 3 * HOUR)
    assert [point.tags for point in read(own.due(later))] == [(("app", "abc"),)]


def test_calls_alone_are_told_with_the_hourly_point(world: World) -> None:
    made = build_report(world.settings, world.store.db, int(world.time.true))
    own_points = OwnPoints(world.store.db, "abc")
    own_points.said(own_points.due(made))
    (system,) = made.systems
    called = replace(system.streams[0], calls_month=system.streams[0].calls_month + 1)

    def due(stream: StreamReport, seconds: int) -> list[str | None]:
        later = [replace(system, streams=[stream, *system.streams[1:]])]
        found = own_points.due(replace(made, now=made.now + seconds, systems=later))
        own_points.said(found)
        return [dict(point.tags).get("stream") for point in read(found)]

    assert due(system.streams[0], HOUR) == [None]
    assert due(called, HOUR + 300) == []
    assert due(called, 2 * HOUR) == [None, called.stream]
    assert due(called, 3 * HOUR) == [None]
    assert due(replace(called, revised=called.revised + 1), 3 * HOUR + 300) == [called.stream], "of the data: at once"


def test_a_day_of_silence_is_the_longest(world: World) -> None:
    """So that a look at the last day and the one before always finds a number to compare with."""
    made = build_report(world.settings, world.store.db, int(world.time.true))
    own = OwnPoints(world.store.db, "abc")
    own.said(own.due(made))
    assert len(own.due(replace(made, now=made.now + DAY - 1))) == 1
    assert len(own.due(replace(made, now=made.now + DAY))) == len([*points(made, "abc")])


def test_what_changed_is_said_in_words(world: World) -> None:
    made = build_report(world.settings, world.store.db, int(world.time.true))
    own = OwnPoints(world.store.db, "abc")
    own.said(told := own.due(made))
    first = read(told)
    assert not any("change" in point.fields for point in first), "nothing to compare with"
    (system,) = made.systems
    revised = replace(system.streams[0], revised=system.streams[0].revised + 1200, revised_wh=340.0)
    later = replace(made, now=made.now + 3 * HOUR, systems=[replace(system, streams=[revised, *system.streams[1:]])])
    changed = {dict(point.tags).get("stream"): point.fields for point in read(own.due(later))}
    assert {stream: fields.get("change") for stream, fields in changed.items()} == {
        None: None,
        revised.stream: "1,200 points revised",
    }
    assert changed[revised.stream]["changed_wh"] == 340.0 - system.streams[0].revised_wh
    assert changed[revised.stream]["change_why"] == REVISED
    own.said(own.due(later))
    (at_last,) = read(own.due(replace(later, now=later.now + 3 * HOUR)))
    assert (at_last.tags, at_last.fields.keys()) == ((("app", "abc"),), first[0].fields.keys())


@pytest.mark.parametrize(
    ("error", "revised", "gaps", "words", "why"),
    [
        ("", 0.0, 0.0, "", ""),
        ("", 1.0, 0.0, "1 point revised", REVISED),
        ("", 0.0, -3.0, "3 gaps filled", FILLED),
        ("stats: 503", 0.0, -3.0, "3 gaps filled", "read again after: stats: 503"),
        ("", 0.0, 1.0, "1 new gap", "never delivered: asked once in vain (500)"),
        ("", 12.0, -1.0, "12 points revised, 1 gap filled", f"{REVISED}; {FILLED}"),
    ],
)
def test_words_of_a_change(error: str, revised: float, gaps: float, words: str, why: str) -> None:
    before: dict[str, Value] = {"points_revised": 5.0, "gaps": 4.0, "last_error": error, "revised_wh": 10.0}
    energy = 2.5 * revised
    after: dict[str, Value] = {"points_revised": 5.0 + revised, "gaps": 4.0 + gaps, "revised_wh": 10.0 + energy}
    told: dict[str, Value] = {"changed_points": revised, "changed_gaps": gaps, "change": words}
    told |= {"changed_wh": energy, "change_why": why}
    reason = "never delivered: asked once in vain (500)"
    assert changes(before, after, reason) == (told if words else {})
    assert changes({}, after) == {}


def test_what_a_database_does_not_accept_is_told_apart_from_what_is_on_its_way(world: World) -> None:
    """A backlog alone is no trouble; after an error, or of what was refused, it is."""
    made = build_report(world.settings, world.store.db, int(world.time.true))
    (sink,) = made.sinks

    def overdue(**more: object) -> object:
        (point,) = [*points(replace(made, sinks=[replace(sink, **more)]), "abc")][2:3]  # type: ignore[arg-type]
        return point.fields["sink_overdue"]

    assert overdue(backlog=700, error="", parked=0) == 0.0
    assert overdue(backlog=700, error="down", parked=0) == 700.0
    assert overdue(backlog=0, error="", parked=3) == 3.0


def test_what_was_said_a_quarter_of_a_year_ago_is_forgotten_by_the_day(world: World) -> None:
    tags, last = (("app", world.pipeline.app),), int(world.time.true) - KEPT
    old = [Point(MEASUREMENT, tags, last + at, {"gaps": 0.0}) for at in (1 - DAY, -1, 1)]
    counted = archive.size(world.store.db)
    with world.store.transaction() as db:
        own.write(db, [*map(own.said, old)])
    ReportJob(world.pipeline)()
    key = f"ingest,app={world.pipeline.app}"
    assert said(world)[key] == [*(point.time for point in old), int(world.time.true)]
    with world.store.transaction() as db:
        own.forget(db, last + 2)
    assert said(world)[key] == [int(world.time.true)]
    assert archive.size(world.store.db) == counted, "it is none of the data"
    world.end()


def test_they_reach_the_database_like_any_other_point(world: World) -> None:
    ReportJob(world.pipeline)()
    world.deliver()
    mine = [key for key in world.database.rows if key[0] == "ingest"]
    assert len(mine) == 6
    world.end()


def test_a_restart_does_not_tell_a_system_twice_in_an_hour(world: World) -> None:
    ReportJob(world.pipeline)()
    before = {key: times for key, times in said(world).items() if "system=" in key}
    world.crash()
    world.run(300)
    ReportJob(world.pipeline)()
    assert {key: times for key, times in said(world).items() if "system=" in key} == before
    world.end()


def test_an_error_is_told_and_then_no_longer(world: World) -> None:
    watch = ReportJob(world.pipeline)
    world.database.down = True
    world.run(600)
    watch()
    world.database.down = False
    world.run(HOUR)
    watch()
    keys, rows = archive.series_keys(world.store.db), own.after(world.store.db, 0, 10**6)
    told = [decode_fields(fields)["last_error"] for series, _, fields, _ in rows if "sink=db" in keys[series]]
    assert "database is down" in str(told[0])
    assert told[-1] == ""
    world.end()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_long_work_shows_its_progress_on_a_terminal_and_nowhere_else(world: World) -> None:
    terminal, file = Terminal(), io.StringIO()
    on_terminal, in_file = Progress(world.pipeline, terminal), Progress(world.pipeline, file)
    for left in (40, 40, 30, 10, 0, 0, 3, 0):
        world.pipeline.pace = Pace(needs_history=left)
        on_terminal()
        in_file()
    shown = [line.strip() for line in re.split(r"[\r\n]", terminal.getvalue()) if line.strip()]
    assert shown == [
        "Reading history: 0 of 40 calls, 0%",
        "Reading history: 10 of 40 calls, 25%",
        "Reading history: 30 of 40 calls, 75%",
        "History is read.",
    ]
    assert file.getvalue() == ""
    world.end()


def test_what_is_wrong_with_a_stream_names_it_as_an_owner_does(world: World) -> None:
    """Whatever the system is called, and whatever else is said; other sentences stay as they are."""
    system = f"{SITE.system_id}"
    names = {system: "House of stats: 2"}
    for stream in STREAMS:
        text = f"House of stats: 2: {stream.name} is not allowed (HTTP 401: {stream.name})"
        plain = f"House of stats: 2: {stream.label} is not allowed (HTTP 401: {stream.name})"
        assert in_plain_words(Problem("denied", f"{system}.{stream.name}", text, ""), names) == plain
    listed = Problem("denied", "@home.systems", "Account home: systems is not allowed", "")
    assert in_plain_words(listed, names) == "Account home: list of systems is not allowed"
    sink = Problem("sink", "stats", "Sink stats does not accept writes", "")
    assert in_plain_words(sink, names) == sink.text
    made = build_report(world.settings, world.store.db, int(world.time.true))
    denied = Problem("denied", f"{system}.stats", f"{SITE.name}: stats is not allowed", "Tick it")
    found = [*points(replace(made, problems=[denied]), "abc")]
    words = {str(point.fields["last_error"]) for point in found} - {""}
    assert words == {f"{SITE.name}: panel production is not allowed. Tick it"}, "of the application too"


def test_days_that_do_not_add_up_are_named(world: World) -> None:
    made = build_report(world.settings, world.store.db, int(world.time.true))
    (system,) = made.systems
    days = [f"2026-10-{day:02}" for day in (3, 3, 9, 12, 14, 20, 21, 30)]
    differences = [DifferenceReport(day, "production", 1.0, 2.0) for day in days]
    assert audit_days(replace(system, differences=differences)) == (
        "2026-10-30, 2026-10-21, 2026-10-20, 2026-10-14, 2026-10-12 and 2 more"
    )
    assert audit_days(system) == ""
