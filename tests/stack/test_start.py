"""How the database of the stack starts: a first set-up that was cut short is taken away, and nothing else ever is."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests import influxd2
from tests.influxd2 import Influxd2
from tests.servers.installation import Installation
from tests.stack.boards import ROOT

START = ROOT / "influxdb/start.sh"
ID = "0a1b2c3d4e5f6071"

PRETENDED = """\
#!/bin/sh
case "$1 $2" in
"recovery auth") [ -z "$BROKEN" ] || exit 1; printf 'ID\\tUser Name\\n%s' "$TOKENS" ;;
"recovery user") printf 'ID\\tName\\n%s' "$USERS" ;;
*) echo started ;;
esac
"""


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume after a first start, and an `influxd` that says of it what the environment tells it to."""
    pretended = tmp_path / "bin/influxd"
    pretended.parent.mkdir()
    pretended.write_text(PRETENDED)
    pretended.chmod(0o755)
    data = tmp_path / "data"
    (data / "engine/data").mkdir(parents=True)
    (data / "influxd.bolt").write_text("bolt")
    (data / "influxd.sqlite").write_text("sqlite")
    return data


def start(volume: Path, **told: str) -> str:
    path = f"{volume.parent / 'bin'}:{os.environ['PATH']}"
    told = {"TOKENS": "", "USERS": "", "BROKEN": ""} | told | {"PATH": path, "INFLUXDB_DATA": str(volume)}
    done = subprocess.run(["bash", str(START), "env"], env=told, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("started\n")
    return done.stdout


@pytest.mark.parametrize("told", [{"USERS": f"{ID}\tadmin"}, {"BROKEN": "1"}], ids=["a user, no token", "unreadable"])
def test_what_a_first_set_up_left_that_was_cut_short_is_taken_away(volume: Path, told: dict[str, str]) -> None:
    assert "made anew" in start(volume, **told)
    assert list(volume.iterdir()) == []


@pytest.mark.parametrize(
    "told", [{}, {"USERS": f"{ID}\tadmin", "TOKENS": f"{ID}\tadmin"}], ids=["not set up yet", "set up"]
)
def test_a_healthy_database_is_left_as_it_is(volume: Path, told: dict[str, str]) -> None:
    assert start(volume, **told) == "started\n"
    assert (volume / "influxd.bolt").exists()


@pytest.mark.parametrize("file", ["data/0a1b/autogen/1/000000001-000000001.tsm", "wal/0a1b/autogen/1/_00001.wal"])
def test_what_holds_a_single_point_is_never_taken_away(volume: Path, file: str) -> None:
    held = volume / "engine" / file
    held.parent.mkdir(parents=True)
    held.write_text("points")
    for told in ({"USERS": f"{ID}\tadmin"}, {"BROKEN": "1"}):
        assert start(volume, **told) == "started\n"
        assert held.exists()


def test_an_empty_volume_is_no_reason_to_do_anything(volume: Path) -> None:
    shutil.rmtree(volume)
    assert start(volume) == "started\n"


def test_a_removal_that_is_cut_short_is_ended_at_the_next_start(volume: Path) -> None:
    cut_short = volume.parent / "bin/rm"
    cut_short.write_text('#!/bin/sh\nshift\n/bin/rm -rf "$1"\nkill -9 $PPID\n')
    cut_short.chmod(0o755)
    with pytest.raises(subprocess.CalledProcessError):
        start(volume, USERS=f"{ID}\tadmin")
    cut_short.unlink()
    assert list(volume.iterdir()) != []
    assert "made anew" in start(volume, USERS=f"{ID}\tadmin")
    assert list(volume.iterdir()) == []


class Started(Influxd2):
    """The real one, started by the script as in its container."""

    def command(self) -> list[str]:
        _, _, *options = super().command()
        return ["bash", str(START), "env", *map(_variable, options)]


def _variable(option: str) -> str:
    name, _, value = option.removeprefix("--").partition("=")
    return f"INFLUXD_{name.replace('-', '_').upper()}={value or 'true'}"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    if influxd2.BINARY is None:
        pytest.skip(influxd2.MISSING)
    monkeypatch.setenv("PATH", f"{Path(influxd2.BINARY).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("INFLUXDB_DATA", str(tmp_path / "influxd2"))
    server = Started(tmp_path / "influxd2")
    yield server
    server.kill()


@pytest.mark.parametrize("moment", [0.05, 0.15, 0.25, 0.3, 0.35, 0.4, 0.5, 0.7, 1.5, 3.0])
def test_killed_at_a_moment_of_its_first_start_it_is_set_up_at_the_next(
    server: Started, tmp_path: Path, moment: float
) -> None:
    stack = Installation(tmp_path, server.url)
    server.launch()
    up = threading.Event()

    def set_up_as_soon_as_it_answers() -> None:
        while not up.is_set():
            try:
                requests.get(f"{server.url}/health", timeout=1)
                break
            except requests.ConnectionError:
                time.sleep(0.005)
        stack.run()

    attempt = threading.Thread(target=set_up_as_soon_as_it_answers)
    attempt.start()
    time.sleep(moment)
    server.kill()
    up.set()
    attempt.join()
    server.start()
    stack.reach()
    stack.assert_right()


def test_killed_between_its_first_user_and_its_first_token_it_is_set_up_at_the_next(
    server: Started, tmp_path: Path
) -> None:
    """The gap is the hashing of the password: a kill in it is aimed at until it is hit."""
    stack = Installation(tmp_path, server.url)
    for _ in range(20):
        shutil.rmtree(server.root, ignore_errors=True)
        server.start()
        attempt = threading.Thread(target=stack.run)
        attempt.start()
        while not _has_user(server):
            pass
        server.kill()
        attempt.join()
        server.start()
        stack.reach()
        stack.assert_right()
        if "made anew" in server.log:
            return
        server.kill()
    pytest.fail("no kill fell between the first user and the first token")


def _has_user(server: Started) -> bool:
    return not requests.get(f"{server.url}/api/v2/setup", timeout=5).json()["allowed"]
