"""A house with a battery and no meter of the grid: page, money, Home Assistant and summary agree on what was bought."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from ingest.core.days import date_at, midnight, zone
from ingest.notify import statistics, summary
from ingest.notify.meters import Meter, read
from ingest.report import build_report
from ingest.web import Source, create_app
from tests.world import BRISK, DAY, HOUR, World
from tests.worlds import HOME

SITE = replace(HOME, battery_wh=5_000)
STREAMS = ["stats", "rgm_stats", "consumption", "battery"]
TARIFF = {"from": "2025-01-01", "currency": "EUR", "import": 1.0, "export": 1.0}
LOCAL = zone(SITE.timezone)
SYSTEM = str(SITE.system_id)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    systems = [{"id": SITE.system_id, "streams": STREAMS}]
    made = World(tmp_path_factory.mktemp("grid"), [SITE], systems=systems, api={"plan": BRISK}, tariffs=[TARIFF])
    made.run(11 * HOUR)
    yield made
    made.end()


def today(world: World) -> date:
    return date_at(int(world.time.true), LOCAL)


def exchange(world: World, day: date) -> tuple[float, float]:
    """What was bought and sold on a local day (kWh), by the battery and the home's consumption of every interval."""
    begin, end = midnight(day, LOCAL), midnight(day + timedelta(days=1), LOCAL)
    rows = [row for at, row in world.rows("energy", SITE.system_id).items() if begin <= at < end]
    whole = [row for row in rows if {"produced_wh", "consumed_wh", "discharged_wh"} <= row.keys()]
    assert len(whole) > 20
    net = [row["produced_wh"] + row["discharged_wh"] - row["consumed_wh"] - row["charged_wh"] for row in whole]
    assert any(row["discharged_wh"] for row in whole)
    return -sum(wh for wh in net if wh < 0) / 1000, sum(wh for wh in net if wh > 0) / 1000


def meters(world: World, now: int, old: dict[str, Meter]) -> dict[str, Meter]:
    return read(world.store.db, SYSTEM, STREAMS, old, LOCAL, now)


def test_the_meters_of_home_assistant_count_what_the_page_shows(world: World) -> None:
    now = int(world.time.true)
    bought, sold = exchange(world, today(world))
    held = meters(world, now, {})
    assert (held["imported_wh"].today, held["exported_wh"].today) == pytest.approx((1000 * bought, 1000 * sold))
    client = create_app(Source(world.settings, world.store, lambda: now, lambda: now)).test_client()
    text = client.get(f"/?system={SYSTEM}").get_data(as_text=True)
    assert f"{bought:,.1f} <small>" in text[text.index("From the grid") :][:100]


def test_a_meter_grows_by_what_was_bought_however_seldom_it_is_looked_at(world: World) -> None:
    end = int(world.time.true)
    first = meters(world, end - 2 * DAY, {})
    often = first
    for now in range(end - 2 * DAY, end + 1, HOUR):
        often = meters(world, now, often)
    seldom = meters(world, end, first)
    assert often == pytest.approx(seldom)
    assert seldom["imported_wh"].total - first["imported_wh"].total >= 1000 * exchange(world, today(world))[0]
    later = meters(world, end + 45 * DAY, seldom)
    assert later["imported_wh"].total == pytest.approx(seldom["imported_wh"].total)
    assert later["imported_wh"].since == (today(world) + timedelta(days=15)).isoformat()


def test_money_and_summary_and_statistics_are_of_the_same_energy(world: World) -> None:
    yesterday = today(world) - timedelta(days=1)
    begin = midnight(yesterday, LOCAL)
    bought, sold = exchange(world, yesterday)
    row = world.rows("money_daily", SITE.system_id)[begin]
    assert (row["cost"], row["earned"]) == pytest.approx((bought, sold))
    made = build_report(world.settings, world.store.db, int(world.time.true))
    period = summary.Period(yesterday.isoformat(), yesterday, 1)
    lines = summary.lines(world.store.db, period, made.systems, made.systems, ["EUR"])
    assert f"Grid: {bought:,.1f} kWh bought, {sold:,.1f} kWh sold" in lines
    hours = [
        row.sum
        for row in statistics.rows(world.store.db, SYSTEM, LOCAL, begin, midnight(today(world), LOCAL))
        if row.statistic_id.endswith("_imported")
    ]
    assert hours[-1] == pytest.approx(bought, abs=0.001)
