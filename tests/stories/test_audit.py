"""Daily totals: charts of years from the first minute, and days read again until they agree with the vendor."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingest.core.http import Reply, Request
from ingest.simulator import Site
from ingest.simulator.users import enlighten_id
from ingest.store import daily_totals
from tests import lateness
from tests.stories.test_convergence import differences
from tests.world import DAY, HOUR, START, UNHURRIED, Time, World

HOUSE = Site(
    system_id=42,
    name="House",
    timezone="US/Pacific",
    latitude=37.0,
    longitude=-122.0,
    size_w=6000,
    modules=20,
    operational_at=START - 40 * DAY,
)
HOME = ZoneInfo("US/Pacific")
BERLIN = {"timezone": "Europe/Berlin", "latitude": 52.0, "longitude": 13.0}


def at(day: date, zone: str) -> int:
    """The local midnight that begins a day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp())


def vendor(world: World, site: Site, kind: str, until: date | None = None) -> dict[int, float]:
    """The simulated vendor's final totals by local midnight."""
    days = world.cloud.daily(site.system_id, kind, until)
    return {at(day, site.timezone): float(wh) for day, wh in days.items()}


def held(world: World, measurement: str, field: str, system: int = 42) -> dict[int, float]:
    return {time: row[field] for time, row in world.rows(measurement, system).items() if field in row}


def monthly(days: dict[int, float], zone: str) -> dict[int, float]:
    sums: dict[int, float] = {}
    for time, wh in days.items():
        month = at(datetime.fromtimestamp(time, ZoneInfo(zone)).date().replace(day=1), zone)
        sums[month] = sums.get(month, 0.0) + wh
    return sums


def calls(world: World, what: str, since: float = 0) -> int:
    return sum(call.path.endswith(what) and call.at >= since for call in world.cloud.calls)


def lie(world: World, path: str, change: Callable[[dict[str, Any]], None]) -> None:
    """From now on the replies of a path are changed on their way."""
    honest = world.wire.send

    def send(request: Request) -> Reply:
        reply = honest(request)
        if request.url.endswith(path) and reply.status == 200:
            body = json.loads(reply.body)
            change(body)
            reply = replace(reply, body=json.dumps(body).encode())
        return reply

    world.wire.send = send  # type: ignore[method-assign]


@pytest.mark.parametrize("version", ["v4", "v2"])
def test_a_new_installation_shows_every_day_of_the_systems_life_within_a_minute(version: str, tmp_path: Path) -> None:
    site = replace(HOUSE, operational_at=START - 2 * 365 * DAY)
    changes: dict[str, Any] = {}
    if version == "v2":
        changes = {"api": {"version": "v2"}, "accounts": {"home": {"enlighten_id": enlighten_id("owner")}}}
    world = World(tmp_path, [site], **changes)
    world.run(60)
    made = vendor(world, site, "production")
    assert len(made) == 2 * 365
    assert made == held(world, "energy_daily", "produced_wh")
    assert vendor(world, site, "consumption") == held(world, "energy_daily", "consumed_wh")
    assert monthly(made, HOME.key) == held(world, "energy_monthly", "produced_wh")
    written = [key for key in world.database.rows if key[0] == "energy_daily"]
    assert len(written) == len(made)
    paths = [call.path.rpartition("/")[2] for call in world.cloud.calls]
    assert sorted(paths[1:6])[-4:] == sorted(paths[1:6])[1:]
    assert {"energy_lifetime", "consumption_lifetime"} <= set(paths[:6])


def test_every_system_gets_its_charts_in_turn(tmp_path: Path) -> None:
    sites = [replace(HOUSE, system_id=number) for number in (1, 2)]
    world = World(tmp_path, sites)
    world.run(90)
    paths = [call.path for call in world.cloud.calls][1:11]
    assert {path.split("/")[4] for path in paths[:5]} == {"1"}
    assert {path.split("/")[4] for path in paths[5:]} == {"2"}


@pytest.mark.each_value
@pytest.mark.parametrize(
    "site",
    [
        HOUSE,
        replace(HOUSE, **BERLIN),  # type: ignore[arg-type]
        replace(HOUSE, meter=False, night_rows=False),
        replace(HOUSE, meter_since=START - 20 * DAY),
        replace(HOUSE, consumption_meter=False),
    ],
    ids=["pacific", "berlin", "no meter", "meter added", "no consumption"],
)
@pytest.mark.parametrize("version", ["v4", "v2"])
def test_days_and_months_are_the_vendors_also_when_they_have_23_or_25_hours(
    version: str, site: Site, tmp_path: Path
) -> None:
    change = date(2026, 10, 25) if "Berlin" in site.timezone else date(2026, 11, 1)
    start = at(change, "UTC") - 2 * DAY
    moved = site.meter_since and start - 20 * DAY
    site = replace(site, operational_at=start - 100 * DAY, meter_since=moved)
    changes: dict[str, Any] = {"api": {"version": version, "plan": UNHURRIED}}
    if version == "v2":
        changes["accounts"] = {"home": {"enlighten_id": enlighten_id("owner")}}
    world = World(tmp_path, [site], time=Time(start), **changes)
    world.run(8 * DAY)
    last = datetime.fromtimestamp(max(world.rows("energy_daily", 42)), ZoneInfo(site.timezone)).date()
    assert change + timedelta(days=4) <= last <= change + timedelta(days=5)
    made = vendor(world, site, "production", last)
    assert made == held(world, "energy_daily", "produced_wh")
    assert monthly(made, site.timezone) == held(world, "energy_monthly", "produced_wh")
    used = vendor(world, site, "consumption", last) if site.consumption_meter else {}
    assert used == held(world, "energy_daily", "consumed_wh")
    assert monthly(used, site.timezone) == held(world, "energy_monthly", "consumed_wh")
    check_self_consumption(world, site, start)
    assert daily_totals.differences(world.store.db) == []


def check_self_consumption(world: World, site: Site, start: int) -> None:
    """Every ended day since the beginning has it, where consumption is measured, and it is the sum of the quarters."""
    found = held(world, "energy_daily", "self_consumed_wh")
    quarters = held(world, "energy", "self_consumed_wh")
    last = world.time.true - 1.5 * DAY
    days = [time for time in vendor(world, site, "production") if start - 6 * DAY < time < last]
    assert len(days) >= 11
    for day in days if site.consumption_meter else []:
        end = at(datetime.fromtimestamp(day, ZoneInfo(site.timezone)).date() + timedelta(days=1), site.timezone)
        assert found[day] == sum(wh for time, wh in quarters.items() if day <= time < end)
    assert site.consumption_meter or not found


def test_a_day_revealed_in_two_portions_is_found_and_read_again(tmp_path: Path) -> None:
    dark = START + 2 * DAY + 17 * HOUR
    shown = [dark + 10 * DAY, dark + 12 * DAY + 5 * HOUR]
    hidden = ((dark, dark + 2 * HOUR, shown[0]), (dark + 2 * HOUR, dark + 4 * HOUR, shown[1]))
    site = replace(HOUSE, hidden=hidden)
    world = World(tmp_path, [site])
    world.run(shown[0] - START - HOUR)
    assert len(differences(world, site, dark, dark + 4 * HOUR)) > 40
    world.run(2 * DAY + HOUR)
    assert differences(world, site, dark, dark + 2 * HOUR) == []
    world.time.true = max(world.time.true, shown[1])
    world.run(2 * DAY)
    assert differences(world, site, START - 4 * DAY, int(world.time.true) - DAY) == []
    made = vendor(world, site, "production", date(2026, 7, 10))
    assert {time: wh for time, wh in held(world, "energy_daily", "produced_wh").items() if time in made} == made


def test_a_trifle_revealed_late_is_found_too(tmp_path: Path) -> None:
    """A few Wh are less than the tolerance: it is the change of the total that tells."""
    noon = START + 2 * DAY + 14 * HOUR
    site = replace(HOUSE, hidden=((noon, noon + 900, noon + 14 * DAY),))
    world = World(tmp_path, [site], streams=lateness.SELDOM)
    world.run(noon + 14 * DAY - START - HOUR)
    assert differences(world, site, noon, noon + 900)
    world.run(2 * DAY + HOUR)
    assert differences(world, site, noon, noon + 900) == []


@pytest.mark.parametrize("seed", range(2 if os.environ.get("INGEST_LONG") else 1))
def test_whatever_comes_up_to_thirty_days_late_is_there_two_days_later(seed: int, tmp_path: Path) -> None:
    world = lateness.hiding_world(seed, tmp_path)
    found = lateness.delays(world)
    assert len(found) == 12
    assert max(found) <= 2 * DAY + HOUR
    assert daily_totals.differences(world.store.db) == []
    history = world.store.db.execute("SELECT count(*) FROM calls WHERE purpose = 'history'").fetchone()[0]
    assert history < 20 + 6 * len(found), "a few days read again cost little"


def test_a_day_that_never_agrees_is_read_twice_then_told_and_let_be(tmp_path: Path) -> None:
    world = World(tmp_path, [HOUSE])
    liar = date(2026, 6, 28)

    def add(body: dict[str, Any]) -> None:
        index = (liar - date.fromisoformat(body["start_date"])).days
        body["meter_production"][index] += 5000

    lie(world, "/energy_lifetime", add)
    world.run(12 * DAY)
    truth = float(world.cloud.daily(42, "rgm_stats")[liar])
    assert [
        (found.series, found.day, found.vendor_wh, found.held_wh) for found in daily_totals.differences(world.store.db)
    ] == [("meter_production", "2026-06-28", truth + 5000, truth)]
    begin = at(liar, "US/Pacific")
    asked = [call.at for call in world.cloud.calls if call.path.endswith("/energy_lifetime")]
    reads = [call for call in world.cloud.calls if call.path.endswith("/rgm_stats")]
    again = [
        after
        for after in asked[1:]
        for call in reads
        if after < call.at < after + 60 and int(call.params["start_at"]) <= begin
    ]
    assert asked[1:3] == again, "read again after the second and the third reply, then let be"


def test_what_agrees_costs_nothing(tmp_path: Path) -> None:
    """No day of a quiet month is read again because of the audit."""
    site = replace(HOUSE, late=0.3, partial=0.4, upload_every=6 * HOUR)
    plan = {"per_minute": 10, "per_month": 10_000}
    world = World(tmp_path, [site], api={"plan": plan})
    world.run(14 * DAY)
    assert world.store.db.execute("SELECT sum(reads) FROM totals").fetchone() == (0,)
    assert calls(world, "/energy_lifetime") == 14
    assert calls(world, "/consumption_lifetime") == 14


def test_a_sold_house_still_shows_its_whole_life(tmp_path: Path) -> None:
    site = replace(HOUSE, operational_at=START - 200 * DAY)
    world = World(tmp_path, [site], systems=[{"id": 42, "since": "2026-06-01", "until": "2026-06-20"}])
    world.run(3 * DAY)
    made = vendor(world, site, "production", date(2026, 6, 20))
    assert made == held(world, "energy_daily", "produced_wh")
    assert calls(world, "/energy_lifetime") == 1


def test_zeros_after_the_gateways_last_report_are_not_written(tmp_path: Path) -> None:
    away = START + 2 * DAY
    site = replace(HOUSE, offline=((away, away + 9 * DAY),))
    world = World(tmp_path, [site])
    world.run(8 * DAY)
    days = held(world, "energy_daily", "produced_wh")
    assert max(days) <= away
    assert 0.0 not in days.values()
    world.run(5 * DAY)
    today = datetime.fromtimestamp(world.time.true, HOME).date()
    assert vendor(world, site, "production", today - timedelta(days=1)) == held(world, "energy_daily", "produced_wh")
