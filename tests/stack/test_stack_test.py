"""`make stack-test` on an engine that is a stand-in: it says what is missing, and notices what is not right."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.stack.boards import ROOT

TOOLS = "bash sh sed head tail od tr mktemp touch cat chmod mkdir rm grep awk date sleep dirname env"


class Engine:
    """A machine with nothing but a shell and the stand-in for `docker`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        for tool in TOOLS.split():
            (self.bin / tool).symlink_to(str(shutil.which(tool)))
        self.docker = self.bin / "docker"
        self.docker.symlink_to(Path(__file__).with_name("fake_docker.sh"))
        (folder / "containers").mkdir()

    def test(self, *faults: str, moments: str = "0") -> subprocess.CompletedProcess[str]:
        (self.folder / "faults").write_text("\n".join(faults))
        environment = {"PATH": str(self.bin), "FAKE_DOCKER": str(self.folder), "MOMENTS": moments, "PATIENCE": "1"}
        command = [ROOT / "scripts/stack-test.sh"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def test_each_moment_is_told_and_the_stand_in_for_grafana_is_named(engine: Engine) -> None:
    done = engine.test(moments="0 0.01")
    assert done.returncode == 0, done.stderr
    *told, last = done.stdout.splitlines()
    assert len(told) == 2
    assert all(line.startswith("killed 1.25 s after its start, ") for line in told)
    assert last == "2 of 2 times healthy at the next up"
    assert "grafana: a stand-in that only answers its health address (grafana/grafana:" in done.stderr
    assert [call for call in engine.calls if call.startswith("kill")] == ["kill influxdb"] * 2


def test_an_up_that_ends_by_itself_before_it_can_be_killed_is_no_failure(engine: Engine) -> None:
    done = engine.test("quick")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1 of 1 times healthy at the next up"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("engine", "no container engine answers (docker info); start Docker, or name another with ENGINE"),
        ("compose", "there is neither `docker compose` nor docker-compose; install the compose plugin"),
        ("image", "the image influxdb:2.9.1 is not here and cannot be pulled"),
        ("volume", "a volume of an installation would be used"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence_and_nothing_is_started(
    engine: Engine, fault: str, sentence: str
) -> None:
    done = engine.test(fault)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"stack-test: nothing was tested: {sentence}"
    assert not [call for call in engine.calls if " up " in call]


def test_a_machine_without_an_engine_is_told_at_once(engine: Engine) -> None:
    engine.docker.unlink()
    done = engine.test()
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("dead", "the next up failed: dependency failed to start: container influxdb is unhealthy"),
        ("unhealthy", "grafana is not healthy after 1 s"),
        ("silent", "no point has arrived in the database after 1 s"),
        ("leak", "grafana sees the administrator's secret"),
    ],
)
def test_a_stack_that_does_not_heal_is_a_failure(engine: Engine, fault: str, sentence: str) -> None:
    done = engine.test(fault)
    assert done.returncode == 1
    assert f"stack-test: {sentence}" in done.stderr.splitlines()
    assert engine.calls[-1].endswith("down --volumes --timeout 5"), "it leaves nothing behind"


def test_no_volume_of_an_installation_is_used(engine: Engine) -> None:
    assert engine.test().returncode == 0
    renamed = yaml.safe_load((engine.folder / "override.yml").read_text())["volumes"]
    shipped = [yaml.safe_load((ROOT / name).read_text()) for name in ("docker-compose.yml", "docker-compose.demo.yml")]
    assert renamed.keys() == {name for document in shipped for name in document["volumes"]}
    assert all(volume == {"name": f"enphase-stack-test-{name}"} for name, volume in renamed.items())
    assert all(" -p enphase-stack-test " in call for call in engine.calls if call.startswith("compose -"))
