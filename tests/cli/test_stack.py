"""`init --stack`: the stack in a folder, from the checkout as from the wheel."""

import re
import subprocess
from pathlib import Path

from click.testing import CliRunner

from ingest.cli import cli

ROOT = Path(__file__).parents[2]


def written(folder: Path) -> set[str]:
    result = CliRunner().invoke(cli, ["init", "--stack", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def listed(*options: str) -> set[str]:
    done = subprocess.run(["git", "ls-files", *options], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_everything_that_the_stack_needs_is_written_and_nothing_secret(tmp_path: Path) -> None:
    names = written(tmp_path / "stack")
    tracked = listed("--cached")
    needed = {name for name in tracked if name.startswith(("grafana/", "influxdb/", "docker-compose", "ingest/"))}
    assert needed <= names
    assert names <= tracked | listed("--others", "--exclude-standard")
    assert "config/local.yaml" not in names
    assert (tmp_path / "stack/scripts/secrets.sh").stat().st_mode & 0o100


def test_what_the_compose_files_mount_is_there(tmp_path: Path) -> None:
    names = written(tmp_path / "stack")
    for compose in (tmp_path / "stack").glob("docker-compose*.yml"):
        for line in compose.read_text().splitlines():
            if "- ./" in line:
                path = re.sub(r"\$\{\w+:-(\w+)\}", r"\1", line.split("- ./")[1]).split(":")[0]
                assert any(name == path or name.startswith(f"{path}/") for name in names), line


def test_a_file_that_somebody_changed_stays(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    written(folder)
    (folder / "docker-compose.yml").write_text("mine\n")
    names = written(folder)
    assert (folder / "docker-compose.yml").read_text() == "mine\n"
    assert {name for name in names if name.endswith(".new")} == {"docker-compose.yml.new"}


def test_the_source_distribution_names_the_same_files() -> None:
    manifest = (ROOT / "MANIFEST.in").read_text()
    text = (ROOT / "pyproject.toml").read_text()
    patterns = text[text.index("stack = [") : text.index("]", text.index("stack = ["))].split('"')[1::2]
    for pattern in patterns:
        folder = pattern.split("/")[0]
        by_itself = pattern in ("LICENSE", "README.md", "pyproject.toml")  # setuptools takes these
        whole = any(f"{word} {folder}" in manifest for word in ("graft", "recursive-include"))
        assert by_itself or whole or pattern in manifest
