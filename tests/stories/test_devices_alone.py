"""Each panel, battery and charger by itself: a window takes several calls, and is read when all of them are made."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.core.point import parse_series
from ingest.plan.demand import demands
from ingest.simulator import Site
from ingest.simulator.panels import intervals
from ingest.store import archive
from tests.world import DAY, HOUR, START, World
from tests.worlds import HOME

SITE = replace(HOME, modules=24, battery_wh=10_000)
SINCE = START - 7 * DAY + HOUR
"""From here on everything must be there: the week that is read by default begins with the first call."""
KILOWATT = {"plan": "kilowatt"}


def world(folder: Path, site: Site, *streams: str, **more: Any) -> World:
    return World(folder, [site], systems=[{"id": site.system_id, "streams": [*streams]}], api=KILOWATT, **more)


def series(made: World, measurement: str, tag: str) -> dict[str, dict[int, dict[str, Any]]]:
    """The rows of a measurement by the device that they are of."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    wanted = archive.Filter((measurement,), str(SITE.system_id))
    for key, at, fields in archive.select(made.store.db, wanted):
        values = dict(part.split("=") for part in fields.split(","))
        row = {name: float(value) for name, value in values.items()}
        found.setdefault(dict(parse_series(key)[1])[tag], {})[at] = row
    return found


def asked(made: World, path: str) -> list[Any]:
    return [call for call in made.cloud.calls if call.path.endswith(path) and call.status == 200]


@pytest.fixture(scope="module")
def panels(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = world(tmp_path_factory.mktemp("micros"), SITE, "stats", "micros")
    made.run(DAY)
    return made


def test_every_panel_is_that_of_the_cloud(panels: World) -> None:
    found, history = series(panels, "inverter_interval", "inverter"), panels.cloud.history(SITE.system_id)
    known = panels.cloud.last_report_at(SITE.system_id, int(panels.time.true)) or 0
    known -= known % 900 + HOUR
    assert len(found) == SITE.modules
    for serial, rows in found.items():
        truth = intervals(history, int(serial[-2:]), SINCE, known)
        expected = {row["end_at"] - 300: {"energy_wh": row["enwh"], "power_w": row["powr"]} for row in truth}
        assert {at: row for at, row in rows.items() if SINCE <= at < known} == expected, serial


def test_all_pages_of_a_look_are_of_the_same_time(panels: World) -> None:
    calls = asked(panels, "devices/micros/telemetry")
    assert [call.params["page"] for call in calls] == ["1", "2"] * (len(calls) // 2)
    windows = [(call.params["start_at"], call.params["end_at"]) for call in calls]
    assert windows[::2] == windows[1::2]


def test_both_pages_are_in_the_price(panels: World) -> None:
    works = panels.pipeline.inventory.works(int(panels.time.true))
    (wish,) = [wish for wish in demands(works, int(panels.time.true), panels.settings.ages) if wish.stream == "micros"]
    made = [call for call in asked(panels, "devices/micros/telemetry") if call.at > panels.time.true - 12 * HOUR]
    assert wish.calls == 2
    assert len(made) == pytest.approx(12 * HOUR / wish.every * wish.calls, abs=4)


def test_a_window_of_which_a_page_is_missing_is_not_read(tmp_path: Path) -> None:
    made = world(tmp_path, SITE, "micros")
    while not asked(made, "devices/micros/telemetry"):
        made.step(START + DAY)
    read = made.pipeline.inventory.state.coverage.get((str(SITE.system_id), "micros"), {})
    assert not any(read.values())
    made.crash()
    while len(asked(made, "devices/micros/telemetry")) < 2:
        made.step(START + DAY)
    first, second = asked(made, "devices/micros/telemetry")
    made.pipeline.record()
    assert (first.params["page"], second.params["page"]) == ("1", "2")
    assert first.params["start_at"] == second.params["start_at"]
    read = made.pipeline.inventory.state.coverage[str(SITE.system_id), "micros"]
    assert any(read.values())
    made.end()
