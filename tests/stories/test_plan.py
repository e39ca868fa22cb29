"""What `ingest plan` prints before a single call was made, for a home, a few houses and a fleet."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest.config import load
from ingest.plan.state import SystemRow
from ingest.store import progress
from ingest.store.database import Store
from tests.stories.program import Program

KEYS = {"key": "key-of-the-application", "client_id": "client", "client_secret": "secret-of-the-application"}


def planned(folder: Path, plan: Any, systems: int, listed: int = 0, version: str = "v4") -> Program:
    """An installation that has asked nothing yet; `listed` systems are known, as after the first call."""
    entries: dict[str, Any] = {"systems": [{"id": 1000 + number} for number in range(systems)]} if systems else {}
    if version == "v2":
        entries["accounts"] = {"home": {"enlighten_id": 247}}
    program = Program(folder, api={**KEYS, "plan": plan, "version": version}, **entries)
    if listed:
        store = Store(program.state)
        with store.transaction() as db:
            for number in range(listed):
                progress.save_system(db, SystemRow(str(number), "home", f"House {number}", "Europe/Berlin"))
        store.close()
    return program


def test_a_home_on_the_free_plan_is_polled_to_the_last_day_and_told_what_would_carry_its_wish(tmp_path: Path) -> None:
    program = planned(tmp_path, "watt", 1)
    found = program.json("plan")
    assert found["planned"] == pytest.approx(900, abs=1)
    assert (found["reserve"], found["share"], found["money"], found["cost"]) == (100, 180, 0, 0)
    text = program.run("plan").out
    assert "Kilowatt would carry it, for USD 249 a month" in text
    assert text.index("Free: every") < text.index("Kilowatt would carry it")
    assert found["levers"][0]["by_day"] < min(line["by_day"] for line in found["lines"] if line["every"] == 900)
    for line in found["lines"]:
        assert f" {line['stream']} " in text
    assert "History still needs" in text


def test_ten_houses_share_a_larger_plan_and_each_stream_is_one_line(tmp_path: Path) -> None:
    program = planned(tmp_path, "kilowatt", 10)
    found = program.json("plan")
    assert found["planned"] == pytest.approx(45_000, rel=0.01)
    assert "Megawatt would carry it" in found["advice"]
    lines = program.run("plan").out.splitlines()
    assert len([line for line in lines if line.startswith(" stats ")]) == 1


@pytest.mark.parametrize(("plan", "cost"), [("partner", False), ({"per_minute": 300, "per_month": 1_500_000}, True)])
def test_a_fleet_stays_within_the_free_calls_unless_it_is_told_to_pay(plan: Any, cost: bool, tmp_path: Path) -> None:  # noqa: FBT001
    program = planned(tmp_path, plan, 0, listed=5000)
    found = program.json("plan")
    assert (found["planned"] <= 9001) is not cost
    assert (found["cost"] > 0) is cost
    assert found["cost"] == pytest.approx(max(0, found["planned"] - 10_000) * 0.005)
    text = program.run("plan").out
    assert ("Live polling costs USD" in text) is cost
    assert "As wished it would cost USD" in text
    assert "5,000" in text


def test_history_has_a_price_in_calls_days_and_money(tmp_path: Path) -> None:
    dear = planned(tmp_path / "fleet", "partner", 0, listed=20).json("backfill", "--since", "2y", "--dry-run")
    home = planned(tmp_path / "home", "watt", 1).json("backfill", "--since", "2y", "--dry-run")
    assert 930 <= home["calls"] <= 945
    assert home["money"] == 0
    assert dear["calls"] == pytest.approx(20 * home["calls"], rel=0.02)
    assert dear["money"] == pytest.approx((dear["calls"] - dear["this_month"]) * 0.005)
    assert dear["done_at"] > home["done_at"]


@pytest.mark.parametrize("systems", [1, 5])
def test_what_it_says_to_write_is_a_valid_configuration(systems: int, tmp_path: Path) -> None:
    program = planned(tmp_path, "watt", systems)
    written = re.findall(r"`(\w+: [^`]+)`", program.run("plan").out)
    assert written
    whole = json.loads(program.config.read_text())
    for text in written:
        ((section, change),) = yaml.safe_load(text).items()
        program.config.write_text(json.dumps(whole | {section: whole.get(section, {}) | change}))
        load(program.config, {})


@pytest.mark.parametrize("version", ["v4", "v2"])
def test_history_that_leaves_the_cloud_before_it_is_read_is_told_and_what_fits(version: str, tmp_path: Path) -> None:
    program = planned(tmp_path, "watt", 5, version=version)
    found = program.json("backfill", "--since", "2y", "--dry-run")
    assert 0 < found["too_late"] < found["calls"]
    text = program.run("backfill", "--since", "2y", "--dry-run").out
    fits = re.search(r"will have left the cloud before it is read.*`--since (\d{4}-\d\d-\d\d)`", text)
    assert fits, text
    assert program.json("backfill", "--since", fits[1], "--dry-run")["too_late"] == 0
    home = planned(tmp_path / "home", "watt", 1, version=version)
    assert "left the cloud" not in home.run("backfill", "--since", "1y", "--dry-run").out


@pytest.mark.parametrize(("version", "stream", "told"), [("v2", "consumption", False), ("v2", "rgm_stats", True)])
def test_nothing_leaves_the_cloud_by_our_word_alone(version: str, stream: str, told: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """How far back v2 has productions is documented; of consumption nothing is."""
    found = planned(tmp_path, "watt", 30, version=version).json(
        "backfill", "--since", "2y", "--stream", stream, "--dry-run"
    )
    assert found["this_month"] < found["calls"] > 400
    assert (found["too_late"] > 0) is told


def test_what_is_asked_for_is_listed_and_taken_back(tmp_path: Path) -> None:
    program = planned(tmp_path, "watt", 1, listed=1)
    assert "No history is asked for" in program.run("backfill", "--list").out
    assert "No service is running" in program.run("backfill", "--since", "1y").out
    program.run("backfill", "--since", "2y", "--stream", "consumption")
    first, second = program.json("backfill", "--list")
    assert (first["streams"], second["streams"]) == (["consumption", "rgm_stats", "stats"], ["consumption"])
    assert 365 + 2 * 52 <= first["calls"] <= 367 + 2 * 53
    text = program.run("backfill", "--list").out
    assert f" {first['id']} " in text
    assert "No service is running" in text
    assert "one of 2 requests" in program.run("backfill", "--cancel", code=2).err
    assert "no such request" in program.run("backfill", "--cancel", "77", code=2).err
    assert f"Request {first['id']} is taken back" in program.run("backfill", "--cancel", str(first["id"])).out
    assert f"Request {second['id']} is taken back" in program.run("backfill", "--cancel").out
    assert program.json("backfill", "--list") == []
    assert "--since" in program.run("backfill", code=2).err


def test_what_cannot_be_asked_for_is_said(tmp_path: Path) -> None:
    program = planned(tmp_path, "watt", 1)
    assert "yesterday" in program.run("backfill", "--since", "yesterday", "--dry-run", code=2).err
    assert "no system 7" in program.run("backfill", "--since", "1y", "--system", "7", "--dry-run", code=2).sentence
    snapshot = ("backfill", "--since", "1y", "--stream", "production_meter_readings", "--dry-run")
    assert "has no history" in program.run(*snapshot, code=1).sentence


def test_before_any_system_is_known_one_with_all_streams_is_assumed(tmp_path: Path) -> None:
    program = planned(tmp_path, "watt", 0)
    found = program.json("plan")
    assert found["assumed_one_system"] is True
    assert {"stats", "rgm_stats", "consumption", "production_meter_readings"} <= {at["stream"] for at in found["lines"]}
    text = program.run("plan").out
    assert "this is for one system with all streams" in text
    assert "History still needs" in text


def test_what_is_simulated_costs_nothing(tmp_path: Path) -> None:
    program = Program(tmp_path, api={"base_url": "simulator", "plan": {"per_minute": 300, "per_month": 300_000}})
    assert "USD" not in program.run("plan").out
