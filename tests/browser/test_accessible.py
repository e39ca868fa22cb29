"""axe-core finds nothing serious on any page, in any state, light or dark, on a phone or at a desk."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.pages import Family, Shown
from tests.worlds import SITE

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
ROOT = Path(__file__).parents[2]
PAGES = (
    "",
    pytest.param(f"?system={SITE.system_id}&day=2026-07-05&range=month", marks=pytest.mark.long),
    f"?system={SITE.system_id}&range=all&weeks=26",
    "systems",
    "systems?q=nobody",
    "authorize/home",
    "authorize/nobody",
    "oauth/callback?state=unknown",
)
HOME_PAGE = "?system=ranch"


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core, from the lock of the tests' JavaScript."""
    found = ROOT / ".reader/node_modules/axe-core/axe.min.js"
    made = subprocess.run([ROOT / "scripts/reader.sh"], check=False, capture_output=True, text=True)
    if not found.exists():
        if os.environ.get("INGEST_REQUIRE_SERVERS") == "1":
            pytest.fail(made.stderr)
        pytest.skip("axe-core could not be installed")
    return found.read_text()


@pytest.mark.parametrize("path", [*PAGES, HOME_PAGE])
def test_axe_finds_nothing_serious(shown: Shown, family: Family, browser: Browser, axe: str, path: str) -> None:
    url = family.url if path == HOME_PAGE else shown.url
    for scheme, width in (("light", 1280), ("dark", 400)):
        view: Any = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            bypass_csp=True,
        )
        page = view.new_page()
        page.goto(url + path)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.querySelectorAll('details').forEach((at) => { at.open = true; })")
        page.evaluate(axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        told = [
            (rule["id"], rule["impact"], [node["html"][:120] for node in rule["nodes"]][:3])
            for rule in found
            if rule["impact"] in ("serious", "critical", "moderate")
        ]
        assert told == [], (path, scheme, width)
        view.close()
