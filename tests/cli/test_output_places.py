"""Where commands write: never over what an installation lives on, nor onto what is not a plain file."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingest.cli import cli
from tests.stories.program import Program, Vendor, read_some
from tests.world import START
from tests.worlds import HOME

FILES = {
    "backup": ("backup", "--force", "-o"),
    "export": ("export", "--format", "lp", "-o"),
    "diagnostics": ("diagnostics", "-o"),
}
FOLDERS = {"parquet": ("export", "--format", "parquet", "-o"), "stack": ("init", "--stack")}
INSIDE = ("state.db", "tokens/home.json", "new")
TARGETS = (*INSIDE, "configuration", "secret", "named", "another", "lake", "device", "link", "pipe", "folder")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Vendor([HOME], START) as vendor:
        yield read_some(vendor, tmp_path_factory.mktemp("filled"), calls=3)


@pytest.fixture
def program(filled: Program, tmp_path: Path) -> Program:
    """A copy, with a database whose secret is in a file, another in a variable's file, and a data set."""
    shutil.copytree(filled.state, tmp_path / "another")
    (tmp_path / "secret").write_text("a-token-of-a-database")
    (tmp_path / "named").write_text("another-token")
    influx = {"type": "influxdb", "url": "http://127.0.0.1:9", "org": "o", "bucket": "b"}
    sinks = {
        "db": influx | {"token": f"${{file:{tmp_path / 'secret'}}}"},
        "other": influx | {"token": "${NAMED}"},
        "lake": {"type": "parquet", "path": str(tmp_path / "lake")},
    }
    (tmp_path / "lake").mkdir()
    program = filled.copy(tmp_path / "program", sinks=sinks)
    program.write()
    return program


def called(program: Program, *words: str) -> Result:
    named = {"NAMED_FILE": str(program.folder.parent / "named")}
    return CliRunner().invoke(cli, ["--config", str(program.config), *words], env=named)


def place(program: Program, target: str) -> Path:
    folder = program.folder.parent
    if target == "link":
        (folder / "link").symlink_to(program.state / "state.db")
    elif target == "pipe":
        os.mkfifo(folder / "pipe")
    elif target == "folder":
        (folder / "folder").mkdir()
    elsewhere = {"configuration": program.config, "device": Path("/dev/null"), "another": folder / "another/state.db",
                 "lake": folder / "lake/data.parquet"}  # fmt: skip
    return elsewhere.get(target, program.state / target if target in INSIDE else folder / target)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
            and not path.name.endswith(("-wal", "-shm"))}  # fmt: skip


@pytest.mark.parametrize("command", FILES)
@pytest.mark.parametrize("target", TARGETS)
def test_no_file_is_written_over_what_an_installation_lives_on(program: Program, command: str, target: str) -> None:
    path = place(program, target)
    before = contents(program.folder.parent)
    result = called(program, *FILES[command], str(path))
    assert result.exit_code in (1, 2), result.output
    assert str(path) in (str(result.exception) + result.output).replace("\n", " ")
    assert contents(program.folder.parent) == before
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize("command", FOLDERS)
@pytest.mark.parametrize("target", ["new", "another", "lake"])
def test_no_folder_is_written_into_what_an_installation_lives_on(program: Program, command: str, target: str) -> None:
    if command == "parquet":
        pytest.importorskip("pyarrow")
    path = place(program, target)
    path = path if target == "new" else path.parent / "below"
    before = contents(program.folder.parent)
    result = called(program, *FOLDERS[command], str(path))
    assert result.exit_code == 1, result.output
    assert str(path) in str(result.exception)
    assert contents(program.folder.parent) == before
    assert not path.exists()


def test_a_configuration_that_cannot_be_used_is_still_safe(program: Program) -> None:
    """A bug report is made of just that."""
    program.config.write_text("nonsense: [")
    assert "is the configuration" in str(called(program, "diagnostics", "-o", str(program.config)).exception)
    assert program.config.read_text() == "nonsense: ["
    inside = str(program.state / "state.db")
    assert "state folder" in str(called(program, "diagnostics", "-o", inside).exception)


def test_a_bug_report_leaves_what_is_beside_it(program: Program, tmp_path: Path) -> None:
    (tmp_path / "report.json.new").write_text("mine")
    assert called(program, "diagnostics", "-o", str(tmp_path / "report.json")).exit_code == 0
    assert (tmp_path / "report.json.new").read_text() == "mine"
    assert (tmp_path / "report.json").stat().st_mode & 0o777 == 0o600


def test_the_stack_follows_no_link(program: Program, tmp_path: Path) -> None:
    """What somebody changed stays, and the new file beside it is a file, whatever was there."""
    stack = tmp_path / "stack"
    stack.mkdir()
    (stack / "docker-compose.yml").write_text("mine")
    (stack / "docker-compose.yml.new").symlink_to(program.state / "state.db")
    before = (program.state / "state.db").read_bytes()
    assert called(program, "init", "--stack", str(stack)).exit_code == 0
    assert (program.state / "state.db").read_bytes() == before
    assert (stack / "docker-compose.yml").read_text() == "mine"
    os.mkfifo(stack / "pipe")
    (stack / "README.md").unlink()
    (stack / "pipe").rename(stack / "README.md")
    assert "not a plain file" in str(called(program, "init", "--stack", str(stack)).exception)


@pytest.mark.parametrize("target", ["device", "pipe", "folder"])
def test_a_configuration_is_written_to_a_plain_file_only(program: Program, target: str) -> None:
    path = place(program, target)
    result = CliRunner().invoke(cli, ["--config", str(path), "init"], input="\n" * 20)
    assert "is not a plain file" in str(result.exception)
    assert not path.is_file()


def test_a_backup_may_be_called_like_the_state(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "copies/state.db"
    path.parent.mkdir()
    for _ in range(2):
        assert called(program, "backup", "--force", "-o", str(path)).exit_code == 0
