"""Page, metrics, report and export say the numbers of the archive."""

import json
import re
from collections import Counter
from typing import Any

from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from ingest.cli import cli
from ingest.core.days import date_at, midnight, zone
from ingest.report import report
from ingest.simulator import Site
from ingest.store import archive
from ingest.web import Source, create_app
from tests.world import World

LETTERS = {"30d": 10, "year": 7, "all": 4}
"""Letters of an ISO day that name a bar, by the range of the bars."""


def check_export(world: World) -> None:
    """An export is the archive, row by row."""
    words = ["--config", str(world.settings.config_path), "export", "--format", "lp"]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    rows = archive.select(world.store.db, archive.Filter())
    held = Counter(f"{key} {fields} {time}" for key, time, fields in rows if fields)
    assert Counter(result.stdout.splitlines()) == held


def check_page(world: World, site: Site) -> None:
    """Every bar of ended days is the sum of those of `energy_daily`; that of today is as in report and metrics."""
    now = int(world.time.true)
    client = create_app(Source(world.settings, world.store, lambda: now, lambda: now)).test_client()
    daily = {str(row["date"]): row for row in world.rows("energy_daily", site.system_id).values()}
    for span, letters in LETTERS.items():
        text = client.get(f"/?system={site.system_id}&range={span}").get_data(as_text=True)
        found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
        assert found
        for key, made, used, running, *_ in json.loads(found[1])["bars"]:
            days = [row for day, row in daily.items() if day.startswith(key)]
            for name, shown in (("produced_wh", made), ("consumed_wh", used)):
                known = [row[name] for row in days if name in row]
                if not running:
                    assert shown == (round(sum(known)) if known else None), (key[:letters], name)
    samples = _samples(client.get("/metrics").get_data(as_text=True), "ingest_system_energy_today_joules")
    (told,) = (at for at in report(world.settings, world.store.db, now).systems if at.system == str(site.system_id))
    place = zone(told.timezone)
    begin = midnight(date_at(now, place), place)
    made = [row["produced_wh"] for at, row in world.rows("energy", site.system_id).items()
            if begin <= at < now and "produced_wh" in row]  # fmt: skip
    assert told.today_wh == (sum(made) if made else None)
    assert samples.get(told.system) == (sum(made) * 3600 if made else None)


def _samples(text: str, name: str) -> dict[str, Any]:
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return {at.labels["system"]: at.value for at in families[name].samples} if name in families else {}
