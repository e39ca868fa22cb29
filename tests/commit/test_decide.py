"""What each outcome changes, by tables: nothing but values, no state file."""

import ast
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingest.commit.changes import Changes, Loaded
from ingest.commit.context import CommitContext
from ingest.commit.decide import decide
from ingest.commit.derived import producers
from ingest.core.audit import Total
from ingest.core.point import Point, decode_fields
from ingest.core.span import Span
from ingest.core.units import DAY, HOUR, MINUTE
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Lifetime, SystemInfo
from ingest.enphase.streams.site import SYSTEMS
from ingest.fetch.worker import Outcome
from ingest.plan.coverage import Advance, Log
from ingest.plan.profile import Profile
from ingest.plan.state import NO_METER, NO_POINTS, Deferral, Pair, Snapshot, SystemRow
from ingest.plan.work import Classes

NOW = 1_782_864_000
"""2026-07-01 00:00 UTC."""
CLASSES = Classes(6 * HOUR, 4 * DAY)
AT = CommitContext(NOW, CLASSES, NOW - 7 * DAY, "home")
TAG = (("system", "1"),)


def known(**pair: Any) -> Snapshot:
    """A system in UTC without a meter, whose gateway reported a minute ago and six hours ago."""
    row = SystemRow("1", "home", "House", "UTC", info={"production_source": "microinverters"})
    pairs = {("1", "consumption"): Pair("1", "consumption", **pair)} if pair else {}
    log = Log((at, at - MINUTE) for at in (NOW - 5 * DAY, NOW - 7 * HOUR, NOW - HOUR))
    return Snapshot(pairs=pairs, systems={"1": row}, logs={"1": log})


def outcome(kind: Kind = Kind.OK, stream: str = "consumption", purpose: Purpose = Purpose.LIVE, **more: Any) -> Outcome:
    window = more.pop("window", Span(NOW - DAY, NOW))
    task = Task("home", "1", BY_NAME[stream], window, purpose, reach=DAY)
    verdict = more.pop("verdict", Verdict(kind, "words"))
    return Outcome(task, 1, verdict, answered_end=window.end, date_at=NOW, **more)


def used(*quarters: int, wh: float = 100.0) -> list[Point]:
    return [Point("consumption", TAG, at, {"energy_wh": wh}) for at in quarters]


def written(changes: Changes) -> dict[str, dict[int, Mapping[str, Any]]]:
    """The numbers of the rows that change, by measurement and time."""
    return {
        key.partition(",")[0]: {at: _numbers(text) for at, text in rows.items()}
        for key, rows in changes.points.changed_rows.items()
    }


def _numbers(text: str) -> dict[str, float]:
    return {name: value for name, value in decode_fields(text).items() if isinstance(value, float)}


PAUSES = [
    (Kind.BUSY, Purpose.LIVE, {}, {"fails": 1, "rest_until": NOW + MINUTE, "state": "busy", "reason": "words"}),
    (Kind.BUSY, Purpose.LIVE, {"fails": 3, "state": "busy"}, {"fails": 4, "rest_until": NOW + 8 * MINUTE}),
    (Kind.BUSY, Purpose.LIVE, {"fails": 3, "state": "denied"}, {"fails": 1, "rest_until": NOW + MINUTE}),
    (Kind.BUSY, Purpose.LIVE, {"fails": 40, "state": "busy"}, {"fails": 41, "rest_until": NOW + 6 * HOUR}),
    (Kind.DENIED, Purpose.LIVE, {}, {"fails": 1, "rest_until": NOW + DAY, "state": "denied"}),
    (Kind.GARBLED, Purpose.LIVE, {}, {"fails": 1, "rest_until": NOW + HOUR, "state": "garbled"}),
    (Kind.GARBLED, Purpose.HISTORY, {}, {"fails": 0, "rest_until": 0, "history_fails": 1, "history_from": NOW + HOUR}),
    (Kind.DENIED, Purpose.HISTORY, {}, {"fails": 1, "rest_until": NOW + DAY, "state": "denied"}),
    (Kind.DENIED, Purpose.HISTORY, {"asked_at": 5}, {"rest_until": 0, "state": "", "history_from": NOW + HOUR}),
    (Kind.DENIED, Purpose.HISTORY, {"asked_at": 5, "state": "denied", "fails": 1}, {"fails": 2, "state": "denied"}),
    (Kind.BUSY, Purpose.HISTORY, {"history_fails": 1}, {"history_fails": 2, "history_from": NOW + 2 * MINUTE}),
    (Kind.NOTHING, Purpose.LIVE, {"fails": 2, "state": "busy"}, {"asked_at": NOW, "fails": 0, "state": ""}),
    (Kind.NOTHING, Purpose.HISTORY, {"asked_at": 5}, {"asked_at": 5, "history_from": NOW + HOUR}),
    (Kind.THROTTLED, Purpose.LIVE, {"fails": 2, "state": "busy"}, {"fails": 2, "state": "busy"}),
]


@pytest.mark.parametrize(("kind", "purpose", "before", "after"), PAUSES)
def test_each_verdict_has_one_act_on_its_pair(
    kind: Kind, purpose: Purpose, before: dict[str, Any], after: dict[str, Any]
) -> None:
    changes = decide(Loaded(known(floor=1, **before)), outcome(kind, purpose=purpose), AT)
    pair = changes.pair("1", "consumption")
    assert {name: getattr(pair, name) for name in after} == after
    assert not changes.points.changed_rows
    assert not changes.coverage.maps[0]


def test_a_reply_is_points_coverage_and_what_follows_from_them() -> None:
    quarters = range(NOW - DAY, NOW - 900, 900)
    loaded = Loaded(known(floor=NOW - 7 * DAY, fails=2, state="busy"))
    changes = decide(loaded, outcome(points=used(*quarters), reported_at=NOW - MINUTE), AT)
    rows = written(changes)
    assert list(rows["consumption"]) == list(quarters)
    assert rows["energy"] == {key: {"consumed_wh": 100.0} for key in quarters}
    settled = NOW - 7 * HOUR - MINUTE
    assert changes.coverage["1", "consumption"] == {6 * HOUR: ((NOW - DAY, settled - settled % 900),)}
    assert changes.logs["1"][-1] == Advance(NOW, NOW - MINUTE)
    pair = changes.pair("1", "consumption")
    assert (pair.asked_at, pair.fails, pair.state) == (NOW, 0, "")


def test_what_was_loaded_is_left_as_it_was_until_it_is_applied() -> None:
    state = known(floor=1)
    before = replace(state, pairs={**state.pairs}, coverage={**state.coverage}, logs={**state.logs})
    changes = decide(Loaded(state), outcome(points=used(NOW - 900), reported_at=NOW), AT)
    assert state == before
    assert not changes.apply(state)
    assert state.pairs["1", "consumption"].asked_at == NOW
    assert state.logs["1"][-1].reported_at == NOW


def test_only_what_differs_is_written_and_counted_as_revised() -> None:
    held = {"consumption,system=1": {NOW - 900: "energy_wh:100;", NOW - 1800: "energy_wh,power_w:5;1;"}}
    loaded = Loaded(known(floor=1, revised=4), held, {"consumption,system=1": 7})
    changes = decide(loaded, outcome(points=used(NOW - 2700, NOW - 1800, NOW - 900)), AT)
    assert written(changes)["consumption"] == {
        NOW - 2700: {"energy_wh": 100.0},
        NOW - 1800: {"energy_wh": 100.0, "power_w": 1.0},
    }
    assert (changes.points.added - len(written(changes)["energy"]), changes.pair("1", "consumption").revised) == (1, 5)
    assert changes.pair("1", "consumption").revised_wh == 95.0


def test_what_is_added_to_a_row_revises_nothing() -> None:
    """Two streams may fill one row, as import and export do."""
    held = {"consumption,system=1": {NOW - 900: "power_w:1;", NOW - 1800: 'note="a, b"', NOW - 2700: ""}}
    loaded = Loaded(known(floor=1, revised=4), held, {"consumption,system=1": 7})
    changes = decide(loaded, outcome(points=used(NOW - 2700, NOW - 1800, NOW - 900)), AT)
    assert len(changes.points.changed_rows["consumption,system=1"]) == 3
    assert changes.pair("1", "consumption").revised == 4


def test_a_value_that_changes_at_its_second_look_is_looked_at_once_more_a_day_later() -> None:
    begin, window = NOW - 5 * DAY, Span(NOW - 5 * DAY, NOW - 4 * DAY - HOUR)
    quarters = range(window.start, window.end, 900)
    snapshot = known(floor=1)
    snapshot.coverage["1", "consumption"] = {CLASSES.settle: (window,)}
    snapshot.logs["1"] = Log((at, at) for at in range(NOW - 9 * DAY, NOW - 4 * DAY, 900))
    rows = {"consumption,system=1": dict.fromkeys(quarters, "energy_wh:100;")}
    late = begin + 8 * HOUR
    grown = [*used(*quarters), *used(late, wh=160.0)]
    look = outcome(purpose=Purpose.HISTORY, window=window, points=grown)
    changes = decide(Loaded(snapshot, rows, {"consumption,system=1": 1}), look, AT)
    assert changes.coverage["1", "consumption"] == {
        CLASSES.settle: (window,),
        CLASSES.look_again: (Span(window.start, late), Span(late + 900, window.end)),
    }
    assert changes.deferred["1", "consumption"] == (Deferral(Span(late, late + 900), NOW + DAY),)
    changes.apply(snapshot)
    rows["consumption,system=1"][late] = "energy_wh:160;"
    again = decide(Loaded(snapshot, rows, {"consumption,system=1": 1}), look, replace(AT, now=NOW + DAY))
    assert again.coverage["1", "consumption"][CLASSES.look_again] == (window,)
    assert again.deferred["1", "consumption"] == ()


@pytest.mark.parametrize(("meters", "state"), [(None, NO_POINTS), (("production",), NO_METER), (("consumption",), "")])
def test_a_stream_without_any_point_may_have_no_meter(meters: tuple[str, ...] | None, state: str) -> None:
    snapshot = known(floor=1)
    snapshot.systems["1"] = replace(snapshot.systems["1"], profile=Profile(meters=meters))
    assert decide(Loaded(snapshot), outcome(), AT).pair("1", "consumption").state == state
    held = Loaded(snapshot, ids={"consumption,system=1": 3})
    assert decide(held, outcome(), AT).pair("1", "consumption").state == ""


@pytest.mark.parametrize(("oldest", "first_at"), [(None, NOW - 900), (NOW, NOW - 900), (NOW - 2 * DAY, None)])
def test_where_the_data_begin_is_never_above_what_was_read(oldest: int | None, first_at: int | None) -> None:
    verdict = Verdict(Kind.OUTSIDE, first_at=NOW)
    changes = decide(Loaded(known(floor=1), oldest=oldest), outcome(verdict=verdict), AT)
    assert changes.pair("1", "consumption").first_at == first_at


def test_an_unreadable_reply_is_kept_as_a_sample() -> None:
    sample = decide(Loaded(known()), outcome(Kind.GARBLED, body=b"<?>"), AT).sample
    assert sample is not None
    assert (sample.system, sample.stream, sample.reason, sample.body) == ("1", "consumption", "words", b"<?>")


def totals(wh: float) -> Outcome:
    task = Task("home", "1", BY_NAME["consumption_lifetime"], Span(0, 0), Purpose.SNAPSHOT)
    return Outcome(
        task,
        1,
        Verdict(Kind.OK),
        lifetime=Lifetime(date(2026, 6, 29), {"consumption": [wh]}),
        reported_at=NOW,
        date_at=NOW,
    )


@pytest.mark.parametrize(("wh", "is_read_again"), [(9600.0, False), (9000.0, True)])
def test_a_day_that_misses_its_total_is_read_again(wh: float, is_read_again: bool) -> None:  # noqa: FBT001
    begin = NOW - 2 * DAY
    snapshot = known()
    snapshot.coverage["1", "consumption"] = {6 * HOUR: (Span(begin, begin + DAY),)}
    rows = {"consumption,system=1": dict.fromkeys(range(begin, begin + DAY, 900), "energy_wh:100;")}
    changes = decide(Loaded(snapshot, rows, {"consumption,system=1": 1}), totals(wh), AT)
    assert (changes.coverage["1", "consumption"] == {6 * HOUR: ()}) is is_read_again
    assert changes.totals["1", "consumption", "2026-06-29"].open is is_read_again
    assert written(changes)["energy_daily"][begin] == {"consumed_wh": wh, "consumed_days": 1.0}
    assert written(changes)["energy_monthly"] == {NOW - 30 * DAY: {"consumed_wh": wh, "consumed_days": 1.0}}


def test_a_zone_that_becomes_known_makes_days_and_forgets_totals_of_others() -> None:
    snapshot = known()
    snapshot.systems["1"] = replace(snapshot.systems["1"], timezone="")
    begin = NOW - 2 * DAY
    snapshot.coverage["1", "consumption"] = {6 * HOUR: (Span(begin, begin + DAY),)}
    rows = {"consumption,system=1": dict.fromkeys(range(begin, begin + DAY, 900), "energy_wh:1;")}
    old = {("1", "consumption", "2026-06-28"): Total(5.0), ("2", "consumption", "2026-06-28"): Total(6.0)}
    task = Task("home", "@home", SYSTEMS, Span(0, 0), Purpose.SNAPSHOT)
    listed = Outcome(task, 1, Verdict(Kind.OK), systems=[SystemInfo("1", timezone="UTC")])
    changes = decide(Loaded(snapshot, rows, {"consumption,system=1": 1}, old), listed, AT)
    assert written(changes)["energy_daily"] == {begin: {"consumed_wh": 96.0, "consumed_days": 1.0}}
    assert list(changes.totals) == [("2", "consumption", "2026-06-28")]
    assert changes.moved == {"1"}
    assert changes.apply(snapshot), "what is wanted must be worked out again"


COMMIT = Path(__file__).parents[2] / "ingest" / "commit"
KNOW = ("__init__", "adopt_day_counts", "ages", "home_energy", "load", "record", "save", "valuation")
"""The modules of a commit that read or write the state."""


@pytest.mark.parametrize("name", sorted(path.stem for path in COMMIT.glob("*.py") if path.stem not in KNOW))
def test_what_decides_knows_no_database(name: str) -> None:
    path = COMMIT / f"{name}.py"
    imported = {
        module
        for node in ast.walk(ast.parse(path.read_text()))
        for module in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        + ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [])
    }
    assert not {module for module in imported if module == "sqlite3" or module.startswith("ingest.store")}


def test_another_status_in_any_reply_is_written_at_once_and_the_same_one_is_not() -> None:
    state = known(asked_at=NOW - HOUR)
    state.systems["1"] = replace(state.systems["1"], info={"status": "normal", "label": "House (1)"})
    changes = decide(Loaded(state), outcome(points=used(NOW - DAY), status="comm", energy_at=NOW - 3 * HOUR), AT)
    (row,) = changes.points.changed_rows["system_info,system=1"].values()
    assert decode_fields(row) == {"status": "comm", "label": "House (1)", "last_energy_at": NOW - 3 * HOUR}
    same = decide(Loaded(state), outcome(points=used(NOW - DAY), status="normal", energy_at=NOW - 3 * HOUR), AT)
    assert "system_info,system=1" not in same.points.changed_rows


@pytest.mark.parametrize(
    ("source", "first"), [("meter", "rgm_stats"), ("envoy", "rgm_stats"), ("microinverters", "stats")]
)
def test_only_the_word_for_them_makes_the_microinverters_count(source: str, first: str) -> None:
    state = known()
    state.systems["1"] = replace(state.systems["1"], info={"production_source": source})
    there = Loaded(state, ids={"production_rgm,system=1": 1, "production_micro,system=1": 2})
    assert producers(Changes(there), "1")[0].name == first


def test_a_meter_of_type_total_measures_the_home_without_its_battery() -> None:
    stored = {"battery,system=1": {NOW - DAY: "charged_wh,discharged_wh:50;0;"}}
    for config_type, expected in (("Net", 50.0), ("Total", 100.0)):
        state = known(asked_at=NOW - HOUR)
        info: dict[str, float | str] = {"production_source": "microinverters", "config_type": config_type}
        state.systems["1"] = replace(state.systems["1"], info=info)
        loaded = Loaded(state, stored, {"battery,system=1": 1})
        changes = decide(loaded, outcome(points=used(NOW - DAY)), AT)
        (row,) = changes.points.changed_rows["energy,system=1"].values()
        assert decode_fields(row)["consumed_wh"] == expected


@pytest.mark.parametrize("said", [{"devices_reporting": 0.0}, {"devices_total": 0.0}])
@pytest.mark.parametrize(("stream", "quantity"), [("rgm_stats", "produced_wh"), ("consumption", "consumed_wh")])
def test_energy_counts_whatever_is_said_of_the_meters_and_a_0_only_where_one_reported(
    stream: str, quantity: str, said: dict[str, float]
) -> None:
    state = known(asked_at=NOW - HOUR)
    state.systems["1"] = replace(state.systems["1"], info={"production_source": "meter"})
    (measurement,) = (flow.measurement for flow in BY_NAME[stream].flows)
    energies = {NOW - 2700: 50.0, NOW - 1800: 0.0, NOW - 900: 70.0}
    points = [Point(measurement, TAG, at, {"energy_wh": wh, **said}) for at, wh in energies.items()]
    changes = decide(Loaded(state), outcome(stream=stream, points=points), AT)
    assert written(changes)["energy"] == {NOW - 2700: {quantity: 50.0}, NOW - 900: {quantity: 70.0}}
    assert changes.logs["1"][-1].reported_at == NOW, "and it shows how far the cloud knows the system"
