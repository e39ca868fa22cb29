"""The real InfluxDB, seeded once for all tests of the boards."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import influxd as real
from tests.influxd import Influxd
from tests.stack.boards import ROOT
from tests.stack.reading import present, read
from tests.stack.rules import Seen
from tests.stack.seed import Seeded, seed
from tests.stack.situations import SITUATIONS, build

MISSING = "the real InfluxDB is missing: as root `scripts/servers.sh influxdb`, or `sudo apt-get install influxdb`"


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    if real.BINARY is None:
        if os.environ.get("INGEST_REQUIRE_SERVERS") == "1":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with Influxd(tmp_path_factory.mktemp("boards-influxd")) as server:
        yield seed(server, tmp_path_factory.mktemp("boards-world"))


@pytest.fixture(scope="session")
def reader() -> None:
    """Grafana's own libraries, built once into `.reader/`.

    What a person reads is tested at each run: without a server that fails, where other tests are skipped.
    """
    if real.BINARY is None:
        pytest.fail(MISSING)
    subprocess.run([ROOT / "scripts/reader.sh"], check=True)


@pytest.fixture(scope="session")
def seen(reader: None, seeded: Seeded) -> Seen:
    build(seeded)
    return Seen(read(seeded, (present(), SITUATIONS)), present(), seeded)


def _suffix(name: str) -> str:
    return next(
        (each for each in ("-before", "-lately", "-last", "-fourth", "-sixth", "-seventh") if name.endswith(each)), ""
    )


@pytest.fixture(scope="session")
def former(seen: Seen, seeded: Seeded) -> Seen:
    """Some panels of the boards before they were read as Grafana draws them."""
    boards = json.loads((Path(__file__).parent / "former.json").read_text())
    names = (
        *("four systems, Mesa (old roof)", "without", "the first two hours", "another zone", "four systems, Bay"),
        *("a month with holes", "five years"),
    )
    later = ("four systems, Lake House", "a month with holes")
    last = ("four systems, Lake House", "without", "battery and grid")
    newest = ("without", "the first two hours", "five years", "battery and grid")
    fourth = ("four systems, Lake House", "without", "the first two hours", "a month with holes", "battery and grid")
    sixth = ("four systems, Lake House", "without", "the first two hours", "a month with holes", "battery and grid")
    seventh = ("four systems, Lake House", "the first two hours", "five years", "battery and grid")
    parts = []
    for suffix, wanted in (
        ("", names),
        *(
            ("-before", later),
            ("-lately", last),
            ("-last", newest),
            ("-fourth", fourth),
            ("-sixth", sixth),
            ("-seventh", seventh),
        ),
    ):
        some = {name: board for name, board in boards.items() if _suffix(name) == suffix}
        parts.append((some, tuple(one for one in SITUATIONS if any(name in one.name for name in wanted))))
    return Seen(read(seeded, *parts), boards, seeded)
