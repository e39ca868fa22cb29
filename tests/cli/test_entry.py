"""The ways to start the program."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest.cli.context import Context

ROOT = Path(__file__).parents[2]


def module(*words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ingest", *words]
    return subprocess.run(command, cwd=cwd, text=True, capture_output=True, check=False)


def test_python_m_ingest_is_the_program(tmp_path: Path) -> None:
    assert module("--version", cwd=ROOT).stdout.startswith("ingest, version ")


def test_a_remedy_begins_with_the_module_where_that_was_started(tmp_path: Path) -> None:
    (tmp_path / "ingest.yaml").write_text("api: {base_url: simulator}\nstate_dir: state\n")
    result = module("--config", str(tmp_path / "ingest.yaml"), "status", cwd=ROOT)
    assert result.returncode == 1
    assert f"`{sys.executable} -m ingest --config {tmp_path}/ingest.yaml run`" in result.stderr


def test_the_page_is_named_by_the_address_that_works_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    page = SimpleNamespace(url="http://127.0.0.1:8080/")
    monkeypatch.delenv("INGEST_PAGE", raising=False)
    assert Context().address(page) == "http://127.0.0.1:8080/"  # type: ignore[arg-type]
    monkeypatch.setenv("INGEST_PAGE", "http://pi:9090/")
    assert Context().address(page) == "http://pi:9090/"  # type: ignore[arg-type]
    assert Context().address(None) == ""
    for file in ("docker-compose.yml", "docker-compose.ingest.yml"):
        text = (Path(__file__).parents[2] / file).read_text()
        assert "INGEST_PAGE: http://${STATUS_HOST:-localhost}:${STATUS_PORT:-8080}/" in text
