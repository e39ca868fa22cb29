"""For each thing that goes wrong the page, status, doctor, the log and the metrics say the same, and what to do."""

import contextlib
import io
import json
import logging
import re
import shlex
import shutil
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from ingest import logs
from ingest.cli import cli
from ingest.cli.context import Context
from ingest.core.errors import SinkDown, SinkRefused
from ingest.core.point import decode_fields
from ingest.report import Problem, Report, report
from ingest.service import identity
from ingest.service.check import BAD
from ingest.service.clock import Clock
from ingest.service.doctor import CloudLine, Doctor
from ingest.service.monitor import Watch
from ingest.store import archive, ledger
from ingest.web import Source, create_app
from tests.world import DAY, HOUR, START, Time, World
from tests.worlds import SITE

Usage = namedtuple("Usage", "total used free")


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, how it is brought about, the words that must be said, and doctor's name for it."""

    kind: str
    bring: Callable[[World], None]
    words: tuple[str, ...]
    remedy: str
    check: str


def gateway_offline(world: World) -> None:
    world.cloud.put(replace(SITE, offline=((int(world.time.true), int(world.time.true) + 5 * DAY),)))
    world.run(DAY)


def stream_denied(world: World) -> None:
    world.cloud.faults.denied_groups = {"consumption"}
    world.run(2 * DAY)


def quota_used_up(world: World) -> None:
    now = int(world.time.true)
    with world.store.transaction() as db:
        for _ in range(1000):
            ledger.end(db, ledger.reserve(db, world.pipeline.app, now, ("1", "stats", "live")), now, "ok")


def token_dead(world: World) -> None:
    world.cloud.revoke("owner")
    world.run(2 * DAY)


def database_down(world: World) -> None:
    world.database.down = True
    world.run(HOUR)


def points_refused(world: World) -> None:
    def refuse(lines: list[str]) -> int:
        if any(" energy_wh" in line or ",energy_wh" in line for line in lines[:1]) and len(lines) == 1:
            raise SinkRefused("field type conflict: energy_wh is an integer there")
        if len(lines) > 1 and any("energy_wh" in line for line in lines[:1]):
            raise SinkRefused("partial write: field type conflict")
        return 0

    world.database.write = refuse  # type: ignore[assignment,method-assign]
    world.run(HOUR)


def disk_full(world: World) -> None:
    """Brought about by the `small` disk of the test."""


def clock_wrong(world: World) -> None:
    world.time.wrong_by = 3600
    world.crash()
    world.run(HOUR)


FAULTS = [
    Fault("gateway", gateway_offline, ("has not reported for",), "internet connection", "gateways"),
    Fault("denied", stream_denied, ("consumption is not allowed",), "developer portal", "access groups"),
    Fault("quota", quota_used_up, ("calls of this month are used up",), "goes on by itself on 1 August", "calls"),
    Fault("auth", token_dead, ("home is no longer authorized",), "auth login home", "account home"),
    Fault("sink", database_down, ("db does not accept writes", "the database is down"), "Nothing is lost", "sink db"),
    Fault("disk", disk_full, ("disk is nearly full", "50 MB"), "Free some space", "disk space"),
    Fault("clock", clock_wrong, ("clock is 1 h ahead of",), "timedatectl set-ntp true", "clock"),
]


class Told:
    """What each voice says of an installation."""

    def __init__(self, world: World, printed: str) -> None:
        self.world, self.log = world, printed
        now = world.pipeline.clock.now()
        self.report: Report = report(world.settings, world.store.db, now)
        source = Source(world.settings, world.store, lambda: now, lambda: now)
        client = create_app(source).test_client()
        self.page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", client.get("/").get_data(as_text=True)))
        self.top = client.get("/").get_data(as_text=True).split('role="status">')[1].split("</section>")[0]
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
    newest = int(world.time.true)
    rows = archive.select(world.store.db, archive.Filter(("ingest",), since=newest - HOUR))
    return [str(decode_fields(fields).get("last_error")) for _, _, fields in rows]


def doctor_of(world: World) -> Doctor:
    cloud = identity.cloud_of(world.settings)
    files = world.authorizer().files

    def grant(account: str) -> str:
        kept = files.read(account)
        return kept.current.access if kept else ""

    clock = world.time.clock()
    line = CloudLine(cloud, world.wire, grant)
    return Doctor(world.settings, clock, world.store, line, world.pipeline.app, lambda _: Pinged(world))


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


def world_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    time = Time(START + 13 * HOUR)
    world = World(folder, [SITE], time=time)
    world.run(DAY)

    @dataclass
    class Here(Context):
        clock: Clock = field(default_factory=lambda: world.pipeline.clock)

    monkeypatch.setattr("ingest.cli.Context", Here)
    return world


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)
def test_every_voice_says_the_same_and_names_the_remedy(
    fault: Fault, tmp_path: Path, stream: io.StringIO, small: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_of(tmp_path, monkeypatch)
    watch = Watch(world.pipeline)
    watch()
    assert lines_of(stream.getvalue()) == []
    if fault.kind == "disk":
        small()
    fault.bring(world)
    if fault.kind == "clock":
        watch = Watch(world.pipeline)
    watch()
    if fault.kind in ("quota", "disk"):
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
    assert len(bad) == 1, "one line when it goes bad, however often it is seen"
    assert re.search(r"`|points are kept|by itself|Free some|Check|portal", bad[0])
    found = {check.name: check for check in doctor_of(world).checks() if check.result == BAD}
    assert fault.check in found, found
    assert fault.remedy in found[fault.check].remedy or fault.remedy in found[fault.check].found
    assert any(fault.words[0] in error for error in last_errors(world))
    world.end()


def test_when_it_is_mended_every_voice_is_quiet_and_the_log_says_so_once(
    tmp_path: Path, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_of(tmp_path, monkeypatch)
    watch = Watch(world.pipeline)
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
