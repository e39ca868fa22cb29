"""`notify`: who is told, and whether a message arrives."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ingest.cli import cli
from ingest.core.errors import ConfigError, IngestError
from tests.notify.receiver import Receiver

SECRET = "a-topic-that-is-secret"


def call(tmp_path: Path, *words: str, **document: Any) -> Any:
    config = tmp_path / "ingest.yaml"
    config.write_text(json.dumps({"api": {"base_url": "simulator"}, **document}))
    return CliRunner().invoke(cli, ["--config", str(config), "notify", *words])


def test_a_test_message_goes_to_every_address(tmp_path: Path) -> None:
    with Receiver() as one, Receiver() as two:
        addresses = [f"{at.url.replace('http', 'json', 1)}/{SECRET}" for at in (one, two)]
        result = call(tmp_path, "--test", notify={"to": addresses})
        assert result.exit_code == 0, result.output
        assert sorted(result.output.splitlines()) == ["json (notify.to[0]): sent", "json (notify.to[1]): sent"]
        assert [len(at.messages) for at in (one, two)] == [1, 1]
        assert one.messages[0]["title"] == "Solar data: a test"


def test_what_does_not_arrive_fails_and_says_which_without_the_address(tmp_path: Path) -> None:
    with Receiver() as one:
        one.status = 403
        result = call(tmp_path, "--test", notify={"to": [f"{one.url.replace('http', 'json', 1)}/{SECRET}"]})
    assert isinstance(result.exception, IngestError)
    assert str(result.exception) == "1 message did not arrive"
    assert result.output.strip() == "json (notify.to[0]): the service answers 403"
    assert SECRET not in result.output


def test_without_the_option_it_says_who_is_told(tmp_path: Path) -> None:
    result = call(tmp_path, notify={"to": [f"ntfy://{SECRET}"]}, heartbeat=f"https://hc.example/{SECRET}")
    assert result.output.splitlines() == ["heartbeat", "ntfy (notify.to[0])"]


@pytest.mark.parametrize("words", [(), ("--test",)])
def test_where_nobody_is_told_it_says_what_to_do(tmp_path: Path, words: tuple[str, ...]) -> None:
    result = call(tmp_path, *words)
    assert isinstance(result.exception, ConfigError)
    assert "docs/notify.md" in str(result.exception)


def test_an_address_that_nobody_knows_does_not_pass_the_check(tmp_path: Path) -> None:
    for address, code in ((f"ntfy://{SECRET}", 0), (f"ntfyy://{SECRET}", 2)):
        call(tmp_path, notify={"to": [address]})
        result = CliRunner().invoke(cli, ["--config", str(tmp_path / "ingest.yaml"), "check"])
        assert (result.exit_code == 0) == (code == 0), result.output
    assert isinstance(result.exception, ConfigError)
    assert "ntfyy (notify.to[0]): this kind of address is not known" in str(result.exception)
    assert SECRET not in str(result.exception)
