"""All queries of boards, rules and guides answer on a real InfluxDB 2 as they do on 1.6."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from ingest.core.point import encode
from ingest.deliver.influx_v1 import InfluxV1Sink
from tests import influxd2
from tests.influxd2 import Influxd2
from tests.stack import boards
from tests.stack.boards import Query, expand
from tests.stack.seed import CABIN, CABIN_DATABASE, DATABASE, MILL, NOW, SITES, Seeded
from tests.stack.situations import points

pytestmark = pytest.mark.skipif(influxd2.BINARY is None, reason=influxd2.MISSING)
TOKEN = "a-token-of-the-tests-that-may-do-all"
QUERIES = [
    *(*boards.panel_queries(), *boards.annotation_queries(), *boards.variable_queries(), *boards.rule_queries()),
    *(query for query in boards.doc_queries() if "inverter_daily" not in query.text),
]
"""The houses here do not list their panels."""


@pytest.fixture(scope="module")
def second(seeded: Seeded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an InfluxDB 2 that holds the same points."""
    folder: Path = tmp_path_factory.mktemp("influxd2") / "data"
    with Influxd2(folder) as server:
        setup = {"username": "admin", "password": "a long password", "org": "home", "bucket": DATABASE, "token": TOKEN}
        made = requests.post(f"{server.url}/api/v2/setup", json=setup, timeout=30)
        assert made.status_code == 201, made.text
        owner, headers = made.json()["org"]["id"], {"Authorization": f"Token {TOKEN}"}
        bucket = {"orgID": owner, "name": CABIN_DATABASE}
        assert (
            requests.post(f"{server.url}/api/v2/buckets", json=bucket, headers=headers, timeout=30).status_code == 201
        )
        for database in (DATABASE, CABIN_DATABASE):
            sink = InfluxV1Sink(server.url, database, "grafana", TOKEN)
            sink.write([encode(point) for point in points(seeded, database)])
            sink.close()
        yield server.url


def answer(url: str, database: str, query: str) -> list[dict[str, Any]]:
    """What the second server says."""
    reply = requests.post(
        f"{url}/query", params={"db": database, "epoch": "s"}, data={"q": query}, auth=("grafana", TOKEN), timeout=60
    )
    (result,) = reply.json()["results"]
    assert "error" not in result, f"{query}: {result['error']}"
    series: list[dict[str, Any]] = result.get("series", [])
    return series


def rounded(series: list[dict[str, Any]]) -> list[Any]:
    """Sums of floats, whose last digit depends on the order in which they are added."""
    return [
        [
            one.get("tags"),
            one["columns"],
            [[round(each, 6) if isinstance(each, float) else each for each in row] for row in one["values"]],
        ]
        for one in series
    ]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.where)
def test_a_query_answers_as_on_1x(query: Query, second: str, seeded: Seeded) -> None:
    found = 0
    for database, site in ((DATABASE, SITES[0]), (DATABASE, MILL), (DATABASE, SITES[2]), (CABIN_DATABASE, CABIN)):
        for days in (1, 30, 365):
            text = expand(query, site, days)
            text = text.replace("1234567", str(site.system_id)).replace("America/Denver", site.timezone)
            first = seeded.server.execute(text.replace("now()", f"{NOW}s"), database)
            assert rounded(answer(second, database, text.replace("now()", f"{NOW}s"))) == rounded(first), text
            found += bool(first)
    assert found or '"life" > 0.5' in query.text, "no day is unknown in these houses"
