"""Several systems that are one house: in archive, database, page, status and export the sum of what they measured."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ingest.cli import cli
from ingest.cli.context import Context
from ingest.core.span import Span
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams.base import SystemInfo
from ingest.enphase.streams.site import SUMMARY
from ingest.fetch.worker import Outcome
from ingest.report import build_report
from ingest.service.clock import Clock
from ingest.web import Source, create_app
from tests.world import DAY, HOUR, Time, World, settings
from tests.worlds import HOME

NOW = int(datetime(2026, 10, 27, 12, tzinfo=UTC).timestamp())
"""Two days after a day of 25 hours."""
BEGIN = NOW - 5 * DAY - 14 * HOUR
"""Midnight in Berlin, summer time."""
ODD = int(datetime(2026, 10, 24, 22, tzinfo=UTC).timestamp())
"""When the day of 25 hours begins."""
HOLE = (NOW - 3 * DAY, NOW - 3 * DAY + 2 * HOUR)
"""Noon of the day before: what the barn made then its gateway never told."""
BIG = {"per_minute": 300, "per_month": 300_000}
HOUSE = replace(HOME, operational_at=NOW - 40 * DAY)
BARN = replace(
    HOUSE, system_id=8001, name="Barn", size_w=3000, modules=8, meter=False, consumption_meter=False, night_rows=False,
    hidden=((*HOLE, NOW + 30 * DAY),), offline=((NOW - 3 * HOUR, NOW + DAY),),
)  # fmt: skip
RANCH: dict[str, Any] = {
    "api": {"plan": BIG},
    "systems": [{"id": site.system_id, "since": "5d"} for site in (HOUSE, BARN)],
    "homes": {"ranch": [HOUSE.system_id, BARN.system_id]},
    "tariffs": [{"from": "2025-01-01", "currency": "EUR", "import": 0.3, "export": 0.1, "standing": 0.96}],
    "web": {"listen": "127.0.0.1:0"},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("ranch"), [HOUSE, BARN], time=Time(NOW - DAY), **RANCH)
    made.run(DAY)
    yield made
    made.end()


def energies(made: World, site: Any, stream: str, grain: int, key: str) -> dict[int, float]:
    """Quarters of an hour by the truth of the simulator, where the cloud has all of them."""
    parts: dict[int, list[float]] = {}
    for row in made.cloud.truth(site.system_id, stream, BEGIN, NOW):
        at = row["end_at"] - grain
        if not any(first <= at < last for first, last, _ in site.hidden):
            parts.setdefault(at - at % 900, []).append(row[key])
    return {at: sum(values) for at, values in parts.items() if len(values) == 900 // grain}


def truth(made: World) -> dict[int, dict[str, float]]:
    """The home by the quarter of an hour, written without the program."""
    house = energies(made, HOUSE, "rgm_stats", 900, "wh_del")
    barn = energies(made, BARN, "stats", 300, "enwh")
    used = energies(made, HOUSE, "consumption", 900, "enwh")
    found: dict[int, dict[str, float]] = {at: {"consumed_wh": value} for at, value in used.items()}
    for at in house.keys() & barn.keys():
        both = house[at] + barn[at]
        found.setdefault(at, {})["produced_wh"] = both
        if at in used:
            found[at] |= {"self_consumed_wh": min(both, used[at]), "net_wh": both - used[at]}
    return found


def test_a_home_is_the_sum_of_its_systems_where_all_are_known(made: World) -> None:
    rows, expected = made.rows("energy", "ranch"), truth(made)
    until = NOW - 4 * HOUR
    known = {at: fields for at, fields in expected.items() if BEGIN <= at < until}
    assert sum("produced_wh" in fields for fields in known.values()) > 4 * 30
    for at in range(BEGIN, until, 900):
        assert rows.get(at, {}) == pytest.approx(known.get(at, {})), at
    assert not any("produced_wh" in rows.get(at, {}) for at in range(*HOLE, 900)), "what one lacks the sum lacks"
    sent = {key[2]: row for key, row in made.database.rows.items() if key[:2] == ("energy", (("system", "ranch"),))}
    assert sent == rows, "the database has the same"


def test_days_and_months_are_those_of_both(made: World) -> None:
    home, house, barn = (
        {row["date"]: row for row in made.rows("energy_daily", name).values()}
        for name in ("ranch", HOUSE.system_id, BARN.system_id)
    )
    odd = home["2026-10-25"]
    assert odd["produced_wh"] == pytest.approx(house["2026-10-25"]["produced_wh"] + barn["2026-10-25"]["produced_wh"])
    own = [fields for at, fields in truth(made).items() if ODD <= at < ODD + 25 * HOUR]
    used = energies(made, HOUSE, "consumption", 900, "enwh")
    whole = energies(made, HOUSE, "rgm_stats", 900, "wh_del")
    dark = energies(made, BARN, "stats", 300, "enwh")
    by_hand = sum(min(whole[at] + dark.get(at, 0.0), used[at]) for at in range(ODD, ODD + 25 * HOUR, 900))
    assert odd["self_consumed_wh"] == pytest.approx(by_hand)
    assert len(own) == 100
    assert "self_consumed_wh" not in home["2026-10-24"], "two hours of the barn are not known"
    month = {row["month"]: row for row in made.rows("energy_monthly", "ranch").values()}["2026-10"]
    known = [row["produced_wh"] for day, row in home.items() if day.startswith("2026-10") and "produced_wh" in row]
    assert month["produced_wh"] == pytest.approx(sum(known))
    assert month["produced_days"] == len(known) > 20


def test_one_house_pays_once(made: World) -> None:
    rows = made.rows("money", "ranch")
    until = NOW - 4 * HOUR
    for at, fields in truth(made).items():
        if "net_wh" in fields and BEGIN <= at < until:
            bought, sold = max(0.0, -fields["net_wh"]) / 1000, max(0.0, fields["net_wh"]) / 1000
            standing = 0.96 / (100 if ODD <= at < ODD + 25 * HOUR else 96)
            assert rows[at]["cost"] == pytest.approx(bought * 0.3 + standing)
            assert rows[at]["earned"] == pytest.approx(sold * 0.1)
            assert rows[at]["saved"] == pytest.approx(0.3 * (fields["consumed_wh"] / 1000 - bought))
    assert not made.rows("money", HOUSE.system_id), "its systems have no contract of their own"


def test_the_report_says_what_is_missing(made: World) -> None:
    found = build_report(made.settings, made.store.db, NOW)
    (home,) = found.homes
    assert home.members == (str(HOUSE.system_id), str(BARN.system_id))
    assert "is known of Barn, so no sum is" in home.lacking
    assert "Consumed is measured by House alone" in home.lacking
    made_today = [row["produced_wh"] for at, row in made.rows("energy", "ranch").items()
                  if at >= NOW - 13 * HOUR and "produced_wh" in row]  # fmt: skip
    assert home.today_wh == pytest.approx(sum(made_today))
    document = found.document()
    assert json.dumps(document["homes"][0]["members"]) == '["8000", "8001"]'
    assert [row["system"] for row in document["systems"]] == ["8000", "8001"]


def test_the_page_shows_the_home_first_and_each_system_on_its_own(made: World) -> None:
    client = create_app(Source(made.settings, made.store, lambda: NOW, lambda: NOW)).test_client()
    text = client.get("/").text
    assert "home of 2 systems" in text
    assert "Its systems" in text
    assert "A sum is of all that measure it" in text
    assert "Barn" in text
    day = "2026-10-25"
    held = next(row for row in made.rows("energy_daily", "ranch").values() if row["date"] == day)
    bars = json.loads(text.split('id="data">')[1].split("</script>")[0])["bars"]
    assert next(bar for bar in bars if bar[0] == day)[1] == round(held["produced_wh"])
    assert "home of 2 systems" in client.get("/systems").text
    assert "1 home, 2 systems" in client.get("/systems").text
    assert "What has been read" in client.get("/?system=8001").text
    table = list(csv.DictReader(io.StringIO(client.get(f"/day.csv?system=ranch&day={day}").text)))
    assert sum(float(row["produced_wh"] or 0) for row in table) == pytest.approx(
        sum(
            row.get("produced_wh", 0.0)
            for at, row in made.rows("energy", "ranch").items()
            if ODD <= at < ODD + 25 * HOUR
        )
    )


def test_export_and_status_know_it_by_its_name(made: World) -> None:
    def run(*words: str) -> str:
        context = Context(clock=Clock(lambda: NOW, lambda: NOW, lambda _: None))
        done = CliRunner().invoke(cli, ["--config", str(made.settings.config_path), *words], obj=context)
        assert done.exit_code == 0, done.output
        return done.stdout

    table = list(csv.DictReader(io.StringIO(run("export", "--format", "csv", "--system", "ranch", "--stream", "energy",
                                                "--local"))))  # fmt: skip
    daily = {row["date"]: row for row in made.rows("energy_daily", "ranch").values()}
    told = {row["date"]: float(row["produced_wh"]) for row in table
            if row["measurement"] == "energy_daily" and row["produced_wh"]}  # fmt: skip
    assert told == {day: pytest.approx(row["produced_wh"]) for day, row in daily.items() if "produced_wh" in row}
    assert all(row["time_local"].endswith(("+02:00", "+01:00")) for row in table)
    for words in (("status",), ("status", "--system", "ranch")):
        text = run(*words)
        assert "Home ranch" in text
        assert "8000 + 8001" in text
        assert "is known of Barn, so no sum is" in text
    assert "Home ranch" not in run("status", "--system", "8001")
    assert json.loads(run("status", "--json"))["homes"][0]["name"] == "ranch"
    assert json.loads(run("check", "--json"))["homes"] == {"ranch": ["8000", "8001"]}
    hourly = run("export", "--format", "statistics", "--system", "ranch").splitlines()
    assert hourly[1].startswith("enphase_ingest:solar_ranch_")


def test_a_home_that_is_no_more_leaves_nothing_behind(tmp_path: Path) -> None:
    made = World(tmp_path, [HOUSE, BARN], time=Time(NOW - 6 * HOUR), **RANCH)
    made.run(3 * HOUR)
    before = made.rows("energy", "ranch")
    assert before
    made.end()
    made.settings = settings(tmp_path, **{**RANCH, "homes": {}})
    made.begin()
    made.run(120)
    assert not made.rows("energy", "ranch")
    assert not [key for key in made.database.rows if ("system", "ranch") in key[1]]
    assert made.rows("money", HOUSE.system_id), "its systems have the contract again"
    made.end()
    made.settings = settings(tmp_path, **RANCH)
    made.begin()
    made.pipeline.tick()
    made.crash()  # between two of the steps in which history is summed up
    made.run(120)
    after = made.rows("energy", "ranch")
    assert before.items() <= after.items()
    made.end()


def test_systems_of_different_zones_are_no_home(tmp_path: Path) -> None:
    made = World(tmp_path, [HOUSE, replace(BARN, timezone="America/New_York", longitude=-74.0, latitude=40.0)],
                 time=Time(NOW - HOUR), **RANCH)  # fmt: skip
    made.run(HOUR)
    (problem,) = [at for at in build_report(made.settings, made.store.db, NOW).problems if at.kind == "home"]
    assert "8000 in Europe/Berlin, 8001 in America/New_York" in problem.sentence
    assert "under `homes:` in the configuration" in problem.remedy
    assert not made.rows("energy", "ranch")
    made.end()


def test_grid_and_battery_of_a_home_are_those_of_its_systems(tmp_path: Path) -> None:
    """What is bought and what is sold stand in one row, as do charge and discharge: none takes the other's place."""
    store = replace(HOUSE, battery_wh=10_000)
    shop = replace(HOUSE, system_id=8001, name="Shop", size_w=3000)
    streams = ["stats", "rgm_stats", "consumption", "grid_import", "grid_export"]
    systems = [
        {"id": HOUSE.system_id, "since": "1d", "streams": [*streams, "battery"]},
        {"id": 8001, "since": "1d", "streams": streams},
    ]
    tariffs = [{"from": "2025-01-01", "currency": "EUR", "import": 0.3, "export": 0.1}]
    changes: dict[str, Any] = {**RANCH, "systems": systems, "tariffs": tariffs}
    made = World(tmp_path, [store, shop], time=Time(NOW), **changes)
    made.run(HOUR)
    home, parts = made.rows("energy", "ranch"), [made.rows("energy", name) for name in ("8000", "8001")]
    money = made.rows("money", "ranch")
    times = sorted(home.keys() & parts[0].keys() & parts[1].keys())
    assert len(times) > 60
    bought = 0.0
    for at in times:
        for name in ("produced_wh", "consumed_wh", "imported_wh", "exported_wh", "charged_wh", "discharged_wh"):
            known = [row[at][name] for row in parts if name in row[at]]
            assert home[at].get(name) == (sum(known) if known else None), (name, at)
        assert home[at]["balance_wh"] == pytest.approx(sum(row[at]["balance_wh"] for row in parts))
        assert money[at]["cost"] == pytest.approx(0.3 * home[at]["imported_wh"] / 1000)
        bought += home[at]["imported_wh"]
    assert bought > 0
    assert sum(home[at]["charged_wh"] for at in times) > 0
    made.end()


def test_two_systems_that_are_told_of_in_the_same_second_are_both_heard(tmp_path: Path) -> None:
    made = World(tmp_path, [HOUSE, BARN], time=Time(NOW - 6 * HOUR), **RANCH)
    made.run(HOUR)
    for site, size in ((HOUSE, 7000.0), (BARN, 3500.0)):
        name = str(site.system_id)
        info = SystemInfo(name, site.name, "Europe/Berlin", None, fields={"size_w": size})
        task = Task("home", name, SUMMARY, Span(0, 0), Purpose.SNAPSHOT)
        made.pipeline.events.put(Outcome(task, 0, Verdict(Kind.OK, ""), systems=[info]))
    assert made.pipeline.record() == 2
    rows = made.rows("system_info", "ranch")
    assert rows[max(rows)]["size_w"] == 10_500
    made.end()
