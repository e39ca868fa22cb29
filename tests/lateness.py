"""Data that the cloud shows late: a house that hides some, and how soon after it is shown it has been archived."""

import random
from dataclasses import dataclass
from pathlib import Path

from ingest.simulator import Site
from tests.world import DAY, HOUR, START, World, sun

GIVEN_UP = 5 * DAY
SELDOM = {stream: {"every": "6h"} for stream in ("stats", "rgm_stats", "consumption")}


@dataclass
class Piece:
    """Intervals in `(start, end]`, the last of which the cloud shows at `shown_at` (epoch seconds)."""

    start: int
    end: int
    shown_at: int


def hiding_house(seed: int, pieces: int = 12) -> Site:
    """A house some of whose intervals are hidden for an hour to thirty days."""
    rng = random.Random(seed)
    hidden = []
    for _ in range(pieces):
        start = START + rng.randrange(HOUR, 8 * DAY)
        end = start + rng.choice([900, HOUR, 5 * HOUR, DAY])
        hidden.append((start, end, end + rng.randrange(HOUR, 30 * DAY)))
    return Site(
        system_id=42,
        name="House",
        timezone="US/Pacific",
        latitude=37.0,
        longitude=-122.0,
        size_w=6000,
        modules=20,
        operational_at=START - 40 * DAY,
        meter=rng.random() < 0.6,
        night_rows=rng.random() < 0.5,
        hidden=tuple(hidden),
    )


def hiding_world(seed: int, folder: Path) -> World:
    """An installation that reads such a house, with calls to spare."""
    return World(folder, [hiding_house(seed)], api={"plan": "kilowatt"}, streams=SELDOM)


def delays(world: World) -> list[int]:
    """Seconds from the moment each piece was shown until all its energy had been archived and delivered."""
    (site,) = world.cloud.sites
    waiting = sorted(_pieces(site), key=lambda piece: piece.shown_at)
    found: list[int] = []
    while waiting:
        world.run(max(HOUR, waiting[0].shown_at - int(world.time.true)))
        now = int(world.time.true)
        for piece in [piece for piece in waiting if piece.shown_at <= now]:
            late = now - piece.shown_at
            if late > GIVEN_UP or not lost(world, site, piece.start, piece.end):
                found.append(late)
                waiting.remove(piece)
    return found


def _pieces(site: Site) -> list[Piece]:
    """Where pieces overlap, the last to be shown decides."""
    return [
        Piece(start, end, max(at for a, b, at in site.hidden if a < end and b > start)) for start, end, _ in site.hidden
    ]


def lost(world: World, site: Site, since: int, until: int) -> list[object]:
    """Energy that the database lacks. Intervals of zero may be missing: they change no total."""
    truth = sun(world.cloud, site, since, until)
    return [
        key
        for key, fields in truth.items()
        if fields.get("energy_wh") and world.database.rows.get(key, {}).get("energy_wh") != fields["energy_wh"]
    ]
