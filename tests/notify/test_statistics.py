"""History handed over to Home Assistant."""

import csv
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingest.cli import cli
from ingest.core.derive import FLOWS
from ingest.notify import statistics
from ingest.simulator import Site
from tests.notify import statistics_rules as rules
from tests.world import DAY, START, World
from tests.worlds import SITE


def exported(folder: Path, site: Site) -> str:
    world = World(folder, [site])
    world.run(2 * DAY)
    world.end()
    words = ["--config", str(world.settings.config_path), "export", "--format", "statistics", "--since", "2026-06-01"]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(exported(tmp_path, SITE).splitlines(), delimiter="\t"))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Chatham"])
def test_the_file_is_what_the_import_takes(tmp_path: Path, zone: str) -> None:
    text = exported(tmp_path, replace(SITE, timezone=zone))
    assert rules.faults(text) == []
    found = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    assert tuple(found[0]) == statistics.COLUMNS
    assert {row["unit"] for row in found} == {"kWh"}
    assert all(row["state"] == row["sum"] for row in found)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("solar__4242:x\tkWh\t01.07.2026 10:00\t1.0\t1.0", "statistic_id"),
        ("recorder:x\tkWh\t01.07.2026 10:00\t1.0\t1.0", "statistic_id"),
        ("a:b\tkW\t01.07.2026 10:00\t1.0\t1.0", "unit"),
        ("a:b\tkWh\t01.07.2026 10:30\t1.0\t1.0", "top of an hour"),
        ("a:b\tkWh\t2026-07-01 10:00\t1.0\t1.0", "start"),
        ("a:b\tkWh\t01.07.2026 10:00\t1,0\t1.0", "state 1,0"),
    ],
)
def test_the_rules_notice_what_is_wrong(row: str, fault: str) -> None:
    (found,) = rules.faults("statistic_id\tunit\tstart\tstate\tsum\n" + row + "\n")
    assert fault in found


@pytest.mark.parametrize("system", ["4242", "@home", "a--b", "x_", "_", "Ä1"])
def test_every_system_has_a_name_that_home_assistant_takes(system: str) -> None:
    for field in FLOWS:
        assert rules.STATISTIC_ID.match(statistics.statistic_id(system, field))


def test_sums_only_grow_and_add_up_to_the_days(rows: list[dict[str, str]], tmp_path: Path) -> None:
    made = [row for row in rows if row["statistic_id"] == "enphase_ingest:solar_4242_produced"]
    times = [datetime.strptime(row["start"], "%d.%m.%Y %H:%M").replace(tzinfo=UTC) for row in made]
    assert all(earlier < later for earlier, later in pairwise(times))
    assert all(float(earlier["sum"]) <= float(later["sum"]) for earlier, later in pairwise(made))
    world = World(tmp_path, [SITE])
    days = world.rows("energy_daily", 4242)
    whole = sum(row["produced_wh"] for time, row in days.items() if START - 20 * DAY <= time < START - DAY)
    begin = next(float(row["sum"]) for row, at in zip(made, times, strict=True) if at.timestamp() >= START - 20 * DAY)
    end = [float(row["sum"]) for row, at in zip(made, times, strict=True) if at.timestamp() < START - DAY][-1]
    assert end - begin == pytest.approx(whole / 1000, rel=0.1)
    world.end()
