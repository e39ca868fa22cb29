"""What happens to the stack's pipeline when its database is upgraded, lost, or given another token."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from ingest.config import Settings, load
from ingest.core.errors import SinkDown
from ingest.core.point import Point
from ingest.deliver.sender import record_delivery
from ingest.deliver.sink import Target, open_sink
from ingest.service import build
from ingest.store import archive, journal, outbox
from ingest.store.database import Store
from tests import influxd2
from tests.influxd2 import Influxd2
from tests.servers.installation import ADMIN_TOKEN, Installation
from tests.servers.strict_v2_admin import StrictV2Admin

BEFORE = """
api: {base_url: simulator}
sinks:
  influx: {type: influxdb_v1, url: "${INFLUXDB_URL}", database: enphase, username: ingest, password: the-old-password}
"""
NOW = """
api: {base_url: simulator}
sinks:
  influx: {type: influxdb, url: "${INFLUXDB_URL}", org: home, bucket: enphase, token: "${INFLUXDB_TOKEN}"}
"""
NOON = 1_790_000_000


@pytest.fixture(params=["strict", "real"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StrictV2Admin | Influxd2]:
    if request.param == "strict":
        with StrictV2Admin() as stand_in:
            yield stand_in
    elif influxd2.BINARY is None:
        pytest.skip(influxd2.MISSING)
    else:
        with Influxd2(tmp_path / "influxd2") as real:
            yield real


class Pipeline:
    """The delivering half of the pipeline, with a state of its own that outlives it."""

    def __init__(self, stack: Installation) -> None:
        self.stack, self.path = stack, stack.folder / "ingest.yaml"

    def begin(self, text: str) -> None:
        self.path.write_text(text)
        self.store = Store(self.stack.folder / "state", own=True)
        (self.sender,) = build.senders(self.settings(), self.store, reload=self.settings)

    def settings(self) -> Settings:
        return load(self.path, self.stack.settings)

    def end(self) -> None:
        self.sender.close()
        self.store.close()

    def read(self, first: int, last: int) -> None:
        points = [
            Point("energy", (("system", "1"),), NOON + 900 * n, {"produced_wh": n + 0.5}) for n in range(first, last)
        ]
        with self.store.transaction() as db:
            archive.upsert(db, points)

    def deliver(self) -> str:
        """Send what waits; the error that stops it, if one does."""
        while (done := self.sender.step()) is not None:
            with self.store.transaction() as db:
                record_delivery(db, done, NOON)
            if done.error:
                return done.error
        return ""


def stored(server: StrictV2Admin | Influxd2) -> list[dict[str, Any]]:
    if isinstance(server, StrictV2Admin):
        return server.rows("enphase", "energy")
    return server.query(ADMIN_TOKEN, "enphase", 'SELECT * FROM "energy"')


def expected(count: int) -> list[dict[str, Any]]:
    return [{"time": NOON + 900 * n, "system": "1", "produced_wh": n + 0.5} for n in range(count)]


def the_version_before(url: str) -> None:
    """What the image's own set-up and the script beside it made: two users of the 1.x interface."""
    body = {"username": "admin", "password": "admin-password", "token": ADMIN_TOKEN, "org": "home", "bucket": "enphase"}
    made = requests.post(f"{url}/api/v2/setup", json=body | {"retentionPeriodSeconds": 0}, timeout=10)
    assert made.ok
    headers = {"Authorization": f"Token {ADMIN_TOKEN}"}
    listed = requests.get(f"{url}/api/v2/buckets", params={"name": "enphase"}, headers=headers, timeout=10).json()
    (bucket,) = listed["buckets"]
    for name, password, rights in (
        ("ingest", "the-old-password", ("read", "write")),
        ("grafana", "reads-only-1", ("read",)),
    ):
        resource = {"type": "buckets", "id": bucket["id"], "orgID": bucket["orgID"]}
        permissions = [{"action": right, "resource": resource} for right in rights]
        user = {"orgID": bucket["orgID"], "token": name, "permissions": permissions}
        made = requests.post(f"{url}/private/legacy/authorizations", json=user, headers=headers, timeout=10)
        path = f"/private/legacy/authorizations/{made.json()['id']}/password"
        assert requests.post(f"{url}{path}", json={"password": password}, headers=headers, timeout=10).ok


def test_an_installation_of_the_version_before_goes_over_losing_and_doubling_nothing(
    server: StrictV2Admin | Influxd2, tmp_path: Path
) -> None:
    the_version_before(server.url)
    stack = Installation(tmp_path, server.url)
    pipeline = Pipeline(stack)
    pipeline.begin(BEFORE)
    pipeline.read(0, 200)
    assert pipeline.deliver() == ""
    pipeline.read(200, 300)  # fetched, and not delivered before the upgrade
    pipeline.end()

    done = stack.reach()
    assert "grafana" not in done, "the reading user is right as it is"
    assert "organization" not in done
    pipeline.begin(NOW)
    pipeline.read(300, 320)
    assert pipeline.deliver() == ""
    assert stored(server) == expected(320)
    row = outbox.sink(pipeline.store.db, "influx")
    assert row
    assert (row.error, row.cursor) == ("", journal.next_seq(pipeline.store.db) - 1)
    assert stack.reads("grafana", "reads-only-1")
    pipeline.end()


def test_a_volume_that_is_lost_while_the_pipeline_runs_needs_no_restart_of_it(
    server: StrictV2Admin | Influxd2, tmp_path: Path
) -> None:
    import shutil  # noqa: PLC0415

    stack = Installation(tmp_path, server.url)
    stack.reach()
    pipeline = Pipeline(stack)
    pipeline.begin(NOW)
    pipeline.read(0, 50)
    assert pipeline.deliver() == ""
    if isinstance(server, StrictV2Admin):
        server.wipe()
    else:
        server.kill()
        shutil.rmtree(server.root)
        server.start()
    pipeline.read(50, 60)
    assert "401" in pipeline.deliver()
    stack.reach()
    assert pipeline.deliver() == ""
    assert [row["produced_wh"] for row in stored(server)][-10:] == [n + 0.5 for n in range(50, 60)]
    pipeline.end()


def test_a_token_that_may_only_write_is_told_with_the_command_that_makes_a_better_one(
    server: StrictV2Admin | Influxd2, tmp_path: Path
) -> None:
    stack = Installation(tmp_path, server.url)
    stack.reach()
    headers = {"Authorization": f"Token {ADMIN_TOKEN}"}
    listed = requests.get(
        f"{server.url}/api/v2/buckets", params={"name": "enphase"}, headers=headers, timeout=10
    ).json()
    (bucket,) = listed["buckets"]
    right = {"action": "write", "resource": {"type": "buckets", "id": bucket["id"], "orgID": bucket["orgID"]}}
    body = {"orgID": bucket["orgID"], "description": "by hand", "permissions": [right]}
    token = requests.post(f"{server.url}/api/v2/authorizations", json=body, headers=headers, timeout=10).json()["token"]
    writes_only = open_sink(Target("influxdb", server.url, token, "home", "enphase"))
    writes_only.ping()
    with pytest.raises(SinkDown, match=r"may not read the bucket enphase.*setup-database.*--read-bucket"):
        writes_only.prove_reading()
    writes_only.close()
    good = stack.sink()
    good.prove_reading()
    good.close()


def test_by_the_1x_interface_a_missing_bucket_is_named_with_the_command(
    server: StrictV2Admin | Influxd2, tmp_path: Path
) -> None:
    stack = Installation(tmp_path, server.url)
    stack.reach()
    sink = open_sink(
        Target("influxdb_v1", server.url, database="not there", username="grafana", password="reads-only-1")
    )
    with pytest.raises(SinkDown, match=r"no bucket not there.*setup-database.*influx bucket create --name 'not there'"):
        sink.write(["energy a=1.0 1790000000"])
    sink.close()


def test_without_an_organization_influxdb_2_asks_for_one(server: StrictV2Admin | Influxd2, tmp_path: Path) -> None:
    stack = Installation(tmp_path, server.url)
    stack.reach()
    sink = open_sink(Target("influxdb", server.url, stack.token, None, "enphase"))
    with pytest.raises(SinkDown, match="write the name of yours as `org`"):
        sink.write(["energy a=1.0 1790000000"])
    sink.close()
