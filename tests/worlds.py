"""Worlds that several tests begin from."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ingest.core.days import date_at, midnight, zone
from ingest.core.point import Point
from ingest.simulator import Site, enlighten_id
from ingest.store import archive
from ingest.store.database import Store
from tests.world import DAY, START, UNHURRIED, Time, World

SITE = Site(
    system_id=4242,
    name="Sunny <b>House</b>",
    timezone="Europe/Berlin",
    latitude=48.0,
    longitude=11.0,
    size_w=6000,
    modules=18,
    operational_at=START - 20 * DAY,
)
"""A plain house whose name would do harm on a page that does not take care."""
HOME = Site(
    system_id=8000,
    name="House",
    timezone="Europe/Berlin",
    latitude=52.0,
    longitude=13.0,
    size_w=6000,
    modules=16,
    operational_at=START - 40 * DAY,
)
"""A plain house."""
V4: dict[str, Any] = {"api": {"plan": UNHURRIED}}
V2: dict[str, Any] = {
    "api": {"version": "v2", "plan": UNHURRIED},
    "accounts": {"home": {"enlighten_id": enlighten_id("owner")}},
}
"""What makes a world one of the retired dialect."""

_LIVED: dict[str, tuple[World, TemporaryDirectory[str]]] = {}
"""Worlds, each with its folder, which is deleted in the end."""


def lived(folder: Path, sites: Sequence[Site], seconds: int, *, start: int = START, **changes: Any) -> World:
    """A world so many seconds after its start: lived through once, and copied for each who asks.

    `changes` are keys of its configuration; those of what is told to whom make no difference to the time before.
    """
    before = {key: value for key, value in changes.items() if key not in ("heartbeat", "mqtt", "notify")}
    name = repr((sites, seconds, start, before))
    if name not in _LIVED:
        home = TemporaryDirectory(dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))
        world = World(Path(home.name), sites, time=Time(start), **before)
        world.run(seconds)
        world.end()
        _LIVED[name] = world, home
    return _LIVED[name][0].copy(folder, **changes)


def clear_days(store: Store, site: Site, now: int, share: float) -> None:
    """Two years of days in the archive, and three weeks of clear ones of which the plant makes a `share`."""
    tags, begin = (("system", str(site.system_id)),), midnight(date_at(now, zone(site.timezone)), zone(site.timezone))
    points = []
    for back in range(1, 800):
        wh = 30_000.0 * (share if back <= 21 else 1.0) * (1.0 if back <= 21 or back % 3 == 0 else 0.5)
        points.append(Point("energy_daily", tags, begin - back * DAY, {"produced_wh": wh}))
    for back in range(1, 22):
        for quarter in range(60):
            height = share * 780 * math.sin(math.pi * quarter / 60)
            points.append(Point("energy", tags, begin - back * DAY + 18_000 + 900 * quarter, {"produced_wh": height}))
    with store.transaction() as db:
        archive.upsert(db, points)
