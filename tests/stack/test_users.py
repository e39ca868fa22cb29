"""How the database of the stack is written: InfluxDB 2 by its 1.x interface, as a user of one bucket."""

import base64
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.core.errors import SinkDown, SinkRefused
from ingest.deliver.sink import Sink, Target, open_sink
from tests.servers.strict_v2 import StrictV2
from tests.servers.web import Asked, Reply
from tests.stack.boards import ROOT

PASSWORD = "0123456789abcdef"


class OldDoor(StrictV2):
    """The 1.x interface of InfluxDB 2, which answers in the words of the new one."""

    def answer(self, asked: Asked) -> Reply:
        if asked.path != "/write":
            return super().answer(asked) if asked.path == "/ping" else Reply(404)
        given = asked.headers.get("Authorization", "").removeprefix("Basic ")
        token = base64.b64decode(given).decode()
        params = {"org": "home", "bucket": asked.params["db"], "precision": asked.params.get("precision", "")}
        return super().answer(
            asked._replace(path="/api/v2/write", params=params, headers={"Authorization": f"Token {token}"})
        )


@pytest.fixture
def server() -> Iterator[OldDoor]:
    with OldDoor(f"ingest:{PASSWORD}") as server:
        server.buckets["enphase"] = None
        yield server


def sink(server: OldDoor, password: str = PASSWORD, database: str = "enphase") -> Sink:
    return open_sink(Target("influxdb_v1", server.url, database=database, username="ingest", password=password))


def test_the_user_of_the_pipeline_writes(server: OldDoor) -> None:
    writer = sink(server)
    assert writer.ping() == "InfluxDB 2.9.1"
    assert writer.write(["energy,system=1 produced_wh=5.0 1790000000"]) == 0
    assert server.rows("enphase", "energy") == [{"time": 1790000000, "system": "1", "produced_wh": 5.0}]
    with pytest.raises(SinkRefused):
        writer.write(["energy,system=1 produced_wh=five 1790000000"])


def test_a_wrong_password_or_bucket_is_said_and_nothing_is_dropped(server: OldDoor) -> None:
    with pytest.raises(SinkDown, match="password"):
        sink(server, password="another").ping()
    with pytest.raises(SinkDown, match="404"):
        sink(server, database="other").write(["energy,system=1 produced_wh=5.0 1790000000"])


def test_the_script_of_the_database_makes_both_users(tmp_path: Path) -> None:
    secrets, calls = tmp_path / "secrets", tmp_path / "calls"
    secrets.mkdir()
    for name in ("ingest", "grafana"):
        (secrets / f"influxdb_{name}_password").write_text(f"{name}-password")
    influx = tmp_path / "influx"
    influx.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n')
    influx.chmod(0o755)
    script = tmp_path / "10-users.sh"
    script.write_text((ROOT / "influxdb/init/10-users.sh").read_text().replace("/run/secrets", str(secrets)))
    given = {"DOCKER_INFLUXDB_INIT_ORG": "home", "DOCKER_INFLUXDB_INIT_BUCKET_ID": "b1d"}
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(["bash", str(script)], env=given | {"PATH": path}, capture_output=True, text=True, check=True)
    create = "v1 auth create --org home --username"
    assert calls.read_text().splitlines() == [
        f"{create} ingest --password ingest-password --read-bucket b1d --write-bucket b1d",
        f"{create} grafana --password grafana-password --read-bucket b1d",
    ]
    assert "-password" not in done.stdout
