"""A home with everything: battery, two meters, 24 panels, cars, heat pump. All that its cloud has is in the archive,
equal to the sun, and the parts belong together. A few days in `make test`, a year with INGEST_LONG=1.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from statistics import median
from typing import Any

import pytest

from ingest.core.point import decode_fields, parse_series
from ingest.enphase import catalogue
from ingest.enphase.streams import BY_NAME
from ingest.simulator import batteries, chargers, panels
from ingest.simulator.devices import micro_serials
from ingest.simulator.extras import heat_drawn
from ingest.store import archive
from tests.world import DAY, HOUR, START, World, sun
from tests.worlds import HOME

pytestmark = pytest.mark.timeout(7200 if os.environ.get("INGEST_LONG") else 300)
DAYS = 365 if os.environ.get("INGEST_LONG") else 3
WEAK = 5
SITE = replace(
    HOME,
    modules=24,
    battery_wh=10_000,
    weak_panels=(WEAK,),
    ev_charger=True,
    evse=True,
    heat_pump=True,
    events=((28, START + DAY + 10 * HOUR, START + DAY + 12 * HOUR),),
)
ID = SITE.system_id
SINCE, UNTIL = START, START + (DAYS - 1) * DAY
"""What must be there: all but the last day, some of which is not settled."""
CHUNK = 10 * DAY
QUANTITIES = ("produced_wh", "consumed_wh", "imported_wh", "exported_wh", "charged_wh", "discharged_wh")
Row = Mapping[str, Any]


class Unsent(World):
    """A world that keeps its points: of a year there are millions."""

    def deliver(self) -> None:
        pass


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    cadences = {name: {"every": "12h"} for name in catalogue.CHOICES if BY_NAME[name].every < DAY // 2}
    system = {"id": ID, "streams": [*catalogue.CHOICES], "since": "1d"}
    folder = tmp_path_factory.mktemp("whole")
    made = Unsent(folder, [SITE], systems=[system], streams=cadences, api={"plan": "kilowatt"})
    made.run(DAYS * DAY + 12 * HOUR)
    yield made
    made.end()


def rows(world: World, measurement: str, since: int, until: int) -> dict[tuple[str, int], Row]:
    """What is held of a measurement in a time, by device and time; of one series a system the device is empty."""
    wanted = archive.Filter((measurement,), str(ID), since, until)
    found: dict[tuple[str, int], Row] = {}
    for key, at, fields in archive.select(world.store.db, wanted):
        (device, *_), values = [value for name, value in parse_series(key)[1] if name != "system"] or [""], fields
        found[device, at] = decode_fields(values)
    return found


Truth = Callable[[World, int, int], dict[tuple[str, int], Row]]


def _of_sun(measurement: str) -> Truth:
    def truth(world: World, since: int, until: int) -> dict[tuple[str, int], Row]:
        found = sun(world.cloud, SITE, since, until)
        return {("", at): row for (name, _, at), row in found.items() if name == measurement}

    return truth


def _grid(world: World, since: int, until: int) -> dict[tuple[str, int], Row]:
    came, went = (world.cloud.truth(ID, name, since, until) for name in ("import", "export"))
    return {
        ("", one["end_at"] - 900): {"imported_wh": one["wh_imported"], "exported_wh": other["wh_exported"]}
        for one, other in zip(came, went, strict=True)
    }


def _charge(row: Any) -> Row:
    return {
        "charged_wh": row["charge"]["enwh"],
        "discharged_wh": row["discharge"]["enwh"],
        "soc_percent": row["soc"]["percent"],
    }


def _battery(world: World, since: int, until: int) -> dict[tuple[str, int], Row]:
    return {("", row["end_at"] - 900): _charge(row) for row in world.cloud.truth(ID, "charge", since, until)}


def _batteries(world: World, since: int, until: int) -> dict[tuple[str, int], Row]:
    history = world.cloud.history(ID)
    return {
        (serial, row["end_at"] - 900): _charge(row)
        for number, serial in enumerate(SITE.battery_serials)
        for row in batteries.intervals(history, number, since, until)
    }


def _panels(world: World, since: int, until: int) -> dict[tuple[str, int], Row]:
    history = world.cloud.history(ID)
    return {
        (serial, row["end_at"] - 300): {"energy_wh": row["enwh"], "power_w": row["powr"]}
        for number, serial in enumerate(micro_serials(SITE))
        for row in panels.intervals(history, number, since, until)
    }


def _cars(world: World, since: int, until: int) -> dict[tuple[str, int], Row]:
    history = world.cloud.history(ID)
    return {
        (serial, at): {"energy_wh": chargers.drawn(history, at + 900, gives_back=serial == SITE.evse_serial)}
        for serial in (SITE.charger_serial, SITE.evse_serial)
        for at in range(since, until, 900)
    }


def _heat_pump(world: World, since: int, until: int) -> dict[tuple[str, int], Row]:
    history = world.cloud.history(ID)
    return {("", at): {"energy_wh": heat_drawn(history, at + 900)} for at in range(since, until, 900)}


TRUTHS: dict[str, Truth] = {
    "production_micro": _of_sun("production_micro"),
    "production_rgm": _of_sun("production_rgm"),
    "production_meter": _of_sun("production_rgm"),
    "consumption": _of_sun("consumption"),
    "grid": _grid,
    "battery": _battery,
    "battery_unit": _batteries,
    "inverter_interval": _panels,
    "ev_charger": _cars,
    "heat_pump": _heat_pump,
}
"""What each measurement of intervals must hold, written without the program."""


def test_every_measurement_of_intervals_has_a_truth() -> None:
    named = {name for stream in BY_NAME.values() if stream.grain for name in stream.fields}
    assert named - TRUTHS.keys() == {"production_rgm_channel", "event"}, "these two are held against it elsewhere"


@pytest.mark.parametrize("measurement", TRUTHS)
def test_the_archive_equals_the_sun(world: World, measurement: str) -> None:
    for begin in range(SINCE, UNTIL, CHUNK):
        end = min(begin + CHUNK, UNTIL)
        held, due = rows(world, measurement, begin, end), TRUTHS[measurement](world, begin, end)
        assert held.keys() == due.keys()
        for key, fields in due.items():
            assert {name: held[key][name] for name in fields} == pytest.approx(fields), (measurement, key)


def test_in_every_interval_what_comes_in_goes_out(world: World) -> None:
    for begin in range(SINCE, UNTIL, CHUNK):
        end = min(begin + CHUNK, UNTIL)
        held = rows(world, "energy", begin, end)
        assert len(held) == (end - begin) // 900
        assert {row["balance_wh"] for row in held.values()} == {0.0}


def local_days() -> list[tuple[int, int]]:
    """Begin and end of the local days that are settled in full: those with a change of the clock, too."""
    begins = sorted({SITE.midnight(SITE.local_date(at)) for at in range(SINCE + DAY, UNTIL, DAY)})
    found = [(begin, SITE.midnight(SITE.local_date(begin + DAY + 6 * HOUR))) for begin in begins]
    return [(begin, end) for begin, end in found if end <= UNTIL]


def test_days_are_the_sums_of_their_intervals_and_the_totals_of_the_cloud(world: World) -> None:
    days = rows(world, "energy_daily", SINCE, UNTIL)
    totals = {
        name: world.cloud.daily(ID, kind)
        for name, kind in (("imported_wh", "import"), ("exported_wh", "export"), ("charged_wh", "charge"))
    }
    assert len(local_days()) >= DAYS - 2
    for begin, end in local_days():
        inside = rows(world, "energy", begin, end).values()
        day = days["", begin]
        assert {name: day[name] for name in QUANTITIES} == pytest.approx(
            {name: sum(row[name] for row in inside) for name in QUANTITIES}
        ), begin
        for name, of_day in totals.items():
            assert day[name] == of_day[SITE.local_date(begin)]
    found = world.store.db.execute("SELECT count(*) FROM totals WHERE held IS NOT NULL").fetchone()
    assert found == (0,), "no total is doubted"


def test_the_weak_panel_is_the_one_that_the_query_for_panels_names(world: World) -> None:
    """The query of docs/queries.md, sums of 30 days by panel, each held against the median of its peers."""
    since = max(SINCE, UNTIL - 30 * DAY)
    sums: dict[str, float] = {}
    for (panel, _), row in rows(world, "inverter_daily", since - DAY, UNTIL).items():
        sums[panel] = sums.get(panel, 0.0) + row["produced_wh"]
    assert len(sums) == SITE.modules
    behind = [panel for panel, made in sums.items() if made < 0.75 * median(sums.values())]
    assert behind == [micro_serials(SITE)[WEAK]]


def test_a_car_is_charged_with_what_its_sessions_say(world: World) -> None:
    sessions = rows(world, "ev_charger_session", SINCE, UNTIL - DAY)
    assert len(sessions) >= DAYS - 2
    for (charger, begin), row in sessions.items():
        intervals = rows(world, "ev_charger", begin, int(row["ended_at"]))
        inside = [each["energy_wh"] for (device, _), each in intervals.items() if device == charger]
        assert row["energy_wh"] == pytest.approx(sum(inside))


def test_nothing_is_asked_in_vain_and_the_plan_holds(world: World) -> None:
    refused = [call for call in world.cloud.calls if call.status != 200]
    assert len(refused) <= len(world.cloud.calls) / 100
    assert sum(call.counted for call in world.cloud.calls if call.at >= world.time.true - 30 * DAY) <= 50_000
