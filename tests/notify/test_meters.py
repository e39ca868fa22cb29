"""Energies that only grow."""

import random
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from ingest.core.days import zone
from ingest.notify.meters import OPEN_DAYS, Meter, advance, read
from tests.world import START, World
from tests.worlds import SITE

DAY = date(2026, 7, 1)


def days(*wh: float, until: date = DAY) -> dict[date, float]:
    return {until - timedelta(days=len(wh) - 1 - index): value for index, value in enumerate(wh)}


def test_it_begins_with_the_whole_life_and_grows_with_the_day() -> None:
    meter = advance(None, days(10_000, 20_000, 5_000), DAY)
    assert (meter.total, meter.today) == (35_000, 5_000)
    meter = advance(meter, days(10_000, 20_000, 7_500), DAY)
    assert (meter.total, meter.today) == (37_500, 7_500)


def test_today_begins_at_zero_at_midnight_and_the_total_goes_on() -> None:
    meter = advance(None, days(20_000, 5_000), DAY)
    meter = advance(meter, days(20_000, 5_000), DAY + timedelta(days=1))
    assert (meter.total, meter.today) == (25_000, 0)


def test_history_that_is_read_later_makes_it_no_jump() -> None:
    meter = advance(None, days(20_000, 5_000), DAY)
    assert advance(meter, days(9_000, 9_000, 9_000, 20_000, 5_000), DAY).total == 25_000


def test_yesterday_may_still_be_completed() -> None:
    meter = advance(None, days(20_000, 5_000), DAY)
    assert advance(meter, days(22_000, 5_000), DAY).total == 27_000


def test_a_correction_downwards_makes_it_stand_still() -> None:
    meter = advance(None, days(20_000, 5_000), DAY)
    meter = advance(meter, days(20_000, 4_000), DAY)
    assert (meter.total, meter.today) == (25_000, 5_000)
    meter = advance(meter, days(20_000, 5_500), DAY)
    assert (meter.total, meter.today) == (25_500, 5_500)


def test_it_never_goes_back_whatever_is_revised_and_old_days_are_folded_without_a_step() -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    held: dict[date, float] = {DAY - timedelta(days=back): 10_000.0 for back in range(40)}
    meter, today = advance(None, held, DAY), DAY
    for _ in range(3000):
        if chance.random() < 0.05:
            today += timedelta(days=1)
        some = today - timedelta(days=chance.randrange(10))
        held[some] = max(0.0, held.get(some, 0.0) + chance.uniform(-500, 900))
        before, meter = meter, advance(meter, held, today)
        assert meter.total >= before.total
        assert meter.today >= (before.today if before.day == meter.day else 0.0)
    assert date.fromisoformat(meter.since) >= today - timedelta(days=OPEN_DAYS)


def test_folding_keeps_the_sum() -> None:
    meter = Meter(DAY.isoformat(), 1_000.0, 0.0, DAY.isoformat(), 0.0)
    later = DAY + timedelta(days=100)
    held = {DAY + timedelta(days=at): 100.0 for at in range(101)}
    assert advance(meter, held, later).total == 1_000.0 + 101 * 100.0


def test_it_begins_with_the_whole_life_however_early_it_is_looked_at(tmp_path: Path) -> None:
    house = replace(SITE, battery_wh=10_000)
    streams = ["stats", "rgm_stats", "consumption", "grid_import", "grid_export", "battery"]
    world = World(tmp_path, [house], systems=[{"id": house.system_id, "streams": streams}], api={"plan": "kilowatt"})
    history = world.cloud.history(house.system_id)
    first: dict[str, Meter] = {}
    for _ in range(200):
        world.step(world.time.true + 60)
        held = read(world.store.db, str(house.system_id), streams, first, zone(house.timezone), int(world.time.true))
        first |= {name: meter for name, meter in held.items() if name not in first}
    names = {"imported_wh": "import", "exported_wh": "export", "charged_wh": "charge", "discharged_wh": "discharge"}
    assert first.keys() == {"produced_wh", "consumed_wh", *names}
    for name, stream in names.items():
        assert first[name].total >= history.total(stream, house.operational_at, START - 2 * 86400), name
    world.end()
