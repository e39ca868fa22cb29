"""Streams that the program chooses: once the devices are known, again when one appears, and never against a list."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from ingest.cli import cli
from ingest.cli.context import Context
from tests.world import DAY, HOUR, World
from tests.worlds import HOME

BATTERY = replace(HOME, battery_wh=10_000)


def asked(world: World) -> set[str]:
    return {stream.name for stream in world.pipeline.inventory.streams_of(str(HOME.system_id))}


def plan(world: World) -> Any:
    context = Context(clock=world.time.clock())
    result = CliRunner().invoke(cli, ["--config", str(world.settings.config_path), "plan", "--json"], obj=context)
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def test_a_home_with_a_battery_on_watt_is_read_whole(tmp_path: Path) -> None:
    world = World(tmp_path, [BATTERY], default_streams="auto")
    assert {"grid_import", "battery"}.isdisjoint(asked(world))
    world.run(4 * DAY)
    assert {"grid_import", "grid_export", "battery", "inverters", "battery_lifetime"} <= asked(world)
    for measurement in ("grid", "battery", "inverter_daily"):
        rows = world.rows(measurement, HOME.system_id) if measurement != "inverter_daily" else {}
        newest = max(rows, default=int(world.time.true))
        assert world.time.true - newest < DAY + 6 * HOUR, measurement
    document = plan(world)
    lines = {line["stream"]: line for line in document["lines"]}
    assert document["planned"] <= 900
    assert max(lines[name]["by_day"] for name in ("grid_import", "grid_export", "battery", "inverters")) <= DAY
    choices = {choice["stream"]: choice for choice in document["streams"]}
    assert choices["battery"]["is_in"]
    assert choices["latest"] == choices["latest"] | {"is_in": False, "reason": "off by default"}
    world.end()


def test_production_and_consumption_are_as_fresh_as_with_the_four_streams(tmp_path: Path) -> None:
    cadences = {}
    for name, streams in (("auto", "auto"), ("four", None)):
        (tmp_path / name).mkdir()
        changes: dict[str, Any] = {"default_streams": streams} if streams else {}
        world = World(tmp_path / name, [BATTERY], **changes)
        world.run(6 * DAY)
        lines = {line["stream"]: line["by_day"] for line in plan(world)["lines"]}
        cadences[name] = lines["rgm_stats"], lines["consumption"]
        world.end()
    assert cadences["auto"] <= cadences["four"]


def test_a_battery_that_appears_later_is_noticed_and_a_list_wins(tmp_path: Path) -> None:
    for name, streams in (("auto", "auto"), ("list", ["stats", "consumption"])):
        (tmp_path / name).mkdir()
        world = World(tmp_path / name, [HOME], default_streams=streams)
        world.run(DAY)
        assert "battery" not in asked(world)
        world.cloud.put(BATTERY)
        world.run(8 * DAY)
        assert ("battery" in asked(world)) == (streams == "auto")
        assert bool(world.rows("battery", HOME.system_id)) == (streams == "auto")
        world.end()
