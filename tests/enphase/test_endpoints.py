"""Every documented call is a stream, can be made by hand, or is named with the reason why it is never made."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from ingest.enphase.endpoints import ENDPOINTS, endpoint_of
from ingest.enphase.streams import BY_NAME, STREAMS

GUIDE = Path(__file__).parents[2] / "docs/streams.md"
ROW = re.compile(r"^\| (v\d) \| `(?:(POST|PUT) )?([^`]+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


class Documented(NamedTuple):
    version: str
    method: str
    path: str
    group: str
    reached: str


DOCUMENTED = [Documented(*map(str.strip, found)) for found in ROW.findall(GUIDE.read_text("utf-8"))]
NAMED = {"v4": 49, "v2": 13, "v1": 16}
"""So many calls the reference names, by dialect."""


def example(path: str) -> str:
    return re.sub(r"\{\w+\}", "4242", path)


def test_the_table_of_the_guide_is_the_list_of_the_program() -> None:
    for version, many in NAMED.items():
        mine = {(row.path, row.group) for row in DOCUMENTED if row.version == version}
        assert mine == {(endpoint.path, endpoint.group) for endpoint in ENDPOINTS[version]}
        assert len(mine) == many


@pytest.mark.parametrize("row", DOCUMENTED, ids=lambda row: f"{row.version} {row.path}")
def test_a_call_is_reached_as_the_guide_says(row: Documented) -> None:
    endpoint = endpoint_of(row.version, example(row.path))
    assert endpoint is not None
    assert endpoint.path == row.path
    names = re.findall(r"stream `(\w+)`", row.reached)
    assert names or row.reached.startswith(("`ingest api`", "never: "))
    assert bool(endpoint.refusal) == row.reached.startswith("never: ")
    assert not row.method or endpoint.refusal
    for name in names:
        assert example(row.path) == example(BY_NAME[name].route(row.version).path)


def test_every_stream_asks_a_documented_call_and_the_guide_says_so() -> None:
    for stream in STREAMS:
        for version in ("v4", "v2", "v1"):
            if stream.is_served(version):
                path = example(stream.route(version).path)
                (row,) = [at for at in DOCUMENTED if (at.version, example(at.path)) == (version, path)]
                assert f"stream `{stream.name}`" in row.reached
                assert version != "v4" or row.group == stream.group
