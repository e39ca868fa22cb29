"""Pictures of the page for the README, from the simulator, so that they never lie: `make screenshots`.

Starts the program on a state of its own, waits until history is there, and opens the page in Chromium.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHOTS = {"light": (1280, 1000, "light"), "dark": (1280, 1000, "dark"), "phone": (375, 812, "light")}
PATIENCE = 600


def start(state: str) -> tuple[subprocess.Popen[str], str]:
    """A runner on the simulator, and its address."""
    here = {"INGEST_COMMAND": "ingest", "INGEST_CONFIG": "config/ingest.yaml", "INGEST_STATE_DIR": state}
    command = [sys.executable, "-c", "from ingest.cli import main; main()", "run"]
    runner = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | here)  # noqa: S603
    for line in runner.stderr or ():
        if found := re.match(r"Open (http://\S+)", line):
            return runner, found[1]
    raise SystemExit("the runner ended without a page")


def wait(url: str) -> str:
    """Wait until history has been read; returns the system with the most power."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"{url}api/status", timeout=10) as reply:  # noqa: S310 - our own page
            made = json.load(reply)
        systems = [row for row in made["systems"] if row["power_w"] is not None]
        if made["systems"] and len(systems) == len(made["systems"]) and made["backfill"]["ratio"] > 0.99:
            return str(max(systems, key=lambda row: row["power_w"])["system"])
        time.sleep(1)
    raise SystemExit("history was not read in time")


def shoot(url: str, folder: Path) -> None:
    """Every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        for name, (width, height, scheme) in SHOTS.items():
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                device_scale_factor=2 if name == "phone" else 1,
            )
            page.goto(url)
            for chart in ("#curve .uplot", "#daily .uplot"):
                page.wait_for_selector(chart)
            page.wait_for_timeout(300)
            page.screenshot(path=folder / f"page-{name}.png", full_page=name != "phone")
            page.close()
        browser.close()


def main() -> None:
    """Start, wait, shoot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=Path("docs/images"))
    folder = parser.parse_args().to
    with tempfile.TemporaryDirectory() as state:
        runner, url = start(state)
        try:
            shoot(f"{url}?system={wait(url)}", folder)
        finally:
            runner.terminate()
            runner.communicate(timeout=20)


if __name__ == "__main__":
    main()
