"""For each thing that goes wrong the page, status, doctor, the log and the metrics say the same, and what to do."""

import ast
import contextlib
import io
import json
import logging
import os
import re
import shlex
import shutil
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from ingest import logs
from ingest.cli import cli
from ingest.cli.context import Context
from ingest.core.errors import IngestError, SinkDown
from ingest.core.point import decode_fields
from ingest.enphase.streams import BY_NAME
from ingest.notify.troubles import STOPS_READING
from ingest.report import Problem, Report, build_report
from ingest.report.causes import ORDER
from ingest.service import identity
from ingest.service.check import OK
from ingest.service.clock import Clock
from ingest.service.doctor import CloudLine, Doctor
from ingest.service.monitor import ReportJob
from ingest.service.once import OneRun
from ingest.simulator import FAULTS as SIMULATED
from ingest.simulator import RATES
from ingest.store import own
from ingest.web import Source, create_app
from tests.faults import FAULTS, Fault, database_down, points_refused, quota_used_up
from tests.world import HOUR, START, World
from tests.worlds import SITE, lived

UNLOGGED = {"runner": "nobody is there to log it", "credentials": "`run` says so itself, while it waits for them"}
"""Kinds of which the report job of the runner knows nothing, and why."""
NEXT = r"`|points are kept|by itself|Free some|Update|Check|portal|read again|Look for|systems:|vendor"
"""What a remedy holds: a command, or words that say what to do."""
Usage = namedtuple("Usage", "total used free")


def words_of(page: str) -> str:
    """What a reader sees of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


class Told:
    """What each voice says of an installation."""

    def __init__(self, world: World, printed: str) -> None:
        self.world, self.log = world, printed
        now = world.pipeline.clock.now()
        self.report: Report = build_report(world.settings, world.store.db, now)
        source = Source(world.settings, world.store, lambda: now, lambda: now)
        client = create_app(source).test_client()
        page = client.get("/").get_data(as_text=True)
        self.page = words_of(page)
        self.top = words_of(page.split('role="status">')[1].split("</section>")[0])
        self.metrics = client.get("/metrics").get_data(as_text=True)
        self.status = self.printed("status", "--problems")

    def printed(self, *words: str) -> str:
        result = CliRunner().invoke(
            cli, ["--config", str(self.world.settings.config_path), *words], obj=None, catch_exceptions=False
        )
        return re.sub(r"`\S+ --config \S+ ", "`ingest ", result.output)

    def problems(self) -> dict[str, Problem]:
        return {problem.kind: problem for problem in reversed(self.report.problems)}


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if "event=bad" in line]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def shrink() -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**33, 2**33, 50 * 2**20))

    return shrink


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    out = io.StringIO()
    level = logging.getLogger().level
    logs.setup(verbose=False, stream=out)
    yield out
    logs.setup(verbose=False)
    logging.getLogger().setLevel(level)


def last_errors(world: World) -> list[str]:
    """What the newest points of `ingest` say is wrong."""
    newest, rows = int(world.time.true), own.after(world.store.db, 0, 10**6)
    return [str(decode_fields(fields).get("last_error")) for _, time, fields, _ in rows if time >= newest - HOUR]


def doctor_of(world: World) -> Doctor:
    if world.settings.missing_credentials():
        return Doctor(world.settings, world.time.clock(), world.store)
    cloud = identity.cloud_of(world.settings)
    files = world.authorizer().files

    def grant(account: str) -> str:
        kept = files.read(account)
        return kept.current.access if kept else ""

    clock = world.time.clock()
    line = CloudLine(cloud, world.wire, grant)
    return Doctor(world.settings, clock, world.store, line, lambda _: Pinged(world))


class Pinged:
    """The database as doctor meets it."""

    fingerprint = "memory"

    def __init__(self, world: World) -> None:
        self.world = world

    def ping(self) -> str:
        if self.world.database.down:
            raise SinkDown("the database is down")
        return "memory"

    def prove_reading(self) -> None:
        pass

    def write(self, lines: object) -> int:
        raise AssertionError("doctor writes nothing")

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: [])


def world_of(folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> World:
    world = lived(folder, [SITE], 6 * HOUR, start=START + 13 * HOUR, **changes)

    @dataclass
    class Here(Context):
        clock: Clock = field(default_factory=lambda: world.pipeline.clock)

    monkeypatch.setattr("ingest.cli.Context", Here)
    return world


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_every_voice_says_the_same_and_names_the_remedy(
    fault: Fault, tmp_path: Path, stream: io.StringIO, small: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"heartbeat": "https://example.org/ping"} if fault.kind == "receiver" else {}
    world = world_of(tmp_path, monkeypatch, **changes)
    watch = ReportJob(world.pipeline)
    watch()
    assert lines_of(stream.getvalue()) == []
    if fault.kind == "disk":
        small()
    before = world.pipeline
    fault.bring(world)
    if world.pipeline is not before:
        watch = ReportJob(world.pipeline)
    if fault.kind not in UNLOGGED:
        watch()
    if fault.kind in ("quota", "disk", "keep", "crowd", "behind", "receiver"):
        world.time.true += HOUR  # the databases are told hourly at most
        watch()
    told = Told(world, stream.getvalue())
    problem = told.problems()[fault.kind]
    for word in fault.words:
        assert word in problem.sentence
        assert word in told.page
        assert word in told.top or told.report.problems[0].kind != fault.kind
        assert word in told.status
    assert fault.remedy in problem.remedy
    for voice in (told.page, told.status):
        assert fault.remedy in voice
    families = {family.name: family for family in text_string_to_metric_families(told.metrics)}
    (sample,) = [at for at in families["ingest_problem"].samples if at.labels["kind"] == fault.kind]
    assert fault.remedy in sample.labels["remedy"]
    assert families["ingest_problems"].samples[0].value == len(told.report.problems)
    bad = [line for line in lines_of(told.log) if f"what={problem.key} " in line]
    if fault.kind not in UNLOGGED:
        assert len(bad) == 1, "one line when it goes bad, however often it is seen"
        assert re.search(NEXT, bad[0])
        plain = re.sub(r"\bstats\b", BY_NAME["stats"].label, fault.words[0])  # what an owner reads on a board
        assert any(plain in error for error in last_errors(world))
    checks = [check for check in doctor_of(world).checks() if check.result != OK and check.name == fault.check]
    assert any((at.found, at.remedy) == (problem.sentence, problem.remedy) for at in checks), checks
    assert len(told.report.problems) == 1, told.report.problems
    compare(fault, problem, once(world, again=fault.kind != "disk"))  # a disk is as small as the test says
    world.end()


# ── the table of the documentation ────────────────────────────────────────────────────────────────────

PAGE = Path("docs/faults.md")
VARYING = (
    (r"\b\d+ (?:d|h|min|s)\b(?: \d+ (?:h|min|s)\b)?", "…"),
    (r"\b[\d,]+ (points?|values?)\b", r"… \1"),
    (r"at /\S+", "at …"),
    (r"or in /\S+", "or in …"),
    (r"asked again with the next reading", "asked again in …"),
    (r"for example \{.*", "for example …"),
    (r"Sunny <b>House</b>", "Home"),
    (r"\b\d{1,3}(?:,\d{3})+\b|\b100 of them", "…"),
)


def once(world: World, *, again: bool) -> int:
    """What `ingest once` ends with while it is so; `again` begins the program anew."""
    try:
        if again:
            world.end()
            world.begin()
        one = OneRun(world.pipeline, world.senders, 300)
        one.run(12)
        one.raise_failure()
    except IngestError as error:
        return error.exit_code
    return 0


def compare(fault: Fault, problem: Problem, exit_code: int) -> None:
    """Hold what was said against the row of the table; with INGEST_WRITE set, write it there."""
    sentence, remedy = problem.sentence, problem.remedy
    for pattern, instead in VARYING:
        sentence, remedy = re.sub(pattern, instead, sentence), re.sub(pattern, instead, remedy)
    row = f"| {fault.name} | {sentence} | {remedy} | {fault.check} | `{problem.key}` | `{problem.kind}` | {exit_code} |"
    lines = PAGE.read_text().splitlines()
    if os.environ.get("INGEST_WRITE"):
        names = [each.name for each in FAULTS]
        rows = {line.split(" | ")[0][2:]: line for line in lines if line.split(" | ")[0][2:] in names} | {
            fault.name: row
        }
        first = next(at for at, line in enumerate(lines) if line.startswith("|---|---|---|---|")) + 1
        rest = [line for line in lines[first:] if line.split(" | ")[0][2:] not in names]
        PAGE.write_text("\n".join([*lines[:first], *(rows[name] for name in names if name in rows), *rest]) + "\n")
    else:
        assert row in lines, "run `make faults`"


def test_the_table_has_no_other_rows() -> None:
    rows = [line.split(" | ")[0][2:] for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    assert set(rows) - {"Fault", "Name"} == {each.name for each in FAULTS} | {f"`{name}`" for name in RATES}
    told = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert told == [f"| `{name}` | {about} |" for name, about in SIMULATED.items()], "run `make faults`"


def test_when_it_is_mended_every_voice_is_quiet_and_the_log_says_so_once(
    tmp_path: Path, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_of(tmp_path, monkeypatch)
    watch = ReportJob(world.pipeline)
    database_down(world)
    watch()
    world.database.down = False
    world.run(HOUR)
    watch()
    watch()
    told = Told(world, stream.getvalue())
    assert told.report.problems == []
    assert told.status.strip() == "All is well."
    assert "All is well" in told.top
    assert len([line for line in told.log.splitlines() if "event=good what=sink.db" in line]) == 1
    world.end()


def commands_in(text: str) -> set[str]:
    return set(re.findall(r"`ingest ([^`\"\n]+)`", text))


def source_texts() -> str:
    return "\n".join(
        path.read_text() for path in Path("ingest").rglob("*") if path.suffix in (".py", ".html") and path.is_file()
    )


def test_every_remedy_that_is_printed_is_a_command_that_exists() -> None:
    """Read out of the source, so that none is forgotten; what is in braces is filled in as at run time."""
    found = commands_in(source_texts())
    assert len(found) > 8
    for words in sorted(found):
        filled = re.sub(r"\{[^}]*\}", "home", words).replace("…", "status").replace("FILE", "backup.db")
        parts = shlex.split(filled)
        command: click.Command = cli
        context = click.Context(cli)
        while isinstance(command, click.Group) and parts:
            name = parts.pop(0)
            following = command.get_command(context, name)
            assert following is not None, f"`ingest {words}`: there is no command {name}"
            command = following
        with contextlib.suppress(click.exceptions.Exit):
            command.make_context(command.name, parts, parent=context)


def test_remedies_of_a_sick_installation_work_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that ask nobody are run: status, plan, doctor and replay."""
    world = world_of(tmp_path, monkeypatch)
    points_refused(world)
    database_down(world)
    quota_used_up(world)
    told = Told(world, "")
    document = json.loads(told.printed("status", "--json"))
    printed = commands_in(" ".join(problem["remedy"] for problem in document["problems"]))
    ran = 0
    for words in printed:
        if words.split()[0] in {"status", "plan", "check", "doctor", "replay"}:
            arguments = ["--config", str(world.settings.config_path), *shlex.split(words)]
            arguments += ["--offline"] if words == "doctor" else []
            result = CliRunner().invoke(cli, arguments, catch_exceptions=True)
            assert result.exit_code == (1 if words == "doctor" else 0), (words, result.output, result.exception)
            ran += 1
    assert ran, printed
    world.end()


def test_every_cause_that_the_report_can_name_has_a_row() -> None:
    """The kinds are read out of the source, so that none is forgotten."""
    named = {
        call.args[0].value
        for path in Path("ingest/report").glob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Problem"
        if isinstance(call.args[0], ast.Constant)
    }
    assert named == set(ORDER) == {fault.kind for fault in FAULTS}
    assert set(UNLOGGED) <= named
    assert STOPS_READING - named == {"state"}, "which no report tells: it cannot be written; the log and messages do"
