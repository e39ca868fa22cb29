"""Which streams are chosen where the owner leaves that to the program: what the devices have and the plan carries."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from ingest.core.units import DAY, MINUTE
from ingest.enphase import catalogue
from ingest.enphase.streams.base import Scope
from ingest.plan.budget import Rules, renewals
from ingest.plan.quota import Plan
from ingest.plan.stream_choice import Chosen, SystemsByKind, always_asked, choose

WATT, KILOWATT = Plan(10, 1_000), Plan(50, 50_000)
ALL = ("battery", "consumption", "micro", "production")


def systems(plan: Plan, *kinds: tuple[str, ...], version: str = "v4", **every: int) -> SystemsByKind:
    others = always_asked(Scope.EVERY_SYSTEM, len(kinds)) + always_asked(Scope.ACCOUNT, 1)
    rules = Rules(plan, renewals=renewals(1))
    return SystemsByKind(Counter(kinds), rules, {**catalogue.CADENCES, **every}, version, others)


def chosen(plan: Plan, *kinds: tuple[str, ...], **more: Any) -> Chosen:
    return choose(systems(plan, *kinds, **more))


def base(wanted: SystemsByKind) -> dict[str, int]:
    """The streams that were read before there was a choice."""
    names = [*catalogue.DEFAULTS, *(stream.name for stream in catalogue.totals_of(catalogue.DEFAULTS))]
    return {name: wanted.every[name] for name in names}


def test_one_home_with_a_battery_on_watt_has_all_series_daily_and_nothing_gets_staler() -> None:
    wanted = systems(WATT, ALL)
    found = choose(wanted)
    names = found.streams(ALL)
    assert {"grid_import", "grid_export", "battery", "inverters"} <= set(names)
    assert all(found.choices[name].every <= DAY for name in names)
    before, after = wanted.factors(base(wanted)), wanted.factors(dict(found.cadences))
    assert before.stretch > 1
    assert after.stretch <= before.stretch
    assert after.slow == before.slow == DAY
    assert found.cadences["rgm_stats"] == found.cadences["consumption"] == 15 * MINUTE
    assert found.cadences["stats"] == DAY, "the meter says the same"


def test_where_the_plan_has_room_everything_is_read_as_often_as_wished() -> None:
    found = chosen(KILOWATT, ALL)
    names = found.streams(ALL)
    assert {"battery", "grid_import", "storage_meter_readings", "events", "alarms"} <= set(names)
    assert {name: found.cadences[name] for name in names} == {name: catalogue.CADENCES[name] for name in names}


@pytest.mark.parametrize("kinds", [("consumption", "micro"), ("micro",), ALL, ("micro", "production")])
@pytest.mark.parametrize("count", [1, 3, 40])
@pytest.mark.parametrize("plan", [WATT, KILOWATT], ids=["watt", "kilowatt"])
def test_production_and_consumption_are_never_staler_than_without(
    plan: Plan, count: int, kinds: tuple[str, ...]
) -> None:
    wanted = systems(plan, *[kinds] * count)
    found = choose(wanted)
    before, after = wanted.factors(base(wanted)), wanted.factors(dict(found.cadences))
    assert after.stretch <= before.stretch * 1.0001
    assert after.slow <= before.slow
    is_metered = "production" in kinds
    assert "stats" not in found.slow(kinds) or is_metered or found.slow(kinds)["stats"] == 15 * MINUTE


def test_every_stream_has_a_reason_and_a_price() -> None:
    reasons = {name: choice.reason for name, choice in chosen(WATT, ("consumption", "micro")).choices.items()}
    assert set(reasons) == set(catalogue.CHOICES)
    assert all(reasons.values())
    assert reasons["battery"] == "no battery"
    assert reasons["latest"] == "off by default"
    assert reasons["events"] == "off by default on the plan Watt"
    assert "instead of every" in reasons["grid_export"]
    assert chosen(WATT, ("consumption", "micro")).choices["grid_export"].calls == pytest.approx(35, abs=1)
    latest = chosen(KILOWATT, ALL).choices["latest"]
    assert latest.calls == pytest.approx(365.25 / 12 * 96, rel=0.01), "once it is named: every 15 minutes"


def test_a_look_that_takes_several_calls_is_priced_with_all_of_them() -> None:
    wanted = systems(KILOWATT, ALL)
    many = replace(wanted, looks={"micros": 3.0, "inverters": 4.0})
    one, more = choose(wanted).choices, choose(many).choices
    assert more["micros"].calls == pytest.approx(3 * one["micros"].calls)
    assert more["inverters"].calls == pytest.approx(4 * one["inverters"].calls)
    assert more["battery"].calls == one["battery"].calls


def test_a_system_gets_what_its_own_devices_have() -> None:
    found = chosen(KILOWATT, ALL, ("micro",))
    assert "battery" in found.streams(ALL)
    assert found.streams(("micro",)) == ("stats", "inverters", "events", "alarms")


def test_until_its_devices_are_known_a_system_gets_what_is_read_by_default() -> None:
    assert chosen(WATT, ALL).streams(None) == catalogue.DEFAULTS
    assert "stats" not in chosen(WATT, ALL).slow(None)


def test_v2_gets_what_it_serves() -> None:
    assert set(chosen(KILOWATT, ALL, version="v2").streams(ALL)) == {*catalogue.DEFAULTS, "inverters"}
