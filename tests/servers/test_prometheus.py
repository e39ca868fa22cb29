"""The page is scraped by a real Prometheus, and the rules that are shipped are right."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ingest.notify.troubles import STOPS_READING
from ingest.report import build_report, metrics
from ingest.web import Server, Source, create_app
from tests import prometheus
from tests.prometheus import PROMTOOL, Prometheus
from tests.world import DAY, Time, World
from tests.worlds import SITE

SHIPPED = Path(__file__).parents[2] / "contrib/prometheus"


@pytest.fixture(autouse=True)
def there() -> None:
    if prometheus.BINARY is None or PROMTOOL is None:
        why = "the real Prometheus is missing: apt-get install prometheus"
        if os.environ.get("INGEST_REQUIRE_SERVERS") == "1":
            pytest.fail(why)
        pytest.skip(why)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    hours = 12 - time.gmtime().tm_hour  # a house where it is noon: elsewhere there may be no energy of today
    sunny = replace(SITE, timezone=f"Etc/GMT{-hours:+d}", longitude=hours * 15.0)
    made = World(tmp_path, [sunny], time=Time(int(time.time()) - DAY))
    made.run(DAY)
    yield made
    made.end()


def test_it_reads_everything_that_is_documented_and_evaluates_the_rules(tmp_path: Path, world: World) -> None:
    world.database.down = True
    world.run(3600)
    now = world.pipeline.clock.now
    server = Server(create_app(Source(world.settings, world.store, now, now)), "127.0.0.1", 0)
    server.start()
    try:
        with Prometheus(tmp_path / "prometheus", SHIPPED, urlsplit(server.url).netloc) as prom:
            (up,) = prom.query('up{job="enphase-ingest"} == 1')
            assert up["value"][1] == "1"
            made = build_report(world.settings, world.store.db, now())
            for name, _, lines in metrics.families(made, now(), "ingest"):
                if told := b"".join(lines).splitlines():
                    assert len(prom.query(name)) == len(told), name
            (used,) = prom.query("ingest_calls_used")
            assert float(used["value"][1]) == made.quota.used_month
            (problem,) = prom.query("ingest_problem")
            assert problem["metric"]["kind"] == "sink"
            for rule in re.findall(r"record: (\S+)", (SHIPPED / "rules.yml").read_text()):
                assert prom.query(rule), rule
    finally:
        server.stop()


@pytest.mark.parametrize(
    "words", [("check", "rules", "rules.yml"), ("check", "config", "prometheus.yml"), ("test", "rules", "test.yml")]
)
def test_promtool_finds_no_fault(words: tuple[str, ...]) -> None:
    assert PROMTOOL
    done = subprocess.run([PROMTOOL, *words], cwd=SHIPPED, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_name_only_metrics_and_kinds_that_exist(world: World) -> None:
    made = build_report(world.settings, world.store.db, world.pipeline.clock.now())
    names = {name for name, *_ in metrics.families(made, 0, "ingest")}
    text = (SHIPPED / "rules.yml").read_text()
    expressions = "\n".join(re.findall(r"expr: (.+)", text))
    assert set(re.findall(r"(?<![:\w])ingest_\w+", expressions)) <= names
    for kinds in re.findall(r'kind[=!]~"([^"]+)"', text):
        assert set(kinds.split("|")) == STOPS_READING - {"state"}
