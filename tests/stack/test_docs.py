"""The guides name only what exists: files, commands, compose files, measurements and fields."""

import re
import subprocess
from pathlib import Path

import pytest

from ingest.cli import COMMAND_MODULES
from ingest.enphase.streams import STREAMS
from tests.stack.boards import ROOT

NAMES = (
    "notify",
    "home-assistant",
    "install",
    "stack",
    "upgrade",
    "backup",
    "moving",
    "leaving",
    "own-influx",
    "raspberry-pi",
    "systemd",
    "queries",
)
GUIDES = [ROOT / f"docs/{name}.md" for name in NAMES]
COMMANDS = {*COMMAND_MODULES}
each_guide = pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)


def blocks(path: Path) -> list[str]:
    return re.findall(r"^ *```sh\n(.*?)^ *```", path.read_text(), re.DOTALL | re.MULTILINE)


@each_guide
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / link).exists(), link


@each_guide
def test_commands_can_be_copied(path: Path) -> None:
    for block in blocks(path):
        subprocess.run(["bash", "-n"], input=block, text=True, check=True)
        for file in re.findall(
            r"(?<![\w/])(docker-compose[\w.]*\.yml|(?:scripts|contrib|config|grafana)/[\w./-]+)", block
        ):
            assert (ROOT / file).exists(), file


@each_guide
def test_commands_of_the_program_exist(path: Path) -> None:
    text = "\n".join(blocks(path))
    for command in re.findall(
        r"(?:exec(?: -T)? ingest ingest|run --rm(?: --no-deps)? ingest|^enphase-ingest) ([\w-]+)", text, re.M
    ):
        assert command in COMMANDS, command
    for command in re.findall(r"`ingest ([\w-]+)", path.read_text()):
        assert command in COMMANDS, command


def test_the_dictionary_has_every_measurement_and_field() -> None:
    text = (ROOT / "docs/queries.md").read_text()
    for stream in STREAMS:
        for measurement, fields in stream.fields.items():
            assert f"`{measurement}`" in text
            assert all(f"`{name}`" in text for name in fields)


def test_the_unit_is_one() -> None:
    unit = (ROOT / "contrib/systemd/enphase-ingest.service").read_text()
    assert "EnvironmentFile=/etc/enphase-ingest/environment" in unit
    environment = (ROOT / "contrib/systemd/environment").read_text()
    named = set(re.findall(r"_FILE=/etc/enphase-ingest/(\w+)$", environment, re.M))
    (made,) = re.findall(r"for name in ([\w ]+); do", (ROOT / "docs/systemd.md").read_text())
    assert named == set(made.split())
