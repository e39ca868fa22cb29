"""The commands as their users meet them: in processes of their own, on data of a demo."""

import contextlib
import csv
import io
import json
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

import ingest
from ingest.core.point import Point, decode, series_key
from ingest.simulator import demo_sites
from ingest.store import archive
from ingest.store.database import Store
from tests.stories import stored
from tests.stories.program import ROOT, Program, Vendor
from tests.world import DAY, HOUR

FOUR = {
    "stats": {"production_micro"},
    "rgm_stats": {"production_rgm", "production_rgm_channel"},
    "production_meter_readings": {"production_meter_reading"},
    "consumption": {"consumption"},
}


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    now = int(time.time())
    with Vendor(demo_sites(now), now) as started:
        yield started


@pytest.fixture(scope="module")
def program(vendor: Vendor, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """An installation with four days of three systems. No test here changes it."""
    systems = [{"id": 700_001 + number, "since": "4d"} for number in range(3)]
    sinks = {"db": {"type": "influxdb_v1", "url": "http://127.0.0.1:9", "database": "d"}}
    made = Program(tmp_path_factory.mktemp("program"), api=vendor.api, systems=systems)
    made.consent(vendor)
    made.run("once")
    made.document["sinks"] = sinks
    return made


@pytest.fixture
def copy(program: Program, tmp_path: Path) -> Program:
    """The same, to be changed."""
    shutil.copytree(program.state, tmp_path / "copy" / "state")
    return Program(tmp_path / "copy", **{**program.document, "state_dir": str(tmp_path / "copy" / "state")})


def until(happened: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def points(text: str) -> list[Point]:
    return [decode(line) for line in text.splitlines()]


# ── export ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_three_formats_say_the_same_sorted_by_measurement_tags_and_time(program: Program) -> None:
    lines = points(program.run("export", "--format", "lp").out)
    order = [(point.measurement, series_key(point.measurement, point.tags), point.time) for point in lines]
    assert order == sorted(order)
    assert len(set(order)) == len(order) > 4000

    documents = [json.loads(line) for line in program.run("export", "--format", "jsonl").out.splitlines()]
    assert [_of_document(document) for document in documents] == lines

    rows = list(csv.DictReader(io.StringIO(program.run("export", "--format", "csv").out)))
    assert list(rows[0])[:5] == ["time", "measurement", "system", "meter", "channel"]
    tags = {name for point in lines for name, _ in point.tags}
    assert [_of_row(row, tags) for row in rows] == lines


def _of_document(document: dict[str, Any]) -> Point:
    tags = tuple(sorted(document["tags"].items()))
    return Point(document["measurement"], tags, _epoch(document["time"]), document["fields"])


def _of_row(row: dict[str, str], names: set[str]) -> Point:
    tags = tuple(sorted((name, row[name]) for name in names if row[name]))
    fields = {name: _value(text) for name, text in list(row.items())[2:] if text and name not in names}
    return Point(row["measurement"], tags, _epoch(row["time"]), fields)


def _value(text: str) -> float | str:
    """A number is written with a point; a day of the calendar, such as 05, is text."""
    return float(text) if re.fullmatch(r"-?\d+\.\d+(e[+-]?\d+)?|-?\d+e[+-]?\d+", text) else text


def _epoch(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize("stream", list(FOUR))
def test_one_stream_of_one_system(program: Program, stream: str) -> None:
    found = points(program.run("export", "--format", "lp", "--stream", stream, "--system", "700002").out)
    assert {point.measurement for point in found} == FOUR[stream]
    assert {dict(point.tags)["system"] for point in found} == {"700002"}


def test_days_are_those_of_each_system_and_the_last_is_included(program: Program, vendor: Vendor) -> None:
    text = program.run("export", "--format", "csv", "--stream", "consumption", "--local").out
    rows = list(csv.DictReader(io.StringIO(text)))
    day = datetime.fromtimestamp(vendor.at - 2 * DAY, UTC).date().isoformat()
    words = ("--stream", "consumption", "--local", "--since", day, "--until", day)
    of_day = list(csv.DictReader(io.StringIO(program.run("export", "--format", "csv", *words).out)))
    assert of_day == [row for row in rows if row["time_local"].startswith(day)]
    assert {row["system"] for row in of_day} == {"700001", "700002", "700003"}
    assert {row["time_local"][-6:] for row in of_day if row["system"] == "700003"} <= {"+10:00", "+11:00"}
    for row in of_day:
        assert datetime.fromisoformat(row["time_local"]).timestamp() == _epoch(row["time"])


def test_an_age_and_a_file(program: Program, tmp_path: Path) -> None:
    target = tmp_path / "out.lp"
    assert program.run("export", "--format", "lp", "--since", "1d", "-o", str(target)).out == ""
    found = points(target.read_text())
    assert found
    assert min(point.time for point in found) >= time.time() - DAY - 120
    everything = points(program.run("export", "--format", "lp", "--since", "all", "--until", "all").out)
    assert len(everything) > len(found)


def test_an_export_that_is_read_in_again_is_the_same(program: Program, tmp_path: Path) -> None:
    text = program.run("export", "--format", "lp").out
    other = Program(tmp_path / "other", api=program.document["api"])
    with contextlib.closing(Store(other.state)) as store, store.transaction() as db:
        archive.upsert(db, points(text))
    assert other.run("export", "--format", "lp").out == text


def test_a_reader_that_goes_away_is_no_error(program: Program) -> None:
    process = program.start("export", "--format", "csv")
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait(20)


# ── errors ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("export", "--format", "lp", "--stream", "stat"), 2, "stats"),
        (("export", "--format", "xml"), 2, "csv"),
        (("export", "--format", "lp", "--since", "yesterday"), 2, "7d"),
        (("export", "--format", "lp", "-o", "/no/such/folder/file"), 1, "/no/such/folder/file"),
        (("replay", "--sink", "nowhere"), 2, "db"),
        (("replay", "--sink", "db", "--stream", "stat"), 2, "stats"),
        (("restore", "/no/such/file"), 1, "/no/such/file"),
        (("restore", __file__), 1, "backup"),
        (("simulate", "--fault", "nonsense=1"), 2, "error_5xx"),
        (("simulate", "--plan", "kilowat"), 2, "kilowatt"),
        (("once", "--max-calls", "0"), 2, "0"),
        (("run", "--config", "mine.yaml"), 2, "ingest --config FILE run"),
        (("status", "-v"), 2, "ingest -v status"),
        (("exprot",), 2, "Did you mean 'export'?"),
    ],
)
def test_an_error_is_a_sentence_and_an_exit_code(
    program: Program, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = program.run(*words, code=code)
    assert said in " ".join(ended.err.split())
    assert ended.out == ""
    assert len(ended.err.splitlines()) <= 5


@pytest.mark.parametrize("command", ["status", "export --format lp", "backup -o x", "replay --sink db"])
def test_without_data_nothing_is_made_up(tmp_path: Path, program: Program, command: str) -> None:
    empty = Program(tmp_path / "empty", **{**program.document, "state_dir": str(tmp_path / "none")})
    with empty.start(*command.split()) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode in (0, 1)
    assert "Traceback" not in err
    assert out or "run" in err
    assert not (tmp_path / "none" / "state.db").exists(), "looking made a state"


def test_a_wrong_configuration_names_file_line_and_key(tmp_path: Path) -> None:
    config = tmp_path / "wrong.yaml"
    config.write_text("api:\n  base_url: simulator\n  plann: watt\n")
    program = Program(tmp_path / "program")
    for command in ("check", "once", "status", "run"):
        with program.start("--config", str(config), command) as process:
            _, err = process.communicate(timeout=60)
        assert process.returncode == 2
        assert f"{config}:3" in err
        assert "plann" in err
        assert "plan" in err
        assert "Traceback" not in err


# ── looking ───────────────────────────────────────────────────────────────────────────────────────────


def test_version_check_and_status(program: Program) -> None:
    assert ingest.__version__ in program.run("--version").out
    found = program.json("check")
    assert Path(found["config"]).is_absolute()
    assert Path(found["state_dir"]) == program.state
    status = program.json("status")
    assert {system["system"] for system in status["systems"]} == {"700001", "700002", "700003"}
    assert status["points"] == stored.ask(program.state, "SELECT count(*) FROM points")[0][0]
    assert program.json("status", "--system", "700002")["systems"][0]["system"] == "700002"
    for words in (("check",), ("status",), ("status", "--problems"), ("status", "--system", "700001")):
        ended = program.run(*words)
        assert ended.out
        assert "secret" not in ended.out


def test_looking_spends_nothing_and_changes_nothing(program: Program, vendor: Vendor) -> None:
    calls = len(vendor.cloud.calls)
    before = stored.ask(program.state, "SELECT count(*), max(seq) FROM points")
    for words in (("check",), ("status",), ("export", "--format", "lp")):
        program.run(*words)
    assert len(vendor.cloud.calls) == calls
    assert stored.ask(program.state, "SELECT count(*), max(seq) FROM points") == before


# ── backup, restore, replay ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("with_tokens", [False, True])
def test_a_backup_that_is_restored_elsewhere_is_the_same(
    copy: Program, vendor: Vendor, tmp_path: Path, *, with_tokens: bool
) -> None:
    target = tmp_path / "backup.db"
    copy.run("backup", "-o", str(target), *(["--with-tokens"] if with_tokens else []))
    assert target.stat().st_mode & 0o077 == 0, "others can read it"
    secret = json.loads((copy.state / "tokens" / "home.json").read_text())["current"]["refresh"]
    assert (secret.encode() in target.read_bytes()) == with_tokens
    held = copy.run("export", "--format", "lp").out

    other = Program(
        tmp_path / "other", **{**copy.document, "state_dir": str(tmp_path / "other" / "state"), "sinks": {}}
    )
    other.run("restore", str(target))
    assert other.run("export", "--format", "lp").out == held
    assert (other.state / "tokens" / "home.json").exists() == with_tokens
    calls = len(vendor.cloud.calls)
    other.run("once", code=0 if with_tokens else 3)
    assert len(vendor.cloud.calls) == calls, "nothing was due"


def test_restore_keeps_the_former_state_beside_it_and_names_the_replay(copy: Program, tmp_path: Path) -> None:
    copy.run("backup", "-o", str(tmp_path / "backup.db"))
    with contextlib.closing(Store(copy.state)) as store, store.transaction() as db:
        archive.upsert(db, [Point("consumption", (("system", "1"),), 1, {"energy_wh": 1.0})])
    said = copy.run("restore", str(tmp_path / "backup.db")).out
    assert "replay --sink db" in said
    assert not any(key[1] == (("system", "1"),) for key in stored.archive_rows(copy.state))
    assert (copy.state / "state.before-restore.db").exists()


def test_a_replay_is_a_job_that_waits_for_a_runner(copy: Program) -> None:
    said = copy.run("replay", "--sink", "db", "--since", "2d").out
    assert "once" in said
    assert stored.ask(copy.state, "SELECT sink, done FROM replays") == [("db", 0)]


# ── running ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("how", "hurry"), [(signal.SIGTERM, ""), (signal.SIGINT, "scheduler.STOP_S = 1.0")])
def test_run_ends_within_ten_seconds_with_a_call_in_flight(tmp_path: Path, how: signal.Signals, hurry: str) -> None:
    now = int(time.time())
    with Vendor(demo_sites(now), now) as vendor:
        program = Program(tmp_path / "program", api=vendor.api)
        program.consent(vendor)
        vendor.cloud.faults.slow, vendor.cloud.faults.slow_by = 1.0, 40.0
        with program.start("run", hurry=hurry) as process:
            until(lambda: bool(vendor.cloud.calls), 30, "no call was made")
            began = time.monotonic()
            process.send_signal(how)
            _, err = process.communicate(timeout=20)
        assert time.monotonic() - began < 10
        assert process.returncode == 0, err
        assert "Traceback" not in err
        assert stored.ask(program.state, "SELECT count(*) FROM calls WHERE stream != 'token'") == [(1,)]
        vendor.cloud.faults.slow = 0.0
        vendor.at += HOUR
        program.run("once", "--max-calls", "3")
        assert stored.ask(program.state, "PRAGMA quick_check") == [("ok",)]


def test_simulate_is_a_cloud_of_its_own(tmp_path: Path) -> None:
    program = Program(tmp_path)
    words = ("simulate", "--port", "0", "--systems", "2", "--days", "3", "--plan", "kilowatt", "--seed", "5")
    with program.start(*words, "--fault", "slow=0.0") as process:
        assert process.stdout
        address = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert address
        assert requests.get(f"{address[0]}/", timeout=10).status_code == 200
        assert requests.get(f"{address[0]}/api/v4/systems", timeout=10).status_code == 401
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert "Traceback" not in err


def test_the_program_as_shipped_has_points_of_four_streams_within_a_minute(tmp_path: Path) -> None:
    """`make run`, but for the port, and for the folder of its data."""
    (tmp_path / "config").mkdir()
    port = free_port()
    shipped = (ROOT / "config" / "ingest.yaml").read_text()
    mine, changed = re.subn(r"(?m)^web:\n.*$", f"web:\n  listen: 127.0.0.1:{port}", shipped)
    assert changed == 1
    config = tmp_path / "config" / "ingest.yaml"
    config.write_text(mine)
    state = tmp_path / "state" / "demo"
    program = Program(tmp_path / "unused")
    began = time.monotonic()
    with program.start("--config", str(config), "run") as process:
        try:
            until(lambda: process.poll() is not None or has_four(state), 60, "no points of four streams in a minute")
            assert process.poll() is None
            took = time.monotonic() - began
            rows = list(csv.DictReader(io.StringIO(shipped_command(program, config, "export", "--format", "csv"))))
            assert {row["measurement"] for row in rows} >= set().union(*FOUR.values())
            assert {row["system"] for row in rows} >= {"700001", "700002", "700003"}
            status = json.loads(shipped_command(program, config, "status", "--json"))
            assert status["simulated"]
            assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=10).status_code == 200
        finally:
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert "SIMULATED" in err
    assert f"127.0.0.1:{port}" in err
    assert "Traceback" not in err
    assert took < 60


def shipped_command(program: Program, config: Path, *words: str) -> str:
    return program.run("--config", str(config), *words).out


def has_four(state: Path) -> bool:
    with contextlib.suppress(Exception):
        rows = stored.ask(state, "SELECT DISTINCT measurement, system FROM series")
        return {name for name, _ in rows} >= set().union(*FOUR.values()) and len({system for _, system in rows}) >= 3
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_make_run_starts_this_very_command() -> None:
    recipe = subprocess.run(
        ["make", "-n", "--no-print-directory", "run"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert recipe.splitlines()[-1].strip() == "exec .venv/bin/ingest run"
