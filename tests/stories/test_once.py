"""`ingest once`, as cron calls it: it waits out short pauses of the cloud, and says what could not be read."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.core.errors import IngestError, StateError
from ingest.report import build_report
from ingest.service.once import OneRun
from ingest.simulator import Faults, demo_sites
from tests.faults import quota_used_up
from tests.world import DAY, HOUR, START, Time, World

HOUSES = demo_sites(START, 1, 10)
MINUTE = 60


def once(world: World, patience: int = 5 * MINUTE) -> OneRun:
    one_run = OneRun(world.pipeline, world.senders, patience)
    one_run.run(None)
    return one_run


def test_a_pause_of_the_cloud_is_waited_out(tmp_path: Path) -> None:
    world = World(tmp_path, HOUSES)
    world.cloud.faults = Faults(error_5xx=1.0)
    ill_until = world.time.true + 2 * MINUTE
    sleep = world.time.sleep

    def pass_by(seconds: float) -> None:
        sleep(seconds)
        if world.time.true > ill_until:
            world.cloud.faults = Faults()

    world.pipeline.clock.sleep = pass_by
    once(world).raise_failure()
    assert world.rows("production_micro", HOUSES[0].system_id)


def test_what_could_not_be_read_is_said_at_the_end(tmp_path: Path) -> None:
    world = World(tmp_path, HOUSES)
    world.run(HOUR)
    world.cloud.faults = Faults(error_5xx=1.0)
    world.time.true += 20 * HOUR
    begin = world.time.true
    with pytest.raises(IngestError, match=r"the cloud: HTTP 50.*; what is missing is read by the next run"):
        once(world).raise_failure()
    assert world.time.true - begin < 8 * MINUTE


def test_without_patience_nothing_is_waited_for(tmp_path: Path) -> None:
    world = World(tmp_path, HOUSES)
    world.run(HOUR)
    world.cloud.faults = Faults(timeout=1.0)
    world.time.true += 20 * HOUR
    begin = world.time.true
    with pytest.raises(IngestError):
        once(world, 0).raise_failure()
    assert world.time.true - begin < MINUTE


def test_a_stream_that_is_denied_is_said(tmp_path: Path) -> None:
    world = World(tmp_path, HOUSES)
    world.cloud.faults = Faults(denied_groups={"consumption"})
    with pytest.raises(IngestError, match=r"consumption.* could not be read"):
        once(world).raise_failure()


def test_a_full_disk_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, HOUSES)
    world.run(HOUR)
    world.time.true += 20 * HOUR

    def full(*_: object, **__: object) -> None:
        raise StateError("the disk is full")

    monkeypatch.setattr(world.store, "transaction", full)
    slept: list[float] = []
    world.pipeline.clock.sleep = slept.append
    with pytest.raises(StateError, match="the disk is full"):
        once(world).raise_failure()
    assert slept == []


def test_a_month_that_is_used_up_is_said(tmp_path: Path) -> None:
    """In the sentence of every other voice; once the month is over it is read again."""
    world = World(tmp_path, HOUSES, time=Time(START + 28 * DAY))
    world.run(HOUR)
    quota_used_up(world)
    with pytest.raises(IngestError, match=r"calls of this month are used up: 1,\d+ of 1,000, 100 of them in reserve"):
        once(world).raise_failure()
    (problem,) = [
        at for at in build_report(world.settings, world.store.db, int(world.time.true)).problems if at.kind == "quota"
    ]
    with pytest.raises(IngestError, match=re.escape(problem.text)):
        once(world).raise_failure()
    world.time.true = START + 31 * DAY + HOUR
    once(world).raise_failure()


@pytest.mark.parametrize("is_well", [True, False])
def test_the_line_for_a_crontab_speaks_when_something_could_not_be_read_and_only_then(
    is_well: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    (line,) = [line for line in Path("docs/systemd.md").read_text().splitlines() if re.match(r"(\S+ ){5}\$HOME", line)]
    program, config = (tmp_path / "enphase-ingest" / name for name in (".venv/bin/ingest", "config/local.yaml"))
    for path in (program, config):
        path.parent.mkdir(parents=True)
    config.write_text("{}")
    real = f'exec {sys.executable} -m ingest "$@"'
    program.write_text("#!/bin/sh\n" + ("echo a line of the log >&2" if is_well else real) + "\n")
    program.chmod(0o755)
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path.cwd())}
    typed = line.split(maxsplit=5)[5]
    done = subprocess.run(["sh", "-c", typed], capture_output=True, text=True, env=environment, check=False)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == (0 if is_well else 1)
    assert is_well or "not filled in yet, so the cloud cannot be asked" in done.stdout
