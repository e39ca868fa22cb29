"""Doctor: all green where all is well, and each prepared fault found by its name."""

import contextlib
import json
import shutil
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ingest.auth.token_files import TokenFiles
from ingest.cli import cli
from ingest.config import load
from ingest.core.errors import SinkDown
from ingest.service import identity
from ingest.service.check import BAD, OK, SKIPPED, WARN, Check
from ingest.service.doctor import CloudLine, Doctor
from ingest.store import ledger, outbox, progress
from ingest.store.database import Store
from tests.world import HOUR, World
from tests.worlds import SITE

Usage = namedtuple("Usage", "total used free")


class Database:
    """A sink as doctor meets it: it answers, or says why not."""

    fingerprint = "memory"
    error = blind = ""

    def ping(self) -> str:
        if self.error:
            raise SinkDown(self.error)
        return "InfluxDB 1.6"

    def prove_reading(self) -> None:
        if self.blind:
            raise SinkDown(self.blind)

    def write(self, lines: object) -> int:
        raise AssertionError("doctor writes nothing")

    def close(self) -> None:
        pass


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: [])
    made = World(tmp_path, [SITE])
    made.settings.config_path.chmod(0o600)
    made.run(12 * HOUR)
    yield made
    made.end()


def doctor_of(world: World, **changes: Any) -> Doctor:
    files = TokenFiles(world.settings.state_dir / "tokens")

    def grant(account: str) -> str:
        kept = files.read(account)
        return kept.current.access if kept else ""

    line = CloudLine(identity.cloud_of(world.settings), world.wire, grant)
    database = Database()
    database.error, database.blind = changes.pop("down", ""), changes.pop("blind", "")
    made = Doctor(world.settings, world.time.clock(), world.store, line, lambda _: database)
    return replace(made, **changes)


def bad(one: Doctor) -> dict[str, Check]:
    return {check.name: check for check in one.checks() if check.result == BAD}


def test_all_is_green_where_all_is_well(world: World) -> None:
    found = list(doctor_of(world).checks())
    assert {check.result for check in found} == {OK}, found
    assert len(found) >= 12


def test_it_spends_the_calls_it_announces_and_enters_them(world: World) -> None:
    one = doctor_of(world)
    before = len([call for call in world.cloud.calls if call.counted])
    used = ledger.usage(world.store.db, world.pipeline.app, int(world.time.true)).month
    list(one.checks())
    assert len([call for call in world.cloud.calls if call.counted]) - before == one.calls() == 1
    assert ledger.usage(world.store.db, world.pipeline.app, int(world.time.true)).month == used + 1


def test_it_finds_out_which_access_controls_are_ticked_for_a_call_each(world: World) -> None:
    world.cloud.faults.denied_groups = {"consumption"}
    one = doctor_of(world, groups=True)
    calls, used = len(world.cloud.calls), ledger.usage(world.store.db, world.pipeline.app, int(world.time.true)).month
    found = {check.name: check for check in one.checks()}
    assert len(world.cloud.calls) - calls == one.calls() == 3
    assert ledger.usage(world.store.db, world.pipeline.app, int(world.time.true)).month == used + 3
    assert found['access control "Site Level Production Monitoring"'].result == OK
    refused = found['access control "Site Level Consumption Monitoring"']
    assert refused.result == BAD
    assert 'Tick the access control "Site Level Consumption Monitoring"' in refused.remedy


def test_systems_that_are_listed_have_the_same_access_controls(tmp_path: Path) -> None:
    world = World(tmp_path, [SITE], systems=[{"id": SITE.system_id, "streams": "auto"}])
    world.run(HOUR)
    assert doctor_of(world, groups=True).calls() == 3
    world.end()


def test_what_was_not_asked_yet_is_not_called_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: [])
    world = World(tmp_path, [SITE])
    world.settings.config_path.chmod(0o600)
    world.step(world.time.true + HOUR)  # the list of systems
    found = {check.name: check for check in doctor_of(world, line=None).checks()}
    for name in ("access groups", "streams"):
        assert found[name].result == SKIPPED, found[name]
        assert found[name].found.startswith("not asked yet: "), found[name]
    assert "doctor --groups" in found["access groups"].remedy
    world.end()


def test_offline_it_asks_nobody(world: World) -> None:
    sent = world.wire.sent
    found = {check.name: check.result for check in doctor_of(world, line=None).checks()}
    assert world.wire.sent == sent
    assert found["cloud"] == SKIPPED
    assert BAD not in found.values()


@dataclass(frozen=True)
class Prepared:
    """A fault, what doctor calls it, and a word of the remedy."""

    name: str
    bring: Callable[[World, pytest.MonkeyPatch], dict[str, Any] | None]
    remedy: str


def _no_key(world: World, _: pytest.MonkeyPatch) -> dict[str, Any]:
    text = json.loads(world.settings.config_path.read_text())
    del text["api"]["client_secret"]
    world.settings.config_path.write_text(json.dumps(text))
    return {"settings": load(world.settings.config_path, {}), "line": None}


def _open_file(world: World, _: pytest.MonkeyPatch) -> None:
    world.settings.config_path.chmod(0o644)


def _full(_: World, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 10))


def _damaged(_: World, patch: pytest.MonkeyPatch) -> None:
    patch.setattr("ingest.store.database.Store.check", lambda _: "malformed page 7")


def _strange_zone(world: World, _: pytest.MonkeyPatch) -> None:
    with world.store.transaction() as db:
        row = progress.system(db, str(SITE.system_id))
        assert row is not None
        progress.save_system(db, replace(row, timezone="Mars/Olympus"))


def _no_name(_: World, patch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise OSError("no such name")

    patch.setattr("socket.getaddrinfo", unknown)


def _fast_clock(world: World, _: pytest.MonkeyPatch) -> None:
    world.cloud.faults.clock_skew = -3600


def _wrong_key(world: World, _: pytest.MonkeyPatch) -> None:
    world.cloud.faults.wrong_key = True


def _revoked(world: World, _: pytest.MonkeyPatch) -> None:
    world.authorizer().files.forget("home")


def _denied(world: World, _: pytest.MonkeyPatch) -> None:
    world.cloud.faults.denied_groups = {"consumption"}
    world.run(24 * HOUR)


def _spent(world: World, _: pytest.MonkeyPatch) -> None:
    with world.store.transaction() as db:
        for _call in range(1000):
            ledger.reserve(db, world.pipeline.app, int(world.time.true), ("1", "stats", "live"))


def _silent(world: World, _: pytest.MonkeyPatch) -> None:
    now = int(world.time.true)
    world.cloud.put(replace(SITE, offline=((now, now + 9 * 24 * HOUR),)))
    world.run(24 * HOUR)


def _down(_: World, __: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"down": "the database at http://localhost:1 refuses connections"}


def _conflict(world: World, _: pytest.MonkeyPatch) -> None:
    with world.store.transaction() as db:
        row = db.execute("SELECT series, time, fields, seq FROM points LIMIT 1").fetchone()
        outbox.park(db, "db", [(row, "field type conflict: energy_wh is an integer")])


FAULTS = [
    Prepared("configuration", _no_key, "init"),
    Prepared("file modes", _open_file, "chmod"),
    Prepared("disk space", _full, "Free some space"),
    Prepared("state", _damaged, "restore"),
    Prepared("time zones", _strange_zone, "tzdata"),
    Prepared("cloud", _no_name, "DNS"),
    Prepared("clock", _fast_clock, "timedatectl"),
    Prepared("account home", _wrong_key, "developer portal"),
    Prepared("account home", _revoked, "auth login home"),
    Prepared("access groups", _denied, "Tick"),
    Prepared("calls", _spent, "ingest plan"),
    Prepared("gateways", _silent, "internet connection"),
    Prepared("sink db", _down, "Nothing is lost"),
    Prepared("sink db", _conflict, "replay --sink db"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.bring.__name__.strip("_"))
def test_each_prepared_fault_is_found_by_name_with_its_remedy(
    fault: Prepared, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = fault.bring(world, monkeypatch) or {}
    found = bad(doctor_of(world, **changes))
    assert fault.name in found, found
    assert fault.remedy in found[fault.name].remedy


def test_what_a_database_no_longer_keeps_is_said_and_is_no_fault(world: World) -> None:
    with world.store.transaction() as db:
        outbox.record_delivered(db, "db", 10**9, 5, 1204)
    found = {check.name: check for check in doctor_of(world).checks()}
    assert found["sink db: retention"].result == WARN
    assert "1,204 points" in found["sink db: retention"].found


def test_a_check_that_breaks_does_not_hide_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("ingest.store.database.Store.check", broken)
    found = {check.name: check.result for check in doctor_of(world).checks()}
    assert found["state"] == BAD
    assert found["sink db"] == OK


def test_the_command_fails_where_something_is_wrong_and_prints_json(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("api: {base_url: simulator, pln: watt}\n")
    result = CliRunner().invoke(cli, ["--config", str(path), "doctor", "--json"])
    assert result.exit_code == 1
    (check,) = json.loads(result.stdout)
    assert check["name"] == "configuration"
    assert "plan" in check["found"]
    path.write_text(f"api: {{base_url: simulator}}\nstate_dir: {tmp_path / 'state'}\n")
    result = CliRunner().invoke(cli, ["--config", str(path), "doctor", "--offline"])
    assert result.exit_code == 0, result.output
    assert "run`" in result.stdout


def test_on_the_simulator_all_is_green_also_online(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"api: {{base_url: simulator}}\nstate_dir: {tmp_path / 'state'}\n")
    first = CliRunner().invoke(cli, ["--config", str(path), "once", "--max-calls", "2"])
    assert first.exit_code == 0, first.output
    result = CliRunner().invoke(cli, ["--config", str(path), "doctor", "--json"])
    assert result.exit_code == 0, result.output
    found = {check["name"]: check for check in json.loads(result.stdout)}
    assert {check["result"] for check in found.values()} == {OK, SKIPPED}
    assert found["streams"]["found"].startswith("not asked yet: ")
    assert load(path, {}).ledger_name != ""


def test_its_calls_count_also_while_a_runner_is_at_work(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"api: {{base_url: simulator}}\nstate_dir: {tmp_path / 'state'}\n")
    assert CliRunner().invoke(cli, ["--config", str(path), "once", "--max-calls", "2"]).exit_code == 0
    with contextlib.closing(Store(tmp_path / "state", own=True)) as runner:
        (before,) = runner.db.execute("SELECT count(*) FROM calls").fetchone()
        result = CliRunner().invoke(cli, ["--config", str(path), "doctor", "--json"])
        assert result.exit_code == 0, result.output
        (after,) = runner.db.execute("SELECT count(*) FROM calls WHERE verdict = 'ok'").fetchone()
    assert after == before + 1


def test_a_token_that_may_only_write_is_told(world: World) -> None:
    found = list(doctor_of(world, blind="may not read it; make one that may").checks())
    (told,) = [check for check in found if check.name == "sink db: reading"]
    assert told.result == WARN
    assert "make one that may" in told.found
