"""Pictures of the page in every state, phone and desk, light and dark: `make screenshots` puts them into `build/`.

Each state is a world of the tests behind a page, at a fixed time, so that two runs differ only where the page does.
"""

import argparse
import contextlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from ingest.config import load
from ingest.service import build, onboarding
from ingest.service.clock import Clock
from ingest.service.identity import open_store
from ingest.simulator import Site
from ingest.store.database import Store
from ingest.web import Server, Source, authorize, create_app
from scripts.screenshots import ARGS
from tests.world import DAY, HOUR, START, Time, World
from tests.worlds import SITE

HOUSE = replace(SITE, name="Lake House", operational_at=START - 400 * DAY)
BARN = replace(HOUSE, system_id=4243, name="Barn", consumption_meter=False)
FULL = replace(HOUSE, system_id=4244, name="Battery House", battery_wh=10_000)
FLEET = tuple(replace(HOUSE, system_id=5000 + number, name=f"House {number}") for number in range(1, 15))
TARIFF = {"from": "2025-01-01", "currency": "EUR", "import": 0.31, "export": 0.08, "standing": 0.35}
BIG = {"plan": {"per_minute": 300, "per_month": 300_000}}
GRID = ["stats", "rgm_stats", "consumption", "battery", "grid_import", "grid_export"]
SIZES = {"desk": (1280, 900), "phone": (400, 850)}


@dataclass(frozen=True)
class State:
    """A world and its pages: how long it has run (s), its sites and settings, and the paths by the picture's name."""

    pages: dict[str, str]
    sites: tuple[Site, ...] = (HOUSE,)
    seconds: int = 2 * HOUR
    changes: dict[str, Any] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()
    """Groups of streams that the application may not read."""


STATES = (
    State({"before-the-first-reply": ""}, seconds=0, changes={"systems": [{"id": 4242}]}),
    State({"first-minute": ""}, seconds=90, changes={"systems": [{"id": 4242, "since": "60d"}]}),
    State({"queued-history": "?weeks=53"}, changes={"systems": [{"id": 4242, "since": "200d"}]}),
    State({"no-meter": ""}, (replace(HOUSE, meter=False, consumption_meter=False),)),
    State({"denied": ""}, denied=frozenset({"consumption"})),
    State({"fleet": "", "fleet-found": "systems?q=house+1&sort=-today"}, FLEET, changes={"api": BIG}),
    State(
        {
            "home": "",
            "home-day": "?system=ranch&day=2026-07-09",
            "home-systems": "systems",
            "home-part": "?system=4243",
        },
        (HOUSE, BARN),
        changes={
            "api": BIG,
            "homes": {"ranch": [4242, 4243]},
            "tariffs": [TARIFF],
            "invested": 12_500,
            "systems": [{"id": 4242, "since": "20d"}, {"id": 4243, "since": "20d"}],
        },
    ),
    State(
        {
            "today": "?system=4242",
            "day": "?system=4242&day=2026-07-05&range=month",
            "year": "?system=4242&range=year",
            "all": "?system=4242&range=all",
            "without-consumption": "?system=4243",
            "battery": "?system=4244",
            "before-there-was-anything": "?system=4242&day=2025-01-05",
            "systems": "systems",
            "consent-again": "authorize/home",
            "no-such-account": "authorize/nobody",
        },
        (HOUSE, BARN, FULL),
        changes={
            "api": BIG,
            "tariffs": [TARIFF],
            "invested": {"4242": 12_500},
            "systems": [{"id": 4242, "since": "20d"}, {"id": 4243, "since": "20d"}, {"id": 4244, "streams": GRID}],
        },
    ),
    State({"gateway-silent": ""}, (replace(HOUSE, offline=((START + 8 * DAY, START + 30 * DAY),)),)),
)


@contextlib.contextmanager
def served(state: State, folder: Path) -> Iterator[str]:
    """The address of the page of a state."""
    world = World(folder, state.sites, time=Time(START + 9 * DAY + 13 * HOUR), **state.changes)
    world.cloud.faults.denied_groups = set(state.denied)
    world.run(state.seconds)
    now, clock = int(world.time.true), Clock()
    source = Source(world.settings, world.store, lambda: now, lambda: now)
    flow = onboarding.flow(world.settings, clock, build.network(clock))
    server = Server(create_app(source, [authorize.blueprint(flow)]), "127.0.0.1", 0).start()
    yield server.url
    server.stop()
    world.end()


@contextlib.contextmanager
def newcomer(folder: Path) -> Iterator[str]:
    """The page before anything is configured."""
    file = folder / "c.yaml"
    file.write_text(json.dumps({"state_dir": str(folder / "state")}))
    settings = load(file, {})
    store: Store = open_store(settings, None)
    server = Server(create_app(Source(settings, store, lambda: START, lambda: START)), "127.0.0.1", 0).start()
    yield server.url
    server.stop()
    store.close()


def main() -> None:
    """Every state, in every size and scheme."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=Path("build/screenshots"))
    parser.add_argument("names", nargs="*", help="only these")
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)

        def shoot(url: str, name: str) -> None:
            for size, (width, height) in SIZES.items():
                for scheme in ("light", "dark"):
                    page = browser.new_page(
                        viewport={"width": width, "height": height},
                        color_scheme=scheme,  # type: ignore[arg-type]
                    )
                    page.goto(url)
                    page.wait_for_load_state("networkidle")
                    page.screenshot(path=asked.to / f"{name}-{size}-{scheme}.png", full_page=True)
                    page.close()

        for index, state in enumerate(STATES):
            pages = {name: path for name, path in state.pages.items() if not asked.names or name in asked.names}
            if pages:
                place = Path(folder) / str(index)
                place.mkdir()
                with served(state, place) as url:
                    for name, path in pages.items():
                        shoot(url + path, name)
        if not asked.names or "newcomer" in asked.names:
            with newcomer(Path(folder)) as url:
                shoot(url, "newcomer")
        browser.close()


if __name__ == "__main__":
    main()
