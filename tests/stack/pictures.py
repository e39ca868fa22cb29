"""Pictures of the boards, from real answers of the real database: `make board-pictures`.

Chromium draws the frames that `tests.stack.reading` reads with the parts of `@grafana/ui`: numbers, curves and tables
are Grafana's own; bar charts and state timelines, which it does not publish, are redrawn over the same display values.
"""

import argparse
import tempfile
from functools import cache
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
FONTS = {"Inter-Regular": 400, "Inter-Medium": 500}
"""The font of Grafana, which its stylesheet asks for by these names: with another one, words have another length."""
CELL = 38
"""Pixels of a row of a board's grid."""


def height(document: Json, *, phone: bool) -> int:
    """How tall a board is; on a phone each panel stands under the one before."""
    places = [panel["gridPos"] for panel in document["panels"]]
    rows = sum(place["h"] for place in places) if phone else max(place["y"] + place["h"] for place in places)
    return int(rows) * CELL + 24


class Camera:
    """A page of one width, zone and theme, on which one board after the other is drawn.

    The zone is the browser's own, as it is of whoever looks: the round hours under a curve are those of its clock.
    """

    def __init__(self, browser: Browser, width: int, zone: str, *, dark: bool) -> None:
        self.width, self._dark = width, dark
        self._page = browser.new_page(viewport={"width": width, "height": 900}, timezone_id=zone)
        self._errors: list[str] = []
        self._page.on("pageerror", lambda error: self._errors.append(str(error)))
        self._page.route("**/*", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        for name, weight in FONTS.items():
            file = DRAW / f"node_modules/@fontsource/inter/files/inter-latin-{weight}-normal.woff2"
            self._page.route(f"**/{name}.woff2", lambda route, _, file=file: route.fulfill(path=file))
        self._page.goto("http://boards.invalid/")
        self._page.add_style_tag(path=DRAW / "draw.css")
        self._page.add_script_tag(path=DRAW / "draw.js")

    @property
    def scheme(self) -> str:
        """The name of its theme."""
        return "dark" if self._dark else "light"

    def shoot(self, questions: list[Json], tall: int, path: Path) -> None:
        """One picture."""
        self._page.set_viewport_size({"width": self.width, "height": tall})
        self._page.evaluate("([questions, dark]) => draw(questions, dark)", [questions, self._dark])
        self._page.wait_for_timeout(400)
        self._page.screenshot(path=path)
        if self._errors:
            raise RuntimeError(f"{path.name}: {self._errors[0]}")


@cache
def cameras(browser: Browser, zone: str) -> list[Camera]:
    """Wide and of a phone, dark and light."""
    return [Camera(browser, width, zone, dark=dark) for width in (1600, 400) for dark in (True, False)]


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
                for camera in cameras(browser, situation.zone):
                    words = f"{path.stem} {situation.name} {camera.width} {camera.scheme}".replace(",", "").split()
                    tall = height(board(path), phone=camera.width < 769)
                    camera.shoot(questions, tall, chosen.to / f"{'-'.join(words)}.png")
        browser.close()
    print(f"Pictures are in {chosen.to}.")


if __name__ == "__main__":
    main()
