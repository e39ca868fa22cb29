"""Every panel, events and power now: what each made in a day, which one falls behind, what happened to the gateway."""

from dataclasses import replace
from pathlib import Path

import pytest

from ingest.core.point import decode_fields, parse_series
from ingest.simulator.extras import heat_drawn
from ingest.simulator.panels import lifetimes
from ingest.store import archive
from ingest.web import Source, create_app
from tests.web.test_numbers import table
from tests.world import BRISK, DAY, HOUR, START, World
from tests.worlds import HOME

WEAK = 5
OUTAGE = (START + 2 * DAY + 10 * HOUR, START + 2 * DAY + 15 * HOUR)
SITE = replace(HOME, modules=24, weak_panels=(WEAK,), battery_wh=10_000, events=((28, *OUTAGE), (7, START + DAY, None)))
STREAMS = ["stats", "rgm_stats", "consumption", "inverters", "latest", "events", "alarms"]
DAYS = 4


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    systems = [{"id": SITE.system_id, "streams": STREAMS}]
    made = World(tmp_path_factory.mktemp("panels"), [SITE], systems=systems, api={"plan": BRISK})
    made.run(DAYS * DAY)
    return made


def series(world: World, measurement: str, tag: str) -> dict[str, dict[int, dict[str, float | str]]]:
    found: dict[str, dict[int, dict[str, float | str]]] = {}
    for key, at, fields in archive.select(world.store.db, archive.Filter((measurement,), str(SITE.system_id))):
        found.setdefault(dict(parse_series(key)[1])[tag], {})[at] = decode_fields(fields)
    return found


def test_panels_are_read_once_a_night_before_dawn(world: World) -> None:
    calls = [int(call.at) for call in world.cloud.calls if "inverters_summary" in call.path]
    first, *nights = calls
    assert first < START + HOUR, "a first look at once"
    hours = [(at - SITE.midnight(SITE.local_date(at))) / HOUR for at in nights]
    assert DAYS - 1 <= len(nights) <= DAYS
    assert all(0.5 <= hour < 2.6 for hour in hours)


def test_what_each_panel_made_in_a_day_adds_up_to_the_roof(world: World) -> None:
    panels = series(world, "inverter_daily", "inverter")
    assert len(panels) == SITE.modules
    days = sorted(next(iter(panels.values())))
    assert len(days) >= DAYS - 2
    roof = world.cloud.daily(SITE.system_id, "stats")
    for at in days:
        made = sum(float(rows[at]["produced_wh"]) for rows in panels.values())
        assert made == roof[SITE.local_date(at)]


def test_the_weak_panel_is_named(world: World) -> None:
    panels = series(world, "inverter_daily", "inverter")
    totals = {serial: sum(float(row["produced_wh"]) for row in rows.values()) for serial, rows in panels.items()}
    median = sorted(totals.values())[len(totals) // 2]
    (weak,) = [serial for serial, total in totals.items() if total < 0.75 * median]
    assert weak.endswith(f"{WEAK:02d}")
    assert totals[weak] == pytest.approx(median / 2, rel=0.01)


def test_the_counter_of_a_panel_is_that_of_the_cloud(world: World) -> None:
    panels = series(world, "inverter", "inverter")
    history = world.cloud.history(SITE.system_id)
    for serial, rows in panels.items():
        for at, row in rows.items():
            assert row["lifetime_wh"] == lifetimes(history, at)[int(serial[-2:])]
            assert row["last_report_at"] <= at  # type: ignore[operator]


def test_events_have_a_name_a_state_and_a_device(world: World) -> None:
    rows = archive.select(world.store.db, archive.Filter(("event",), str(SITE.system_id)))
    found = {(dict(parse_series(key)[1])["source"], at): decode_fields(fields) for key, at, fields in rows}
    assert found["event", OUTAGE[0]] == {"text": "Gateway not reporting", "state": "closed", "ended_at": OUTAGE[1]}
    assert found["event", START + DAY] == {"text": "event 7", "state": "open"}
    assert found["alarm", START + DAY] == {"text": "event 7", "state": "open", "severity": 2.0}
    assert sum("event_types" in call.path for call in world.cloud.calls) == 1


def test_power_now_is_that_of_the_newest_interval(world: World) -> None:
    latest = series(world, "latest", "meter")
    assert set(latest) == {"production", "consumption", "storage"}
    history = world.cloud.history(SITE.system_id)
    for at, row in latest["production"].items():
        assert row["power_w"] == 4 * history.total("rgm_stats", at - 900, at)


def test_a_heat_pump_is_read_where_it_is_named(tmp_path: Path) -> None:
    site = replace(HOME, heat_pump=True)
    systems = [{"id": site.system_id, "streams": ["heat_pump"]}]
    made = World(tmp_path, [site], systems=systems, api={"plan": "kilowatt"})
    made.run(DAY)
    rows = made.rows("heat_pump", site.system_id)
    history = made.cloud.history(site.system_id)
    assert len(rows) > 96
    assert all(row == {"energy_wh": heat_drawn(history, at + 900)} for at, row in rows.items())
    made.end()


def test_the_page_names_the_weak_panel_first_and_what_it_makes(world: World) -> None:
    made = {name: [float(row["produced_wh"]) for _, row in sorted(rows.items())] for name, rows in
            series(world, "inverter_daily", "inverter").items()}  # fmt: skip
    now = int(world.time.true)
    client = create_app(Source(world.settings, world.store, lambda: now, lambda: now)).test_client()
    text = str(client.get(f"/?system={SITE.system_id}").get_data(as_text=True))
    heads, rows = table(text, "live-panels")
    assert (heads[0], heads[-1]) == ("Of a usual one, %", f"{len(made[next(iter(made))])} days")
    assert len(rows) == SITE.modules
    name, share, newest, all_days = rows[0]
    assert name.endswith(f"{WEAK:02d}")
    assert share == "50"
    assert (newest, all_days) == (f"{made[name][-1] / 1000:.2f}", f"{sum(made[name]) / 1000:.1f}")
    assert f"24, weakest first: {name} makes 50 % of what a usual one does" in text
    shares = [float(row[1]) for row in rows]
    assert shares == sorted(shares)
    assert min(shares[1:]) > 90


def test_a_system_without_panels_of_its_own_says_nothing_of_them(tmp_path: Path) -> None:
    world = World(tmp_path, [SITE], systems=[{"id": SITE.system_id, "streams": ["stats"]}])
    world.run(HOUR)
    now = int(world.time.true)
    client = create_app(Source(world.settings, world.store, lambda: now, lambda: now)).test_client()
    assert "Panels" not in client.get("/").get_data(as_text=True)
    world.end()
