"""A home with a battery and two meters: every stream equals the sun, and the parts belong together."""

from dataclasses import replace

import pytest

from tests.world import BRISK, DAY, HOUR, START, World
from tests.worlds import HOME

STREAMS = ["stats", "rgm_stats", "consumption", "grid_import", "grid_export", "battery"]
SNAPSHOTS = ["production_meter_readings", "consumption_meter_readings", "storage_meter_readings"]
SITE = replace(HOME, battery_wh=10_000)
DAYS = 5


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    systems = [{"id": SITE.system_id, "streams": [*STREAMS, *SNAPSHOTS, "production_meter"]}]
    made = World(tmp_path_factory.mktemp("battery"), [SITE], systems=systems, api={"plan": BRISK})
    made.run(DAYS * DAY + 12 * HOUR)
    return made


def test_the_archive_equals_the_sun(world: World) -> None:
    begin, end = START - 5 * DAY, START + (DAYS - 1) * DAY
    grid, battery = world.rows("grid", SITE.system_id), world.rows("battery", SITE.system_id)
    truth = {name: world.cloud.truth(SITE.system_id, name, begin, end) for name in ("import", "export", "charge")}
    assert all(len(rows) > 96 * DAYS for rows in truth.values())
    for came, went in zip(truth["import"], truth["export"], strict=True):
        assert grid[came["end_at"] - 900] == {"imported_wh": came["wh_imported"], "exported_wh": went["wh_exported"]}
    for row in truth["charge"]:
        expected = {"charged_wh": row["charge"]["enwh"], "discharged_wh": row["discharge"]["enwh"]}
        assert battery[row["end_at"] - 900] == expected | {"soc_percent": row["soc"]["percent"]}


def test_in_every_interval_what_comes_in_goes_out(world: World) -> None:
    rows = [row for row in world.rows("energy", SITE.system_id).values() if "balance_wh" in row]
    assert len(rows) > 96 * DAYS
    assert {row["balance_wh"] for row in rows} == {0.0}
    assert max(row["charged_wh"] for row in rows) > 0 < max(row["discharged_wh"] for row in rows)


def test_consumption_is_what_the_home_used_without_its_battery(world: World) -> None:
    history = world.cloud.history(SITE.system_id)
    rows = world.rows("energy", SITE.system_id)
    for time in range(START, START + (DAYS - 1) * DAY, 900):
        assert rows[time]["consumed_wh"] == history.used(time, time + 900)
        assert rows[time]["self_consumed_wh"] == rows[time]["produced_wh"] - rows[time]["exported_wh"]


def test_days_are_the_sums_of_their_intervals_and_reach_back_over_the_whole_life(world: World) -> None:
    days, rows = world.rows("energy_daily", SITE.system_id), world.rows("energy", SITE.system_id)
    names = ("produced_wh", "consumed_wh", "imported_wh", "exported_wh", "charged_wh", "discharged_wh")
    first = SITE.midnight(SITE.local_date(START - 2 * DAY))
    whole = [at for at in days if first <= at < START + (DAYS - 2) * DAY]
    assert len(whole) > DAYS - 2
    for at in whole:
        inside = [rows[time] for time in range(at, at + DAY, 900)]
        assert {name: days[at][name] for name in names} == {name: sum(row[name] for row in inside) for name in names}
    old = days[SITE.midnight(SITE.local_date(SITE.operational_at + 3 * DAY))]
    assert old.keys() >= {*names}
    came = old["produced_wh"] + old["imported_wh"] + old["discharged_wh"]
    assert came == pytest.approx(old["consumed_wh"] + old["exported_wh"] + old["charged_wh"])


def test_months_have_every_energy(world: World) -> None:
    months = world.rows("energy_monthly", SITE.system_id)
    names = {"produced_wh", "consumed_wh", "imported_wh", "exported_wh", "charged_wh", "discharged_wh"}
    assert all(month.keys() >= names for month in months.values())


def test_each_odometer_is_the_sum_of_what_its_meter_counted(world: World) -> None:
    history = world.cloud.history(SITE.system_id)
    stores = world.rows("storage_meter_reading", SITE.system_id)
    used = world.rows("consumption_meter_reading", SITE.system_id)
    assert len(stores) >= DAYS <= len(used)
    for at, row in stores.items():
        counted = [history.total(stream, SITE.operational_at, at) for stream in ("charge", "discharge")]
        assert counted == [row["reading_charged_wh"], row["reading_discharged_wh"]]
    for at, row in used.items():
        assert history.total("consumption", SITE.operational_at, at) == row["reading_wh"]


def test_the_meter_says_the_same_by_both_endpoints(world: World) -> None:
    one, other = (world.rows(name, SITE.system_id) for name in ("production_meter", "production_rgm"))
    settled = [at for at in one if at < START + DAYS * DAY]
    assert len(settled) > 96 * DAYS
    assert all(one[at]["energy_wh"] == other[at]["energy_wh"] for at in settled)


def test_nothing_is_doubted(world: World) -> None:
    assert world.store.db.execute("SELECT count(*) FROM totals WHERE held IS NOT NULL").fetchone() == (0,)
