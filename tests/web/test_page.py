"""The page of a system: its bars, days and files are those of the archive, in every state."""

import csv
import gc
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.core.point import Point
from ingest.report import build_report
from ingest.store import archive
from ingest.web import Source, create_app
from tests.web.seen import Seen
from tests.world import DAY, HOUR, START, World
from tests.worlds import SITE


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    made = Seen(tmp_path_factory.mktemp("bars"), web={"listen": "127.0.0.1:0"})
    yield made
    made.world.end()


def test_the_first_load_stays_small_when_the_archive_is_old(tmp_path: Path) -> None:
    """Ten years of days and two of intervals weigh nothing: what is drawn is fetched with the range."""
    seen = Seen(tmp_path, web={"listen": "127.0.0.1:0"})
    tags = (("system", str(SITE.system_id)),)
    days = [Point("energy_daily", tags, START - at * DAY - 7200, {"produced_wh": 31234.0 + at}) for at in range(3650)]
    quarters = [Point("energy", tags, START - at * 900, {"produced_wh": 500.0 + at % 7}) for at in range(700 * 96)]
    with seen.world.store.transaction() as db:
        archive.upsert(db, [*days, *quarters])
    client = seen.client()
    for path in ("/", f"/?system={SITE.system_id}&range=all", f"/?system={SITE.system_id}&range=year"):
        page = client.get(path, headers={"Accept-Encoding": "gzip"})
        assets = re.findall(r'(?:src|href)="(/static/[^"]+)"', client.get(path).get_data(as_text=True))
        loaded = [page, *(client.get(asset, headers={"Accept-Encoding": "gzip"}) for asset in assets)]
        assert sum(len(reply.data) for reply in loaded) < 100_000, path
    seen.world.end()


@pytest.mark.parametrize("path", ["/", "/systems?q=a&sort=name", f"/?system={SITE.system_id}&range=year", "/metrics"])
def test_a_page_that_was_sent_keeps_nothing_of_its_report(seen: Seen, path: str) -> None:
    """A macro in a page knows the values of that page, which know the macro: a report of a fleet stayed with them."""
    client = seen.client()
    client.get(path)
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        assert client.get(path).status_code == 200
        gc.collect()
        assert not [each for each in gc.garbage if isinstance(each, dict) and "report" in each]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_a_day_is_a_table_and_a_file_with_the_numbers_of_the_archive(seen: Seen) -> None:
    client = seen.client()
    reply = client.get(f"/day.csv?system={SITE.system_id}&day=2026-07-02")
    assert "attachment" in reply.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(reply.get_data(as_text=True))))
    begin = START + DAY - 2 * HOUR  # Berlin's midnight
    held = {at: row for at, row in seen.world.rows("energy", SITE.system_id).items() if begin <= at < begin + DAY}
    assert len(rows) == len(held) == 96
    assert rows[0]["time_local"] == "2026-07-02T00:00:00+02:00"
    assert [float(row["produced_wh"]) for row in rows] == [held[at]["produced_wh"] for at in sorted(held)]
    for row, at in zip(rows, sorted(held), strict=True):
        assert float(row["imported_wh"]) == pytest.approx(max(0.0, -held[at]["net_wh"]))
    text = client.get(f"/?system={SITE.system_id}&day=2026-07-02").get_data(as_text=True)
    noon = sum(row["produced_wh"] for at, row in held.items() if begin + 12 * HOUR <= at < begin + 13 * HOUR)
    assert re.search(rf">12:00</th><td>{noon / 1000:,.2f}</td>", text)
    assert client.get("/day.csv?system=1&day=2026-07-02").status_code == 404
    assert client.get(f"/day.csv?system={SITE.system_id}&day=then").status_code == 400


def test_every_bar_is_the_sum_of_its_days_and_leads_to_them(seen: Seen) -> None:
    client = seen.client()
    daily = {str(row["date"]): row for row in seen.world.rows("energy_daily", SITE.system_id).values()}
    today = "2026-07-04"
    for span, letters in (("30d", 10), ("month", 10), ("year", 7), ("all", 4)):
        text = client.get(f"/?system={SITE.system_id}&range={span}").get_data(as_text=True)
        found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
        assert found
        bars = json.loads(found[1])["bars"]
        assert bars[-1][0] == today[:letters]
        assert bars[-1][3] == 1, "the running day has its bar"
        for key, made, used, running, _, link in bars:
            days = [row for name, row in daily.items() if name.startswith(key)]
            if not running:
                assert made == (round(sum(row["produced_wh"] for row in days)) if days else None), key
            else:
                assert made > sum(row["produced_wh"] for row in days)
            assert used is None or used > 0
            follow = client.get(link)
            assert follow.status_code == 200
            assert letters < 10 or key == today or f"day={key}" in link


def test_what_cannot_be_filled_says_why(tmp_path: Path) -> None:
    bare = replace(SITE, consumption_meter=False)
    world = World(tmp_path, [bare], web={"listen": "127.0.0.1:0"})
    world.run(2 * DAY + 12 * HOUR)
    now = int(world.time.true)
    text = create_app(Source(world.settings, world.store, lambda: now, lambda: now)).test_client().get("/")
    page = text.get_data(as_text=True)
    why = "the system has no such meter"
    assert f'<div class="reason"><dt>Consumed</dt><dd class="quiet">{why}</dd>' in page
    assert f'<p id="live-absent" class="quiet">No consumption: {why}.</p>' in page
    assert f"follows from the consumption: {why}" in page
    (caption,) = re.findall(r"<strong[^>]*>consumption</strong>(.*?)</figcaption>", page)
    assert re.sub(r"<[^>]*>", "", caption) == "no such meter", "of what is not there, no part was read"
    assert (backfill := build_report(world.settings, world.store.db, now).backfill).ratio == 1.0, backfill
    assert 'id="daily-used"' not in page
    world.end()


@pytest.mark.parametrize(
    "query",
    ["day=2026-07-02&range=month", "range=year&days=7", "day=1999-01-01", "day=2999-01-01",
     "days=5&range=decade&weeks=9", "day=2026-02-30"],
)  # fmt: skip
def test_any_address_shows_something(seen: Seen, query: str) -> None:
    reply = seen.client().get(f"/?system={SITE.system_id}&{query}")
    assert reply.status_code == 200
    assert "What has been read" in reply.get_data(as_text=True)


def test_history_that_is_queued_is_not_alarming(tmp_path: Path) -> None:
    world = World(tmp_path, [SITE], web={"listen": "127.0.0.1:0"}, systems=[{"id": SITE.system_id, "since": "15d"}])
    world.run(90)
    now = int(world.time.true)
    page = create_app(Source(world.settings, world.store, lambda: now, lambda: now)).test_client().get("/")
    text = page.get_data(as_text=True)
    assert 'class="queued"' in text
    assert 'class="missing"' not in text
    world.end()
