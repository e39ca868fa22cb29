"""The completion of the shell and the manual page, from the commands themselves."""

import os
import shutil
import subprocess

import pytest
from click.testing import CliRunner

from ingest.cli import COMMAND_MODULES, cli
from tests.stories.program import INGEST


def printed(*words: str) -> str:
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion(shell: str) -> None:
    assert "_INGEST_COMPLETE" in printed("completion", shell)


def test_commands_and_options_are_completed() -> None:
    def completed(words: str, at: int) -> list[str]:
        env = {**os.environ, "_INGEST_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(at)}
        out = subprocess.run(INGEST, env=env, capture_output=True, text=True, check=True).stdout
        return [line.partition(",")[2] for line in out.splitlines()]

    assert completed("ingest st", 1) == ["status"]
    assert "--dry-run" in completed("ingest backfill --d", 2)


def test_the_manual_page_has_every_command() -> None:
    text = printed("man")
    for name in COMMAND_MODULES:
        assert f".SS ingest {name}".replace("-", r"\-") in text.replace("-", r"\-").replace(r"\\-", r"\-"), name


@pytest.mark.skipif(shutil.which("man") is None, reason="there is no man")
def test_the_manual_page_can_be_read() -> None:
    done = subprocess.run(
        ["man", "--warnings", "-l", "-"], input=printed("man"), capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "EXIT STATUS" in done.stdout
