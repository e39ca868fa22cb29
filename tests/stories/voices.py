"""Page, metrics, report and export say the numbers of the archive, and "All is well" only where it is."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from ingest.cli import cli
from ingest.core.days import date_at, midnight, zone
from ingest.core.point import line_fields
from ingest.report import Gap, Report, build_report
from ingest.report.gaps import NO_METER_WORDS, OUTSIDE
from ingest.report.problems import summary
from ingest.simulator import Site
from ingest.store import archive
from ingest.web import Source, create_app
from tests.world import DAY, START, World

LETTERS = {"30d": 10, "year": 7, "all": 4}
"""Letters of an ISO day that name a bar, by the range of the bars."""


def check_export(world: World) -> None:
    """An export is the archive, row by row."""
    words = ["--config", str(world.settings.config_path), "export", "--format", "lp"]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    rows = archive.select(world.store.db, archive.Filter())
    held = Counter(f"{key} {line_fields(row)} {time}" for key, time, row in rows)
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
    (told,) = (
        at for at in build_report(world.settings, world.store.db, now).systems if at.system == str(site.system_id)
    )
    place = zone(told.timezone)
    begin = midnight(date_at(now, place), place)
    made = [row["produced_wh"] for at, row in world.rows("energy", site.system_id).items()
            if begin <= at < now and "produced_wh" in row]  # fmt: skip
    assert told.today_wh == (sum(made) if made else None)
    assert samples.get(told.system) == (sum(made) * 3600 if made else None)


def _samples(text: str, name: str) -> dict[str, Any]:
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return {at.labels["system"]: at.value for at in families[name].samples} if name in families else {}


MEASURED = {"stats": "production_micro", "rgm_stats": "production_rgm", "consumption": "consumption"}
GRAINS = {"stats": 300, "rgm_stats": 900, "consumption": 900}
TURN = 2 * DAY
"""How long an interval that the cloud shows may wait for its call beside "All is well"; it asks for meters weekly."""
NOT_OF_READING = {"sink", "refused", "clock"}
"""Kinds of problem that say nothing of what is read."""
A_FEW = r"asked (?:once|[23] times) in vain"
"""Windows of history that the cloud refuses so often are not reported yet."""


def check_all_is_well(world: World, sites: Sequence[Site], since: int) -> bool:
    """Whether nothing is wrong with what is read, which must be said only if every interval that the cloud shows is
    there or has its turn to come.
    """
    made = build_report(world.settings, world.store.db, world.pipeline.clock.now())
    is_well = summary(made).startswith("All is well") or {at.kind for at in made.problems} <= NOT_OF_READING
    for site in sites if is_well else ():
        for stream in MEASURED:
            for end, gap in _unread(world, made, site, stream, max(since, site.operational_at)):
                assert gap is not None, (site, stream, end, "is neither read nor named")
                assert _has_its_turn(world, end, gap), (site, stream, end, gap)
    return is_well


def _unread(world: World, made: Report, site: Site, stream: str, since: int) -> Iterator[tuple[int, Gap | None]]:
    """The ends of intervals that the cloud has shown for a day and that are not in the archive, each with the gap that
    the report names.
    """
    now, grain = int(world.time.true), GRAINS[stream]
    shown = {row["end_at"] for row in world.cloud.visible(site.system_id, stream, since, now - DAY, now - DAY)}
    lacking = shown - {time + grain for time in world.rows(MEASURED[stream], site.system_id)}
    (told,) = (at for at in made.systems if at.system == str(site.system_id))
    gaps = [gap for at in told.streams if at.stream == stream for gap in at.gaps]
    for end in sorted(lacking):
        if not any(begin < end <= until for begin, until, _ in site.hidden):
            yield end, next((gap for gap in gaps if gap.start < end <= gap.end), None)


def _has_its_turn(world: World, end: int, gap: Gap) -> bool:
    if gap.reason == NO_METER_WORDS:
        return end > world.time.true - 8 * DAY
    if gap.reason == OUTSIDE or gap.reason.startswith("denied"):
        return False
    if "in vain" in gap.reason:
        return re.search(A_FEW, gap.reason) is not None
    return end <= START or end > world.time.true - DAY - TURN
