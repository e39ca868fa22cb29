"""Each panel, battery and charger by itself: a window takes several calls, and is read when all of them are made."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.core.point import decode_fields, parse_series
from ingest.plan.demand import demands
from ingest.simulator import Site, batteries, chargers
from ingest.simulator.panels import intervals
from ingest.store import archive
from tests.world import DAY, HOUR, START, World
from tests.worlds import HOME

SITE = replace(HOME, modules=24, battery_wh=10_000)
SINCE = START - DAY + HOUR
"""From here on everything must be there: the day of history that is wanted begins with the first call."""
KILOWATT = {"plan": "kilowatt"}


def world(folder: Path, site: Site, *streams: str, **more: Any) -> World:
    return World(
        folder, [site], systems=[{"id": site.system_id, "streams": [*streams], "since": "1d"}], api=KILOWATT, **more
    )


def series(made: World, measurement: str, tag: str) -> dict[str, dict[int, dict[str, Any]]]:
    """The rows of a measurement by the device that they are of."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    wanted = archive.Filter((measurement,), str(SITE.system_id))
    for key, at, row in archive.select(made.store.db, wanted):
        found.setdefault(dict(parse_series(key)[1])[tag], {})[at] = decode_fields(row)
    return found


def asked(made: World, path: str) -> list[Any]:
    return [call for call in made.cloud.calls if call.path.endswith(path) and call.status == 200]


@pytest.fixture(scope="module")
def panels(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = world(tmp_path_factory.mktemp("micros"), SITE, "stats", "micros")
    made.run(DAY // 2)
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
    made = [call for call in asked(panels, "devices/micros/telemetry") if call.at > panels.time.true - 6 * HOUR]
    assert wish.calls == 2
    assert len(made) == pytest.approx(6 * HOUR / wish.every * wish.calls, abs=4)


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


CAR = replace(SITE, ev_charger=True, evse=True)
CARS = ("encharges", "evse", "ev_charger", "ev_charger_sessions")


@pytest.fixture(scope="module")
def cars(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = world(tmp_path_factory.mktemp("cars"), CAR, "consumption", *CARS)
    made.run(DAY)
    return made


def reported(made: World) -> int:
    """Up to when everything must be there."""
    known = (made.cloud.last_report_at(SITE.system_id, int(made.time.true)) or 0) - 2 * HOUR
    return known - known % 900


def test_every_battery_is_that_of_the_cloud(cars: World) -> None:
    found, history = series(cars, "battery_unit", "battery"), cars.cloud.history(SITE.system_id)
    assert sorted(found) == sorted(SITE.battery_serials)
    assert len(found) == 2
    for number, serial in enumerate(SITE.battery_serials):
        truth = batteries.intervals(history, number, SINCE, reported(cars))
        expected = {
            row["end_at"] - 900: {
                "charged_wh": row["charge"]["enwh"],
                "discharged_wh": row["discharge"]["enwh"],
                "soc_percent": row["soc"]["percent"],
            }
            for row in truth
        }
        assert {at: row for at, row in found[serial].items() if SINCE <= at < reported(cars)} == expected, serial


def test_every_charger_is_that_of_the_cloud(cars: World) -> None:
    found, history = series(cars, "ev_charger", "charger"), cars.cloud.history(SITE.system_id)
    assert set(found) == {CAR.charger_serial, CAR.evse_serial}
    times = range(SINCE, reported(cars), 900)
    for serial, gives_back in ((CAR.charger_serial, False), (CAR.evse_serial, True)):
        expected = {at: {"energy_wh": chargers.drawn(history, at + 900, gives_back=gives_back)} for at in times}
        assert {at: row for at, row in found[serial].items() if SINCE <= at < reported(cars)} == expected, serial
    assert min(row["energy_wh"] for row in found[CAR.evse_serial].values()) < 0, "the car gives back"
    used = cars.rows("consumption", SITE.system_id)
    assert all(
        row["energy_wh"] <= history.used(at, at + 900) for at, row in found[CAR.charger_serial].items() if at in used
    )


def test_a_session_is_the_sum_of_its_intervals(cars: World) -> None:
    (sessions,) = series(cars, "ev_charger_session", "charger").values()
    (intervals,) = [rows for of, rows in series(cars, "ev_charger", "charger").items() if of == CAR.charger_serial]
    held = {at: row for at, row in sessions.items() if at >= SINCE}
    assert len(held) >= 1
    for begin, row in held.items():
        inside = [interval["energy_wh"] for at, interval in intervals.items() if begin <= at < row["ended_at"]]
        assert row["energy_wh"] == pytest.approx(sum(inside)), "in Wh, although the cloud says kWh"


def test_a_battery_that_the_cloud_does_not_know_costs_itself_alone(tmp_path: Path) -> None:
    made = world(tmp_path, CAR, "encharges")
    lost, kept = SITE.battery_serials
    while not asked(made, "/devices"):
        made.step(START + DAY)
    made.cloud.put(replace(CAR, battery_wh=5_000))  # the list of devices says so only next week
    made.run(DAY // 4)
    found = series(made, "battery_unit", "battery")
    assert set(found) == {lost}
    assert kept not in found
    read = made.pipeline.inventory.state.coverage[str(SITE.system_id), "encharges"]
    assert any(read.values())
    (odd,) = made.pipeline.inventory.state.odd[str(SITE.system_id), "encharges"].values()
    assert kept in odd.sample
    assert "not found" in odd.reason.lower()
    made.end()


def test_where_there_is_no_such_device_nothing_is_asked_and_the_reason_is_told(tmp_path: Path) -> None:
    made = world(tmp_path, replace(SITE, battery_wh=0), "consumption", *CARS)
    made.run(DAY // 12)
    assert not [call for call in made.cloud.calls if "encharges" in call.path or "/ev" in call.path]
    works = {work.stream.name: work for work in made.pipeline.inventory.works(int(made.time.true))}
    assert works["encharges"].pair.reason == "the cloud lists no battery for this system; looked for every week"
    assert works["ev_charger"].pair.state == works["evse"].pair.state == "no_meter"
    made.end()


def test_a_former_state_without_serial_numbers_has_the_devices_listed_at_once(tmp_path: Path) -> None:
    made = world(tmp_path, SITE, "encharges")
    made.run(HOUR)
    state, system = made.pipeline.inventory.state, str(SITE.system_id)
    row = state.systems[system]
    state.systems[system] = replace(row, profile=replace(row.profile, serials={}))
    made.pipeline.due_queue.touch(system, int(made.time.true))
    before = len(asked(made, "/devices"))
    made.run(2 * HOUR)
    assert len(asked(made, "/devices")) == before + 1
    assert set(state.systems[system].profile.serials["battery"]) == set(SITE.battery_serials)
    made.end()
