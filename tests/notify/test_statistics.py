"""History handed over to Home Assistant."""

import csv
import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingest.cli import cli
from ingest.notify import statistics
from tests.world import DAY, START, World
from tests.worlds import SITE


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, str]]:
    world = World(tmp_path, [SITE])
    world.run(2 * DAY)
    world.end()
    words = ["--config", str(world.settings.config_path), "export", "--format", "statistics", "--since", "2026-06-01"]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(result.output.splitlines(), delimiter="\t"))


def test_the_file_is_what_the_import_takes(rows: list[dict[str, str]]) -> None:
    assert tuple(rows[0]) == statistics.COLUMNS
    for row in rows:
        assert re.fullmatch(r"[a-z0-9_]+:[a-z0-9_]+", row["statistic_id"])
        assert row["unit"] == "kWh"
        assert datetime.strptime(row["start"], "%d.%m.%Y %H:%M").minute == 0  # noqa: DTZ007 - UTC, as documented
        assert row["state"] == row["sum"]
    assert len({(row["statistic_id"], row["start"]) for row in rows}) == len(rows)


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
