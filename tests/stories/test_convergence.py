"""The crown: whatever goes wrong, once it is quiet the archive and the database equal the sun, within the plan."""

import os
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.simulator import Cloud, Faults, Site
from ingest.store import archive, backfills, daily_totals
from ingest.store.backfills import BackfillRequest
from tests.stories.odd_worlds import OddCloud, Rows, lose
from tests.stories.voices import check_all_is_well, check_export, check_page
from tests.world import DAY, HOUR, START, World, sun
from tests.worlds import V2

WORLDS, BATCHES = (400, 50) if os.environ.get("INGEST_LONG") else (2, 2)
QUIET = 12 * DAY
"""On a small plan the daily totals, which find what nobody else does, are asked once a week."""


def random_site(rng: random.Random, number: int) -> Site:
    zone, latitude, longitude = rng.choice(
        [("US/Pacific", 37.0, -122.0), ("Europe/Berlin", 52.0, 13.0), ("Australia/Sydney", -34.0, 151.0)]
    )
    away = START + rng.randrange(DAY, 6 * DAY)
    return Site(
        system_id=1000 + number,
        name=f"House {number}",
        timezone=zone,
        latitude=latitude,
        longitude=longitude,
        size_w=rng.randrange(2000, 12000),
        modules=rng.randrange(8, 40),
        operational_at=START - rng.choice([3, 40]) * DAY,
        meter=rng.random() < 0.7,
        consumption_meter=rng.random() < 0.8,
        upload_every=rng.choice([900, 900, 900, 6 * HOUR]),
        night_rows=rng.random() < 0.5,
        offline=((away, away + rng.randrange(HOUR, 3 * DAY)),) if rng.random() < 0.5 else (),
        late=rng.choice([0.0, 0.05, 0.3]),
        partial=rng.choice([0.0, 0.1, 0.4]),
        hidden=(random_secret(rng, longitude),) if rng.random() < 0.3 else (),
    )


def random_secret(rng: random.Random, longitude: float) -> tuple[int, int, int]:
    """Sunny hours that the cloud shows when they are too old to be looked at again: the audit has to find them.

    Zeros of the night change no total, so nobody could know that they are there.
    """
    noon = START + rng.randrange(3) * DAY + 12 * HOUR - int(longitude * DAY / 360)
    begin, end = noon - rng.randrange(900, 2 * HOUR, 900), noon + rng.randrange(900, 2 * HOUR, 900)
    return begin, end, end + rng.randrange(4 * DAY, 5 * DAY)


def random_faults(rng: random.Random) -> Faults:
    def rate(most: float) -> float:
        return rng.random() * most if rng.random() < 0.4 else 0.0

    return Faults(
        error_5xx=rate(0.3),
        html=rate(0.2),
        timeout=rate(0.2),
        cut_off=rate(0.1),
        not_json=rate(0.1),
        wrong_shape=rate(0.1),
        throttle=rate(0.1),
        token_5xx=rate(0.5),
        token_html=rate(0.3),
        token_lost=rate(0.3),
    )


def ask_for_history(world: World, since: int) -> None:
    with world.store.transaction() as db:
        backfills.ask(db, BackfillRequest(since), int(world.time.true))


def troubled(
    world: World, rng: random.Random, until: float, wish: tuple[float, int] | None, odd: OddCloud | None = None
) -> None:
    """Days in which anything may happen at any step; `wish` is for history: when it is made, and from when on."""
    dice = random.Random(until)
    while world.time.true < until:
        world.step(until)
        if odd and dice.random() < 0.001:
            lose(world.database, dice)
        if odd and dice.random() < 0.004:
            check_all_is_well(world, world.cloud.sites, START - 3 * DAY)
        if wish and world.time.true >= wish[0]:
            ask_for_history(world, wish[1])
            wish = None
        chance = rng.random()
        if chance < 0.004:
            world.crash()
        elif chance < 0.008:
            world.database.down = not world.database.down
        elif chance < 0.010:
            world.time.wrong_by = rng.choice([0, 0, 3600, -3600, 90, -3 * DAY, 40 * DAY])
        elif chance < 0.012:
            world.cloud.faults = random_faults(rng)
        elif chance < 0.013 and world.settings.api.version == "v4":
            world.spoil_token()


def within(calls: list[float], seconds: int, most: int) -> bool:
    """Whether no window of `seconds` holds more than `most` calls."""
    return all(at - calls[index - most] >= seconds for index, at in enumerate(calls) if index >= most)


def check_quota(cloud: Cloud, per_minute: int, per_month: int) -> None:
    counted = [call.at for call in cloud.calls if call.counted]
    assert within(counted, 60, per_minute), "more calls than the plan in a sliding minute"
    months: dict[tuple[int, int], int] = {}
    for at in counted:
        when = datetime.fromtimestamp(at, UTC)
        months[when.year, when.month] = months.get((when.year, when.month), 0) + 1
    assert max(months.values(), default=0) <= per_month, "more calls than the plan in a month"


def _truth(world: World, site: Site, since: int, until: int, odd: OddCloud | None) -> Rows:
    return odd.sun(site, since, until) if odd else sun(world.cloud, site, since, until)


def differences(world: World, site: Site, since: int, until: int, odd: OddCloud | None = None) -> list[str]:
    """What the database lacks or holds otherwise than the sun."""
    found = []
    for key, fields in _truth(world, site, since, until, odd).items():
        held = world.database.rows.get(key)
        if held is None:
            found.append(f"missing {key}")
        elif any(abs(held.get(name, -1e9) - value) > 1e-6 for name, value in fields.items()):
            found.append(f"differs {key}: {held} not {fields}")
    return found


def extra(world: World, site: Site, since: int, until: int, odd: OddCloud | None = None) -> list[str]:
    """Intervals in the database that never were."""
    expected = _truth(world, site, since - DAY, until + DAY, odd)
    names = {"production_micro", "production_rgm", "production_rgm_channel", "consumption"}
    tag = ("system", str(site.system_id))
    return [
        f"never was {key}"
        for key in world.database.rows
        if key[0] in names and tag in key[1] and since < key[2] < until and key not in expected
    ]


def check_energy(world: World, site: Site, since: int, until: int, odd: OddCloud | None = None) -> None:
    """The derived measurement agrees with its inputs wherever they are complete: with the meter where it reported, else
    with the microinverters.
    """
    tag = (("system", str(site.system_id)),)
    truth = _truth(world, site, since, until, odd)
    for time in range(since - since % 900 + 900, until - 900, 900):
        used, row = truth.get(("consumption", tag, time)), truth.get(("production_rgm", tag, time))
        parts = [truth.get(("production_micro", tag, time + step)) for step in (0, 300, 600)]
        made: float | None = None
        if row and row["devices_reporting"]:
            made = row["energy_wh"]
        elif all(parts):
            made = sum(part["energy_wh"] for part in parts if part)
        held = world.database.rows.get(("energy", tag, time), {})
        assert held.get("produced_wh") == made, (site.system_id, time)
        assert held.get("consumed_wh") == (used["energy_wh"] if used else None), (site.system_id, time)
        if made is not None and used is not None:
            assert held["net_wh"] == made - used["energy_wh"]
            assert held["self_consumed_wh"] == min(made, used["energy_wh"])


def check_days(world: World, site: Site, since: int, until: int, odd: OddCloud | None = None) -> None:
    """The totals of whole days and months are the vendor's, and the audit has nothing to say but of days that can never
    be read.
    """
    at = odd.sites[site.system_id] if odd else None
    fields = {"production": "produced_wh"} | ({"consumption": "consumed_wh"} if site.consumption_meter else {})
    for kind, field in fields.items():
        days = {site.midnight(day): float(wh) for day, wh in world.cloud.daily(site.system_id, kind).items()}
        if kind == "production" and at and at.gone_at is not None:
            micro = world.cloud.daily(site.system_id, "stats")
            days |= {begin: float(wh) for day, wh in micro.items() if (begin := site.midnight(day)) >= at.gone_at}
        rows = world.rows("energy_daily", site.system_id)
        assert {begin for begin in rows if rows[begin]} <= {site.midnight(site.local_date(begin)) for begin in rows}
        for day in (day for day in days if since <= day < until - DAY):
            assert rows.get(day, {}).get(field) == days[day], (site.system_id, kind, day)
    found = daily_totals.differences(world.store.db, [str(site.system_id)])
    assert [each for each in found if not (at and at.is_doubtful(each.day))] == []


def check_sums(world: World, system: int) -> None:
    """A month equals the sum of its days, and says how many they are; no day used more of its own production than it
    had. The database holds what the archive does.
    """
    months: dict[str, dict[str, float]] = {}
    for row in world.rows("energy_daily", system).values():
        sums = months.setdefault(row["month"], {})
        for name, value in row.items():
            if name.endswith(("_wh", "_days")):
                sums[name] = sums.get(name, 0.0) + value
    held = {
        row["month"]: {name: value for name, value in row.items() if name.endswith(("_wh", "_days"))}
        for row in world.rows("energy_monthly", system).values()
    }
    assert held.keys() == months.keys()
    for month, sums in months.items():
        assert held[month] == pytest.approx(sums), month
    for row in world.rows("energy_daily", system).values():
        if {"produced_wh", "self_consumed_wh"} <= row.keys():
            assert row["self_consumed_wh"] <= row["produced_wh"] * 1.01 + 50, row
    assert archive.size(world.store.db) == len(world.database.rows)


def live_through(
    seed: int, folder: Path, days: tuple[int, int] = (6, 10), plan: Any = None, *, is_odd: bool = False
) -> World:
    """One random world: troubled days, then quiet; everything asserted."""
    rng = random.Random(seed)
    sites = [random_site(rng, number) for number in range(rng.choice([1, 1, 1, 2]))]
    plan = plan or rng.choice(["watt", "watt", "watt", {"per_minute": 5, "per_month": 1200}])
    dialect = V2 if is_odd and random.Random(f"dialect {seed}").random() < 0.4 else {}
    world = World(folder, sites, **dialect | {"api": dialect.get("api", {}) | {"plan": plan}, "cloud": {"seed": seed}})
    world.cloud.faults = random_faults(rng)
    until = START + rng.randrange(days[0], days[1] + 1) * DAY
    odd = OddCloud(world, sites, random.Random(f"odd {seed}"), until) if is_odd else None
    since = START - rng.choice([4, 4, 12]) * DAY
    troubled(world, rng, until, (START + rng.randrange(4 * DAY), since) if since < START - 7 * DAY else None, odd)
    world.cloud.faults = Faults()
    world.database.down = False
    world.time.wrong_by = 0.0
    for _ in range(QUIET // DAY):
        world.run(DAY)
        world.look()
        if odd:
            check_all_is_well(world, world.cloud.sites, since)
    for site in sites:
        began = max(since, site.operational_at)
        found = differences(world, site, began, until, odd)
        assert found == [], f"{site} {odd and odd.sites} {len(found)} {found[:3]}"
        found = extra(world, site, began, until, odd)
        assert found == [], f"{site} {odd and odd.sites} {len(found)} {found[:3]}"
        check_energy(world, site, began, until, odd)
        check_days(world, site, began, until, odd)
        check_sums(world, site.system_id)
        check_page(world, site)
    check_export(world)
    if odd:
        odd.check_accounted()
    check_quota(world.cloud, world.pipeline.plan.per_minute, world.pipeline.plan.per_month)
    assert archive.size(world.store.db) == len(world.database.rows), "archive and database differ"
    return world


@pytest.mark.parametrize("batch", range(BATCHES))
def test_after_any_trouble_archive_and_database_equal_the_sun(batch: int, tmp_path: Path) -> None:
    base = int(os.environ.get("INGEST_SEED", "0"))
    for number in range(batch, WORLDS, BATCHES):
        seed = base + number
        folder = tmp_path / str(seed)
        folder.mkdir()
        print(f"world of seed {seed}")
        live_through(seed, folder).end()


@pytest.mark.parametrize("seed", range(100) if os.environ.get("INGEST_LONG") else (5,))
def test_after_odd_data_too_and_every_odd_row_is_accounted_for(seed: int, tmp_path: Path) -> None:
    print(f"odd world of seed {seed}")
    live_through(seed, tmp_path, is_odd=True).end()


@pytest.mark.skipif(not os.environ.get("INGEST_LONG"), reason="five worlds of forty days: make test-long")
@pytest.mark.parametrize("seed", range(5))
def test_forty_days_of_trouble_on_the_free_plan(seed: int, tmp_path: Path) -> None:
    print(f"world of seed {seed}")
    live_through(seed, tmp_path, days=(40, 40), plan="watt").end()
