"""The file for a bug report: what a maintainer needs is in it, and no secret, whatever the secrets are."""

import json
import os
import random
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import ingest
from ingest.auth.token_files import TokenFiles
from ingest.cli import cli
from ingest.enphase.oauth import TokenPair
from ingest.service import diagnostics
from ingest.store import migrations, progress
from tests.world import HOUR, World
from tests.worlds import SITE

PLAIN = string.ascii_letters + string.digits + "\"'\\/&=?#%+:;,{}[]<>"
"""What a token may hold: printable ASCII; a password more."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, [SITE])
    made.settings.config_path.chmod(0o600)
    made.cloud.faults.denied_groups = {"consumption"}
    made.run(12 * HOUR)
    yield made
    made.end()


def run(world: World, *words: str) -> Any:
    result = CliRunner().invoke(cli, ["--config", str(world.settings.config_path), "diagnostics", *words])
    assert result.exit_code == 0, result.output
    return result


def test_it_says_what_a_maintainer_asks_for(world: World) -> None:
    found = json.loads(run(world).stdout)
    assert found["program"]["version"] == ingest.__version__
    assert found["program"]["packages"]["requests"]
    assert found["configuration"]["api"]["version"] == "v4"
    assert found["state"]["format"] == migrations.VERSION
    assert found["state"]["points"] == found["status"]["points"] > 0
    assert found["state"]["verdicts"]["ok"] > 0
    assert found["state"]["last_failed_calls"][0]["verdict"] == "denied"
    assert {pair["stream"] for pair in found["state"]["failing"]} == {"consumption", "consumption_lifetime"}
    assert {check["name"] for check in found["doctor"]} >= {"configuration", "state", "access groups"}


def test_a_reply_that_could_not_be_read_is_shown_redacted(world: World) -> None:
    body = b'{"intervals": "none today", "access_token": "eyJhbGciOi.abcdef", "name": "House of Ada"}'
    with world.store.transaction() as db:
        progress.keep_sample(db, "1", "stats", 0, "intervals is no list", body)
    (sample,) = json.loads(run(world).stdout)["state"]["unreadable_replies"]
    assert "none today" in sample["body"]
    assert "abcdef" not in sample["body"]


@pytest.mark.parametrize("seed", range(20 if os.environ.get("INGEST_LONG") else 2))
def test_no_secret_is_in_it(world: World, seed: int) -> None:
    """Secrets of every spelling, in the configuration, in token files, and repeated by the cloud."""
    print(f"seed {seed}")
    chance = random.Random(seed)

    def secret(more: str = "") -> str:
        return "".join(chance.choices(PLAIN + more, k=chance.randint(8, 40))) + str(chance.randint(10**8, 10**9))

    names = ("key", "client_secret", "client_id", "sink token", "sink password", "username", "password", "access",
             "refresh", "old access", "old refresh")  # fmt: skip
    secrets = {name: secret(" äπ" if "password" in name else "").lstrip() for name in names}
    document = json.loads(world.settings.config_path.read_text())
    document["api"] |= {name: secrets[name] for name in ("key", "client_secret", "client_id")}
    document["accounts"] = {"home": {}, "fleet": {name: secrets[name] for name in ("username", "password")}}
    document["sinks"]["two"] = {"type": "influxdb", "url": "http://localhost:1", "token": secrets["sink token"],
                                "org": "o", "bucket": "b"}  # fmt: skip
    document["sinks"]["one"] = {"type": "influxdb_v1", "url": "http://localhost:1", "database": "d", "username": "u",
                                "password": secrets["sink password"]}  # fmt: skip
    path = world.settings.config_path
    path.write_text(json.dumps(document))
    files = TokenFiles(world.settings.state_dir / "tokens")
    pairs = [TokenPair(secrets[a], secrets[b], 0, 1) for a, b in (("access", "refresh"), ("old access", "old refresh"))]
    files.put_text("gone", json.dumps({"current": vars_of(pairs[0]), "previous": vars_of(pairs[1]), "dead": ""}))
    with world.store.transaction() as db:
        for number, (name, value) in enumerate(secrets.items()):
            progress.keep_sample(db, str(number), "stats", 0, f"{name} {value}", json.dumps([value]).encode())
    result = run(world)
    assert "unreadable_replies" in result.stdout, result.stdout
    for name, value in secrets.items():
        for spelled in (value, json.dumps(value)[1:-1], json.dumps(json.dumps(value)[1:-1])[1:-1]):
            assert spelled not in result.output, name


def vars_of(pair: TokenPair) -> dict[str, Any]:
    return {name: getattr(pair, name) for name in ("access", "refresh", "issued_at", "expires_at")}


def test_a_name_of_a_system_is_not_in_it(world: World) -> None:
    with world.store.transaction() as db:
        row = next(iter(progress.systems(db).values()))
    assert row.name
    assert row.name not in run(world).stdout
    assert f"System {row.system}" in run(world).stdout


def test_a_wrong_configuration_is_what_it_says(world: World) -> None:
    world.settings.config_path.write_text("api: {keey: k}\n")
    found = json.loads(run(world).stdout)
    assert "keey" in found["configuration_error"]
    assert found["program"]["version"] == ingest.__version__


def test_a_damaged_state_is_what_it_says(world: World) -> None:
    world.end()
    for path in world.settings.state_dir.glob("state.db*"):
        path.write_bytes(b"not a database" * 1000)
    found = json.loads(run(world).stdout)
    assert "damaged" in found["state_error"]
    assert found["configuration"]["api"]["version"] == "v4"


def test_the_file_is_for_its_owner_alone(world: World, tmp_path: Path) -> None:
    result = run(world, "-o", str(tmp_path / "report.json"))
    assert (tmp_path / "report.json").stat().st_mode & 0o777 == 0o600
    assert "status" in json.loads((tmp_path / "report.json").read_text())
    assert "read it before you publish it" in result.output


def test_what_is_installed_needs_no_state() -> None:
    assert set(diagnostics.program()) == {"version", "python", "sqlite", "platform", "packages"}
