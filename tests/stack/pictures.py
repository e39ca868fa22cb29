"""Pictures of the boards, from real answers of the real database: `make board-pictures`.

Chromium draws the frames that `tests.stack.reading` reads with the parts of `@grafana/ui`: numbers, curves and tables
are Grafana's own; bar charts and state timelines, which it does not publish, are redrawn over the same display values.
"""

import argparse
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.influxd import Influxd
from tests.stack.boards import FILES, board
from tests.stack.reading import ROOT, Json, asked
from tests.stack.seed import seed
from tests.stack.situations import SITUATIONS, build

ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PAGE = "<!doctype html><html><head></head><body></body></html>"
DRAW = ROOT / ".reader/pictures"
CELL = 38
"""Pixels of a row of a board's grid."""


def height(document: Json, *, phone: bool) -> int:
    """How tall a board is; on a phone each panel stands under the one before."""
    places = [panel["gridPos"] for panel in document["panels"]]
    rows = sum(place["h"] for place in places) if phone else max(place["y"] + place["h"] for place in places)
    return int(rows) * CELL + 24


def shoot(browser: Browser, questions: list[Json], size: tuple[int, int], path: Path, *, dark: bool) -> None:
    """One picture."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route("**/*", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    page.goto("http://boards.invalid/")
    page.add_style_tag(path=DRAW / "draw.css")
    page.add_script_tag(path=DRAW / "draw.js")
    page.evaluate("([questions, dark]) => draw(questions, dark)", [questions, dark])
    page.wait_for_timeout(800)
    page.screenshot(path=path)
    page.close()
    if errors:
        raise RuntimeError(f"{path.name}: {errors[0]}")


def main() -> None:
    """Every board in every situation, wide and on a phone, dark and light."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / ".reader/shots")
    parser.add_argument("--situation", default="", help="part of the name of a situation; default: all")
    parser.add_argument("--board", default="", help="the name of a board; default: all")
    chosen = parser.parse_args()
    chosen.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Influxd(Path(folder) / "influx") as server, sync_playwright() as tool:
        (Path(folder) / "world").mkdir()
        seeded = seed(server, Path(folder) / "world")
        build(seeded)
        browser = tool.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        for situation in (one for one in SITUATIONS if chosen.situation in one.name):
            for path in (one for one in FILES if chosen.board in ("", one.stem)):
                questions = list(asked(path.stem, board(path), seeded, situation))
                for width in (1600, 400):
                    for scheme in ("dark", "light"):
                        size = width, height(board(path), phone=width < 769)
                        words = f"{path.stem} {situation.name} {width} {scheme}".replace(",", "").split()
                        shoot(browser, questions, size, chosen.to / f"{'-'.join(words)}.png", dark=scheme == "dark")
        browser.close()
    print(f"Pictures are in {chosen.to}.")


if __name__ == "__main__":
    main()
