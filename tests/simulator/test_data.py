"""The simulated data agree with each other, and with themselves however they are asked for."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.simulator import Caller, Cloud, Site, demo_sites

NOW = int(datetime(2026, 4, 20, 21, 7, 30, tzinfo=UTC).timestamp())
UNLIMITED = (10**9, 10**9)
STREAMS = ("stats", "rgm_stats", "consumption")
ENERGY = {"stats": "enwh", "rgm_stats": "wh_del", "consumption": "enwh"}
HOUSE = Site(
    system_id=66,
    name="House",
    timezone="US/Pacific",
    latitude=37.8,
    longitude=-121.3,
    size_w=7600,
    modules=20,
    operational_at=int(datetime(2025, 10, 1, 15, 20, tzinfo=UTC).timestamp()),
)


class Clock:
    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def cloud_of(*sites: Site, now: float = NOW, **options: Any) -> Cloud:
    return Cloud(sites or (HOUSE,), clock=Clock(now), **{"plan": UNLIMITED, **options})


def midnight(site: Site, day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(site.timezone)).timestamp())


def local_day(site: Site, day: date) -> tuple[int, int]:
    return midnight(site, day), midnight(site, day + timedelta(days=1))


def test_power_is_twelve_times_the_energy_of_five_minutes() -> None:
    rows = cloud_of().truth(66, "stats", NOW - 86400, NOW)
    assert rows
    assert all(row["powr"] == 12 * row["enwh"] and row["end_at"] % 300 == 0 for row in rows)


def test_the_meter_is_about_one_percent_away_from_the_microinverters() -> None:
    cloud = cloud_of()
    micro = sum(row["enwh"] for row in cloud.truth(66, "stats", NOW - 7 * 86400, NOW))
    meter = sum(row["wh_del"] for row in cloud.truth(66, "rgm_stats", NOW - 7 * 86400, NOW))
    assert 0.98 < meter / micro < 0.995


def test_channels_add_up_to_the_meter_exactly_and_the_third_is_null() -> None:
    rows = cloud_of().truth(66, "rgm_stats", NOW - 86400, NOW)
    kinds = set()
    for row in rows:
        first, second, third = (channel["wh_del"] for channel in row["channels"])
        assert first + second == row["wh_del"]
        assert third is None
        kinds |= {type(first), type(second)}
    assert kinds == {int, float}


def test_channels_of_the_reply_add_up_to_its_aggregate() -> None:
    reply = Caller(cloud_of()).json("/66/rgm_stats", start_at=NOW - 86400, end_at=NOW)
    sums: dict[int, float] = {}
    for row in reply["meter_intervals"][0]["intervals"]:
        sums[row["end_at"]] = sums.get(row["end_at"], 0) + (row["wh_del"] or 0)
    assert {row["end_at"]: row["wh_del"] for row in reply["intervals"]} == sums


def test_the_odometer_grows_by_what_the_meter_measured() -> None:
    cloud = cloud_of()
    before = cloud.odometer(66, NOW - 40 * 86400)
    after = cloud.odometer(66, NOW)
    assert before is not None
    assert after is not None
    between = cloud.truth(66, "rgm_stats", before[0], after[0])
    assert sum(row["wh_del"] for row in between) == after[1] - before[1]
    assert 0 <= NOW - after[0] < 1800


def test_the_odometer_starts_at_zero_and_does_not_exist_before() -> None:
    cloud = cloud_of()
    first = cloud.odometer(66, HOUSE.operational_at + 3600)
    everything = cloud.truth(66, "rgm_stats", 0, NOW - 86400)
    late = cloud.odometer(66, NOW - 86400 + 1800)
    assert first is not None
    assert first[1] <= 3600
    assert late is not None
    more = sum(row["wh_del"] for row in cloud.truth(66, "rgm_stats", NOW - 86400, late[0]))
    assert late[1] == sum(row["wh_del"] for row in everything) + more
    assert cloud.odometer(66, HOUSE.operational_at - 1) is None
    assert Caller(cloud).json("/66/production_meter_readings", end_at=HOUSE.operational_at - 1)["meter_readings"] == []


@pytest.mark.parametrize("zone", ["US/Pacific", "Europe/Berlin", "Australia/Sydney", "Australia/Lord_Howe"])
def test_daily_totals_are_the_sums_of_local_days_also_when_the_clocks_change(zone: str) -> None:
    site = replace(HOUSE, timezone=zone)
    cloud = cloud_of(site)
    energy = Caller(cloud).json("/66/energy_lifetime", production="all")
    used = Caller(cloud).json("/66/consumption_lifetime")
    assert energy["start_date"] == used["start_date"] == "2025-10-01" or zone.startswith("Australia")
    lengths = set()
    for index in range(len(used["consumption"])):
        start, end = local_day(site, date.fromisoformat(energy["start_date"]) + timedelta(days=index))
        lengths.add((end - start) // 900)
        totals = {s: sum(r[ENERGY[s]] for r in cloud.truth(66, s, start, end)) for s in STREAMS}
        assert energy["micro_production"][index] == totals["stats"]
        assert energy["meter_production"][index] == totals["rgm_stats"]
        assert used["consumption"][index] == totals["consumption"]
    assert lengths == ({94, 96, 98} if zone.endswith("Howe") else {92, 96, 100})


def test_merged_production_is_micro_on_the_first_part_day_and_meter_after() -> None:
    reply = Caller(cloud_of()).json("/66/energy_lifetime", production="all")
    assert reply["meter_start_date"] == "2025-10-02"
    assert reply["production"][0] == reply["micro_production"][0]
    assert reply["production"][1:] == reply["meter_production"][1:]
    assert len(reply["production"]) == (date(2026, 4, 20) - date(2025, 10, 1)).days


def test_a_meter_added_later_is_merged_from_its_first_full_day() -> None:
    site = replace(HOUSE, meter_since=HOUSE.operational_at + 30 * 86400)
    reply = Caller(cloud_of(site)).json("/66/energy_lifetime", production="all")
    first = (date.fromisoformat(reply["meter_start_date"]) - date.fromisoformat(reply["start_date"])).days
    assert first == 31
    assert reply["production"][:first] == reply["micro_production"][:first]
    assert not any(reply["meter_production"][: first - 1])
    assert reply["meter_production"][first - 1]


def test_the_summary_is_the_sum_of_the_days() -> None:
    cloud = cloud_of()
    summary = Caller(cloud).json("/66/summary", summary_date="2026-03-01")
    days = cloud.daily(66, "production")
    assert summary["energy_today"] == days[date(2026, 3, 1)]
    assert summary["energy_lifetime"] == sum(wh for day, wh in days.items() if day < date(2026, 3, 1))


def test_daily_truth_knows_the_names_of_the_reply() -> None:
    cloud = cloud_of()
    assert cloud.daily(66, "micro_production") == cloud.daily(66, "stats")
    assert cloud.daily(66, "meter_production") == cloud.daily(66, "rgm_stats")


def cuts() -> st.SearchStrategy[list[int]]:
    begin = NOW - 3 * 86400
    return st.lists(st.integers(begin, NOW), max_size=6).map(lambda at: [begin, *sorted(at), NOW])


@settings(max_examples=25, deadline=None)
@given(cuts(), st.sampled_from(STREAMS), st.sampled_from([0.0, 0.3]))
def test_any_split_of_a_window_gives_the_same_rows(at: list[int], stream: str, late: float) -> None:
    cloud = cloud_of(replace(HOUSE, late=late, partial=late))
    pieces = [row for a, b in pairwise(at) for row in cloud.visible(66, stream, a, b, NOW)]
    assert pieces == cloud.visible(66, stream, at[0], at[-1], NOW)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 3 * 365), st.sampled_from(STREAMS))
def test_a_new_process_with_the_same_seed_has_the_same_data(days: int, stream: str) -> None:
    start = HOUSE.operational_at + days * 86400
    assert cloud_of().truth(66, stream, start, start + 86400) == cloud_of().truth(66, stream, start, start + 86400)


def test_another_seed_is_another_sky() -> None:
    window = (NOW - 86400, NOW)
    assert cloud_of(seed=1).truth(66, "stats", *window) != cloud_of(seed=2).truth(66, "stats", *window)


def test_the_sun_shines_at_noon_and_more_in_summer_and_clouds_vary() -> None:
    cloud = cloud_of(now=NOW + 200 * 86400)
    days = cloud.daily(66, "stats", date(2026, 8, 31))
    june = [wh for day, wh in days.items() if day.month == 6]
    december = [wh for day, wh in days.items() if day.month == 12]
    assert 2 < sum(june) / 30 / (sum(december) / 31) < 7
    assert max(june) > 1.2 * min(june)
    best = max(cloud.truth(66, "stats", *local_day(HOUSE, date(2026, 6, 20))), key=lambda row: row["powr"])
    assert 10 <= datetime.fromtimestamp(best["end_at"], ZoneInfo("US/Pacific")).hour <= 15
    assert best["powr"] <= HOUSE.size_w


def test_the_household_has_a_base_load_and_an_evening() -> None:
    rows = cloud_of().truth(66, "consumption", NOW - 60 * 86400, NOW)
    by_hour: dict[int, list[int]] = {}
    for row in rows:
        by_hour.setdefault(datetime.fromtimestamp(row["end_at"] - 1, ZoneInfo("US/Pacific")).hour, []).append(
            row["enwh"]
        )
    mean = {hour: sum(all_) / len(all_) for hour, all_ in by_hour.items()}
    assert min(row["enwh"] for row in rows) > 10
    assert mean[19] > 2 * mean[3]
    assert mean[7] > 1.3 * mean[3]


def test_nights_may_have_no_rows() -> None:
    rows = cloud_of(replace(HOUSE, night_rows=False)).truth(66, "stats", NOW - 86400, NOW)
    assert 100 < len(rows) < 200
    assert all(row["enwh"] for row in rows)
    assert len(cloud_of().truth(66, "stats", NOW - 86400, NOW)) == 288


def test_nothing_is_before_the_start_or_after_the_end_of_a_system() -> None:
    site = replace(HOUSE, ended_at=NOW - 86400)
    cloud = cloud_of(site)
    for stream in STREAMS:
        ends = [row["end_at"] for row in cloud.truth(66, stream, 0, NOW)]
        assert HOUSE.operational_at < min(ends) <= HOUSE.operational_at + 1800
        assert max(ends) <= NOW - 86400
    assert cloud.last_report_at(66, NOW) == NOW - 86400


def test_demo_systems_are_spread_over_the_day_and_tell_stories() -> None:
    sites = demo_sites(NOW, systems=6, days=14)
    cloud = cloud_of(*sites)
    assert len({site.system_id for site in sites}) == 6
    assert {"US/Mountain", "Europe/Berlin", "Australia/Sydney"} == {site.timezone for site in sites}
    assert any(site.late for site in sites)
    assert any(NOW - 7 * 86400 < start < end < NOW for site in sites for start, end in site.offline)
    lifetime = Caller(cloud).json(f"/{sites[0].system_id}/energy_lifetime")["production"]
    assert len(lifetime) == 730
    too_old = Caller(cloud).get(f"/{sites[0].system_id}/telemetry/production_micro", start_at=NOW - 20 * 86400)
    assert too_old.status == 422
    assert b"first_interval" in too_old.body


@pytest.mark.parametrize("month", range(1, 13))
def test_the_sun_always_shines_on_one_of_the_demo_systems(month: int) -> None:
    start = int(datetime(2026, month, 21, tzinfo=UTC).timestamp())
    sites = demo_sites(start)
    cloud = cloud_of(*sites)
    shining: set[int] = set()
    for site in sites:
        rows = cloud.truth(site.system_id, "stats", start - 86400, start)
        shining |= {row["end_at"] for row in rows if row["enwh"]}
    assert len(shining) == 288
