"""Intervals leave the archive once every database was seen to hold them; what was derived of them stays."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ingest.cli import cli
from ingest.cli.context import Context
from ingest.cli.verify import ONLY_COPY
from ingest.config import values
from ingest.core.point import Point, Value
from ingest.core.span import Span
from ingest.core.tally import MeasuredSystem
from ingest.deliver.verify import all_periods, differences
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Lifetime, SystemInfo
from ingest.enphase.streams.site import SUMMARY
from ingest.fetch.worker import Outcome
from ingest.plan.keeping import Cut
from ingest.report import build_report
from ingest.report.departed import NO_CURVE
from ingest.service.clock import Clock
from ingest.service.doctor import Doctor
from ingest.service.leaving import Leaving
from ingest.service.once import OneRun
from ingest.service.scheduler import Service
from ingest.service.sink_checks import sink_checks
from ingest.service.tick import Tick
from ingest.store import archive, departures, meta, outbox, progress
from ingest.store.departures import Proof
from ingest.web import Source, create_app
from tests.stories.keeping import BY_DAY, FIXED, KEEP, NOW, PLACES, UNTIL, Keeping, Lasting, drawn, restarted, said
from tests.stories.test_homes import BARN, HOUSE, RANCH
from tests.world import DAY, HOUR, Time, settings


@pytest.fixture(scope="module")
def patched() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(values, "MIN_KEPT", DAY)
        yield


@pytest.fixture(scope="module")
def left(patched: None, tmp_path_factory: pytest.TempPathFactory) -> Keeping:
    """Ten days of a home, read as history, after October has left the archive."""
    made = Keeping(tmp_path_factory.mktemp("keep"), [HOUSE, BARN], time=Time(NOW), **KEEP)
    made.run(HOUR)
    whole = {place: made.intervals(place) for place in PLACES}
    before, database = made.derived(), deepcopy(made.database).rows
    coverage = made.pipeline.inventory.state.coverage
    read = coverage.pop((PLACES[1], "stats"))
    for _ in range(3):
        made.day()
    assert not departures.untils(made.store.db), "what one lacks keeps the home"
    coverage[PLACES[1], "stats"] = read
    made.leave()
    assert not departures.untils(made.store.db), "nobody was asked yet"
    for _ in range(2):
        OneRun(made.pipeline, made.senders, 0).run(0)
        made.time.true += DAY
    assert departures.untils(made.store.db) == dict.fromkeys(PLACES, UNTIL)
    for place in PLACES:
        rest = {key: row for key, row in whole[place].items() if key[1] >= UNTIL}
        assert made.intervals(place) == rest != whole[place]
    assert made.derived() == before
    assert {name for name, *_ in before} == {*BY_DAY}
    assert made.database.rows == database, "the databases keep all"
    assert archive.size(made.store.db) == sum(1 for _ in archive.select(made.store.db, archive.Filter()))
    made.end()
    return made


@pytest.fixture
def made(left: Keeping, tmp_path: Path) -> Iterator[Keeping]:
    world = left.copy(tmp_path)
    assert isinstance(world, Keeping)
    yield world
    world.end()


def test_whatever_is_said_later_days_before_stay_as_they_are(made: Keeping, tmp_path: Path) -> None:
    derived, sent, october = made.derived(), made.sent(), made.old_rows()
    assert sent == derived

    def is_left_alone() -> None:
        assert made.derived() == derived
        assert made.sent() == sent
        assert made.old_rows() == october

    house, at = str(HOUSE.system_id), UNTIL - 12 * HOUR
    tags = (("system", house),)
    late = [Point("production_rgm", tags, at + 900 * number, {"energy_wh": 777.0}) for number in range(4)]
    said(made, BY_NAME["rgm_stats"], window=Span(at, at + HOUR), points=late, answered_end=at + HOUR)
    assert [row["energy_wh"] for row in made.rows("production_rgm", house).values()][:4] == [777.0] * 4, "it is stored"
    for point in late:
        row = made.database.rows["production_rgm", tags, point.time]
        assert row["energy_wh"] == 777.0, "and sent"
        assert "devices_reporting" in row, "and what it omits stays"
        october["production_rgm", tags, point.time] = row
    is_left_alone()

    start = date(2026, 10, 20)
    for wh in (0.0, 7.0):
        many = [wh] * ((datetime.fromtimestamp(made.time.true, UTC).date() - start).days)
        said(made, BY_NAME["energy_lifetime"], lifetime=Lifetime(start, {"production": many, "meter_production": many}))
        is_left_alone()
    assert {row["produced_wh"] for row in made.rows("energy_daily", house).values() if row["date"] == "2026-11-02"} == {
        7.0
    }, "what is after the cut follows"
    covered = progress.coverage(made.store.db)[house, "rgm_stats"]
    assert any(spans[0].end > UNTIL for spans in covered.values()), "no day before is asked for again"

    info = SystemInfo(house, HOUSE.name, HOUSE.timezone, None, fields={"size_w": 0.001})
    said(made, SUMMARY, systems=[info])
    is_left_alone()

    for site in (HOUSE, BARN):
        info = SystemInfo(str(site.system_id), site.name, "America/New_York", None, fields={"size_w": 6000.0})
        said(made, SUMMARY, systems=[info])
    is_left_alone()
    now = int(made.time.true)
    page = create_app(Source(made.settings, made.store, lambda: now, lambda: now)).test_client()
    bars = drawn(page.get("/?system=ranch&day=2026-10-28").text)
    assert bars["2026-10-28"] == round(derived["energy_daily", "ranch", "2026-10-28"]["produced_wh"])
    later = [at for at, row in made.rows("energy_daily", "ranch").items() if row.get("date", "") > "2026-11-01"]
    assert later
    assert all(datetime.fromtimestamp(at, UTC).hour in (4, 5) for at in later), "and these are of the other zone"

    with made.store.transaction() as db:
        meta.write(db, "home.ranch", (meta.read(db, "home.ranch") or "").replace('"formula": ', '"formula": 9'))
    restarted(made, tmp_path, tariffs=[{**RANCH["tariffs"][0], "import": 0.9, "standing": 2}])
    is_left_alone()
    restarted(made, tmp_path, homes={}, tariffs=[])
    is_left_alone()
    assert max(at for _, at in made.intervals("ranch")) < FIXED, "what is after the cut of a home that is no more goes"


def test_what_has_left_is_no_difference_and_never_deleted(made: Keeping) -> None:
    october = made.old_rows()
    for _ in range(3):
        made.day()
        assert outbox.last_verification(made.store.db, "db").differs == []
    assert made.old_rows() == october
    assert not outbox.has_replays(made.store.db, "db")
    lost = next(key for key in made.database.rows if key[0] == "production_rgm" and key[2] >= UNTIL)
    del made.database.rows[lost]
    with closing(made.store.reader()) as db:
        found = list(differences(db, made.database, "db", all_periods(db), int(made.time.true)))  # type: ignore[arg-type]
    assert [(item.measured.measurement, item.period[0], item.is_surplus) for item in found] == [
        ("production_rgm", UNTIL, False)
    ]


def test_commands_say_what_has_left_and_days_take_its_place(made: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.cli.verify.open_sink", lambda _: made.database)
    now = int(made.time.true)

    def run(*words: str) -> Result:
        context = Context(clock=Clock(lambda: now, lambda: now, lambda _: None))
        return CliRunner().invoke(cli, ["--config", str(made.settings.config_path), *words], obj=context)

    gone = "Intervals of 3 systems, homes included, from before 2026-10-29 have left the archive: the databases"
    statistics = ("export", "--format", "statistics", "--system", "ranch")
    done = run(*statistics)
    hours = [line.split("\t")[2][:10] for line in done.stdout.splitlines() if "produced" in line]
    assert hours.count("28.10.2026") == hours.count("29.10.2026") == 1, "the whole day at noon"
    assert hours.count("31.10.2026") > 5
    assert "Intervals of ranch from before 2026-10-29 have left" in done.stderr
    with made.store.transaction() as db:
        db.execute("UPDATE departures SET until = until + 3600")  # in the middle of a removal
    hours = [line.split("\t")[2][:10] for line in run(*statistics).stdout.splitlines() if "produced" in line]
    assert hours.count("30.10.2026") == 1
    with made.store.transaction() as db:
        db.execute("UPDATE departures SET until = until - 3600")
    assert gone in run("export", "--format", "csv", "--since", "2026-10-01").stderr
    assert not run("export", "--format", "csv", "--since", "2026-11-02").stderr
    made.end()
    try:
        done = run("verify")
        assert f"{gone} have them (db); of these nothing is said" in done.stderr
        assert done.exit_code == 0
        assert (
            f"{gone} of that time have them, and cannot be sent again from here" in run("replay", "--sink", "db").stderr
        )
    finally:
        made.begin()
    page = create_app(Source(made.settings, made.store, lambda: now, lambda: now)).test_client()
    text = page.get("/?system=ranch&day=2026-10-28").text
    assert NO_CURVE in text
    row = made.derived()["energy_daily", "ranch", "2026-10-28"]
    assert drawn(text)["2026-10-28"] == round(row["produced_wh"])
    assert NO_CURVE not in page.get("/?system=ranch&day=2026-11-02").text


def test_status_and_doctor_say_what_left_and_which_database_lets_nothing_leave(made: Keeping) -> None:
    def archive_checks() -> list[tuple[str, str]]:
        doctor = Doctor(made.settings, made.pipeline.clock, made.store, opener=lambda _: made.database)
        return [(check.result, check.found) for check in doctor.checks() if check.name == "archive"]

    gone = "Intervals of 3 systems, homes included, from before 2026-10-29 have left the archive"
    assert archive_checks() == [("ok", f"{gone}: the databases have them (db)")]
    made.time.true += 40 * DAY
    with made.store.transaction() as db:
        db.execute("UPDATE known SET reported_at = reported_at + ?", (40 * DAY,))
    unread = "no interval of 2 systems leaves it now: their history is not read yet, or was refused"
    assert archive_checks()[0] == ("ok", unread)
    now = int(made.time.true)
    assert not [at for at in build_report(made.settings, made.store.db, now).problems if at.kind == "keep"]
    made.database.forgets = lambda _: "it is an InfluxDB 2"  # type: ignore[attr-defined]
    why, lost, *_ = archive_checks()
    assert why == ("warn", "No interval leaves the archive because of sink db: it is an InfluxDB 2")
    assert lost == ("warn", "Sink db may lose what has left the archive: it is an InfluxDB 2")
    with made.store.transaction() as db:
        departures.propose(db, {PLACES[0]: Cut("2026-12-01", FIXED + 30 * DAY, FIXED + 28 * DAY)})
    made.look()
    (problem,) = [at for at in build_report(made.settings, made.store.db, now).problems if at.kind == "keep"]
    assert problem.sentence == why[1]
    assert "`type: influxdb`" in problem.remedy
    assert "`archive: {keep: all}`" in problem.remedy
    (new,) = [
        check
        for check in sink_checks(made.settings.sinks, made.store, lambda _: Renamed(), {})
        if check.name == "sink db"
    ]
    assert "from the beginning, intervals from 2026-10-29 on: what is older has left the archive" in new.found


class Renamed(Lasting):
    """Another database."""

    fingerprint = "another"


def test_fix_deletes_nothing_of_what_has_left(made: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.cli.verify.open_sink", lambda _: made.database)
    house, october, now = str(HOUSE.system_id), made.old_rows(), int(made.time.true)
    stranger, delete, proofs = ("production_rgm", (("system", house),), UNTIL + 1), made.database.delete, list[int]()

    def deleted(place: MeasuredSystem, start: int, end: int) -> None:
        with closing(sqlite3.connect(made.settings.state_dir / "state.db")) as db:
            proofs.extend(db.execute("SELECT count(*) FROM proofs").fetchone())
        delete(place, start, end)

    monkeypatch.setattr(made.database, "delete", deleted)
    made.database.rows[stranger] = {"energy_wh": 1e9}
    with made.store.transaction() as db:
        departures.prove(db, "db", [Proof(house, UNTIL + DAY, 10**9)], now)
    made.end()
    context = Context(clock=Clock(lambda: now, lambda: now, lambda _: None))
    done = CliRunner().invoke(cli, ["--config", str(made.settings.config_path), "verify", "--fix"], obj=context)
    made.begin()
    assert done.exit_code == 0, done.output
    assert stranger not in made.database.rows
    assert made.old_rows() == october
    assert proofs == [0], "and nothing leaves meanwhile upon what was seen before"


def test_fix_deletes_nothing_of_a_time_of_which_a_new_state_has_nothing(
    made: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.cli.verify.open_sink", lambda _: made.database)
    tags, october, now = (("system", str(HOUSE.system_id)),), made.old_rows(), int(made.time.true)
    stranger = "production_rgm", tags, UNTIL + 1
    october["production_rgm", tags, UNTIL - 45 * DAY] = {"energy_wh": 4.0}
    made.database.rows |= {**october, stranger: {"energy_wh": 1e9}}
    with made.store.transaction() as db:
        db.execute("DELETE FROM departures")  # of a state that was begun anew it is not known what the former one had
        day: dict[str, Value] = {"date": "2026-09-01", "produced_wh": 9.0}
        archive.upsert(db, [Point("energy_daily", tags, UNTIL - 58 * DAY, day)])
    made.end()
    context = Context(clock=Clock(lambda: now, lambda: now, lambda _: None))
    done = CliRunner().invoke(cli, ["--config", str(made.settings.config_path), "verify", "--fix"], obj=context)
    made.begin()
    assert made.old_rows() == october
    assert stranger not in made.database.rows
    assert ONLY_COPY in done.stderr
    assert done.exit_code == 1


def test_where_the_cloud_begins_is_never_above_what_was_read_and_has_left(made: Keeping) -> None:
    house = str(HOUSE.system_id)
    first = UNTIL - 6 * HOUR
    task = Task("home", house, BY_NAME["rgm_stats"], Span(UNTIL - 2 * DAY, UNTIL - DAY), Purpose.HISTORY)
    made.pipeline.events.put(Outcome(task, 0, Verdict(Kind.OUTSIDE, "", first_at=first)))
    assert made.pipeline.record() == 1
    assert made.pipeline.inventory.pairs[house, "rgm_stats"].first_at is None


def test_nothing_leaves_before_what_a_new_tariff_or_home_makes_of_it(
    made: Keeping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tariffs = [{**RANCH["tariffs"][0], "import": 0.9}]
    both: list[dict[str, Any]] = [{"homes": {}, "tariffs": []}, {"tariffs": tariffs}]
    for changes in both:
        made.end()
        made.settings = settings(tmp_path, **{**KEEP, **changes})
        made.begin()
        looked: list[object] = []
        monkeypatch.setattr(made.leaving, "_leave", lambda group, _, looked=looked: looked.append(group))
        while made.pipeline.derivation.waits:
            made.leave()
            assert not looked
            made.pipeline.tick()
        made.leave()
        assert looked, "all is computed"


def test_a_home_that_is_made_later_has_the_days_of_its_systems(made: Keeping, tmp_path: Path) -> None:
    restarted(made, tmp_path, homes={"estate": [HOUSE.system_id, BARN.system_id]})
    days = {row["date"]: row for row in made.rows("energy_daily", "estate").values()}
    assert min(days) < "2026-10-01"
    members = [{row["date"]: row for row in made.rows("energy_daily", place).values()} for place in PLACES[:2]]
    for day, row in days.items():
        assert row["produced_wh"] == pytest.approx(sum(of[day]["produced_wh"] for of in members))
        assert ("self_consumed_wh" in row) is (day >= "2026-10-30"), "no sum of what is here in part"
    (october,) = [row for row in made.rows("energy_monthly", "estate").values() if row["month"] == "2026-10"]
    assert (october["produced_days"], october["self_consumed_days"]) == (31, 2)


@pytest.mark.parametrize("keep", ["2d", "all"])
def test_a_run_of_few_calls_computes_all_that_has_to_be_before_anything_leaves(
    keep: str, made: Keeping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.end()
    tariffs = [{**RANCH["tariffs"][0], "import": 0.9}]
    made.settings = settings(tmp_path, **{**KEEP, "tariffs": tariffs, "archive": {"keep": keep}})
    made.begin()
    assert made.pipeline.derivation.waits
    looked: list[bool] = []
    monkeypatch.setattr(Leaving, "_leave", lambda *_: looked.append(made.pipeline.derivation.waits))
    OneRun(made.pipeline, made.senders, 0).run(0)
    assert looked == ([False] if keep == "2d" else [])
    assert made.pipeline.derivation.waits is (keep == "all")


def test_what_leaves_does_so_a_little_after_each_tick(made: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    service = Service(made.pipeline, [], lambda: None)
    monkeypatch.setattr(service, "_next_tick", waits.append)
    monkeypatch.setattr(service, "wake", lambda: None)
    monkeypatch.setattr(made.pipeline, "wake", lambda: None)
    monkeypatch.setattr(made.pipeline, "tick", lambda: Tick(next_at=int(made.time.true) + 20))
    asked = iter([True, False])
    monkeypatch.setattr(service._leaving, "next", lambda: next(asked))
    service._tick()
    service._tick()
    assert waits == [1, pytest.approx(20, abs=1)]
