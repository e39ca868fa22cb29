"""A newcomer's first minute: `run` prints an address, and soon there is a picture on the page."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser

CHROMIUM = shutil.which("chromium")


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    config = tmp_path / "c.yaml"
    shipped = Path("config/ingest.yaml").read_text()
    config.write_text(shipped.replace("web:\n", "web:\n  listen: 127.0.0.1:18080\n"))
    command = [sys.executable, "-c", "from ingest.cli import main; main()", "--config", str(config)]
    environment = os.environ | {"INGEST_STATE_DIR": str(tmp_path / "state"), "INGEST_COMMAND": "./ingest"}
    made = subprocess.Popen([*command, "run"], stderr=subprocess.PIPE, text=True, env=environment)
    said: list[str] = []
    assert made.stderr is not None
    for line in made.stderr:
        said.append(line)
        if "init" in line:
            break
    address = next(re.findall(r"Open (\S+)", line)[0] for line in said if line.startswith("Open "))
    yield made, address, said
    made.terminate()
    made.communicate(timeout=20)
    assert made.returncode == 0


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_picture_within_a_minute(runner: tuple[subprocess.Popen[str], str, list[str]], browser: Browser) -> None:
    process, url, said = runner
    assert re.search(r"\./ingest --config \S+ init$", said[-1]), "the last line says how to connect one's own system"
    begin = time.monotonic()
    page = browser.new_page()
    page.goto(url)  # at once, while there may be nothing yet: the page fills by itself
    # Not wait_for_function: it asks again from inside the page, whose own policy refuses evaluated text.
    for chart in ("#curve .uplot", "#daily .uplot"):
        page.wait_for_selector(chart, timeout=60_000)
    sunny = "window.page.charts.curve.data[1].filter((value) => value > 0).length > 10"
    while not page.evaluate(sunny):  # the first that was read may be of another stream: the page looks again by itself
        page.wait_for_event("response", timeout=60_000)
    page.wait_for_selector(".calendar rect.complete")
    assert page.is_visible(".simulated")
    page.close()
    assert time.monotonic() - begin < 60
    assert psutil.Process(process.pid).memory_info().rss < 160 * 2**20, "with the simulator inside"
