"""Whatever a house has (a battery, no consumption meter, panels that are silent at night, two systems), each number of
its page is that of the archive.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.core.days import zone
from ingest.web import Source, create_app
from tests.world import DAY, HOUR, START, Time, World
from tests.worlds import HOME

BERLIN = zone("Europe/Berlin")
GRID = ["stats", "rgm_stats", "consumption", "battery", "grid_import", "grid_export"]
FULL = replace(HOME, system_id=1, name="Full", battery_wh=10_000, operational_at=START - 3 * DAY)
BARE = replace(FULL, system_id=2, name="Bare", battery_wh=0, consumption_meter=False)
DARK = replace(BARE, system_id=3, name="Dark", consumption_meter=True, meter=False, night_rows=False)
FIELDS = {
    "Produced": "produced_wh",
    "Consumed": "consumed_wh",
    "From grid": "imported_wh",
    "To grid": "exported_wh",
    "Charged": "charged_wh",
    "Discharged": "discharged_wh",
}
NAMES = ("1", "2", "3", "ranch")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(
        tmp_path_factory.mktemp("numbers"),
        [FULL, BARE, DARK],
        time=Time(START + 11 * HOUR),
        api={"plan": {"per_minute": 300, "per_month": 300_000}},
        systems=[{"id": 1, "streams": GRID, "since": "2d"}, {"id": 2, "since": "2d"}, {"id": 3, "since": "2d"}],
        homes={"ranch": [2, 3]},
        web={"listen": "127.0.0.1:0"},
    )
    made.run(2 * HOUR)
    yield made
    made.end()


def quarters(world: World, system: str) -> dict[int, dict[str, float]]:
    """The archive's quarters of an hour, with the grid where it follows from the rest."""
    rows = {at: dict(row) for at, row in world.rows("energy", system).items()}
    for row in rows.values():
        if "net_wh" in row:
            net = row["net_wh"] + row.get("discharged_wh", 0.0) - row.get("charged_wh", 0.0)
            row.setdefault("imported_wh", max(0.0, -net))
            row.setdefault("exported_wh", max(0.0, net))
    return rows


def total(rows: list[dict[str, float]]) -> dict[str, float]:
    names = {name for row in rows for name in row if name.endswith("_wh")}
    return {name: sum(row[name] for row in rows if name in row) for name in names}


def said(values: Mapping[str, float], name: str, digits: int) -> str:
    return f"{values[name] / 1000:,.{digits}f}" if name in values else "\u2013"


def page(world: World, system: str) -> str:
    now = int(world.time.true)
    client = create_app(Source(world.settings, world.store, lambda: now, lambda: now)).test_client()
    return str(client.get(f"/?system={system}").get_data(as_text=True))


def table(text: str, within: str) -> tuple[list[str], list[list[str]]]:
    """The columns and the rows of a table of the page, words only."""
    part = text[text.index(f'id="{within}"') :]
    part = part[: part.index("</table>")]
    heads = [head.removesuffix(", kWh") for head in re.findall(r'<th scope="col">([^<]*)</th>', part)[1:]]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', part)
    cells: list[list[str]] = []
    for head, rest in rows:
        key = re.search(r'datetime="([\d-]+)"', head)
        cells.append([key[1] if key else head, *re.findall(r"<td>([^<]*)</td>", rest)])
    return heads, cells


def local(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(BERLIN)


@pytest.mark.parametrize("system", NAMES)
def test_the_tiles_of_today(world: World, system: str) -> None:
    text, rows = page(world, system), quarters(world, system)
    today = total([row for at, row in rows.items() if local(at).date() == local(int(world.time.true)).date()])
    tiles = dict(re.findall(r"<dt>([^<]+)</dt><dd class=\"\w*\">([^<]+) <small>", text))
    assert tiles["Produced"] == said(today, "produced_wh", 1)
    expected = {"Consumed": "consumed_wh", "From the grid": "imported_wh", "To the grid": "exported_wh"}
    for tile, name in expected.items():
        assert tiles.get(tile, "\u2013") == said(today, name, 1), tile
    assert ("Charged" in tiles) == (system == "1")
    if system == "1":
        assert tiles["Charged"] == said(today, "charged_wh", 1)
        assert f"into the battery; {said(today, 'discharged_wh', 1)} kWh came out" in re.sub(
            r"<[^>]+>|\xa0", " ", text
        ).replace("  ", " ")
    own = [row["self_consumed_wh"] for at, row in rows.items()
           if local(at).date() == local(int(world.time.true)).date() and "self_consumed_wh" in row]  # fmt: skip
    assert tiles.get("Self-consumption") == (f"{100 * sum(own) / today['produced_wh']:,.0f}" if own else None)


@pytest.mark.parametrize("system", NAMES)
def test_the_hours_of_the_day_and_the_bars(world: World, system: str) -> None:
    text, rows = page(world, system), quarters(world, system)
    heads, hours = table(text, "live-day")
    today = local(int(world.time.true)).date()
    by_hour: dict[str, list[dict[str, float]]] = {}
    for at in sorted(rows):
        if local(at).date() == today:
            by_hour.setdefault(f"{local(at):%H:00}", []).append(rows[at])
    assert hours == [
        [hour, *(said(total(parts), FIELDS[head], 2) for head in heads)] for hour, parts in by_hour.items()
    ]
    assert set(heads) >= {"Produced"} | ({"Charged", "Discharged"} if system == "1" else set())
    heads, bars = table(text, "live-table")
    daily: dict[str, Any] = {row["date"]: dict(row) for row in world.rows("energy_daily", system).values()}
    for row in daily.values():
        if "self_consumed_wh" in row and "charged_wh" not in row:
            row.setdefault("imported_wh", row["consumed_wh"] - row["self_consumed_wh"])
            row.setdefault("exported_wh", row["produced_wh"] - row["self_consumed_wh"])
    daily[today.isoformat()] = total([row for at, row in rows.items() if local(at).date() == today])
    assert len(daily) >= 3
    for key, *cells in bars:
        held = [said(daily.get(key, {}), FIELDS[head], 1) for head in heads]
        assert [cell.replace("-0.0", "0.0") for cell in cells] == [cell.replace("-0.0", "0.0") for cell in held], key
