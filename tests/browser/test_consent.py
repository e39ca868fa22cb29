"""The whole consent in a real browser, over real HTTP: the page, the vendor's page, and back."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.serving import BaseWSGIServer, make_server

from ingest.auth.token_files import TokenFiles
from ingest.config import load
from ingest.service import build, onboarding
from ingest.service.clock import Clock
from ingest.simulator import SimulatedServer
from ingest.web import authorize, bare
from tests.consenting import configured, serving, started

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="needs /usr/bin/chromium; `make test` installs it as root"
)


@pytest.fixture(name="page")
def _page(browser: Browser) -> Iterator[Page]:
    """A phone in the dark, without scripts."""
    view = browser.new_context(viewport={"width": 360, "height": 640}, color_scheme="dark", java_script_enabled=False)
    view.set_default_timeout(15_000)
    yield view.new_page()
    view.close()


@pytest.fixture(name="cloud")
def _cloud() -> Iterator[SimulatedServer]:
    with serving() as cloud:
        yield cloud


@dataclass
class Home:
    """A page of its own on a port of its own; `url` is its address."""

    url: str
    files: TokenFiles

    def is_authorized(self) -> bool:
        return self.files.read("home") is not None


def opened(folder: Path, cloud: SimulatedServer, *, returns: bool) -> tuple[BaseWSGIServer, Home]:
    flask = bare("ingest")
    server = make_server("127.0.0.1", 0, flask, threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    api = {"redirect_uri": f"{url}/oauth/callback"} if returns else {}
    settings = load(configured(folder, cloud, api=api), {})
    clock = Clock()
    flow = onboarding.flow(settings, clock, build.network(clock))
    flask.register_blueprint(authorize.blueprint(flow))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, Home(url, flow.authorizer.files)


@pytest.fixture(name="home")
def _home(tmp_path: Path, cloud: SimulatedServer) -> Iterator[Home]:
    server, home = opened(tmp_path, cloud, returns=True)
    yield home
    server.shutdown()
    server.server_close()


@pytest.fixture(name="pasting")
def _pasting(tmp_path: Path, cloud: SimulatedServer) -> Iterator[Home]:
    server, home = opened(tmp_path, cloud, returns=False)
    yield home
    server.shutdown()
    server.server_close()


def test_an_owner_approves_and_comes_back_to_the_systems(page: Page, home: Home) -> None:
    page.goto(f"{home.url}/authorize/home")
    page.get_by_role("link", name=re.compile("consent page")).click()
    page.get_by_role("button", name="Approve").click()
    assert page.get_by_role("heading").first.inner_text() == "Authorized"
    assert "(700001)" in page.inner_text("ul")
    assert "The first poll is" in page.inner_text("main")
    assert home.is_authorized()


def test_an_owner_who_rejects_reads_what_to_do(page: Page, home: Home) -> None:
    page.goto(f"{home.url}/authorize/home")
    page.get_by_role("link", name=re.compile("consent page")).click()
    page.get_by_role("button", name="Reject").click()
    assert "the owner refused; nothing was changed" in page.get_by_role("alert").inner_text()
    assert not home.is_authorized()
    page.get_by_role("link", name="Begin again").click()
    page.get_by_role("link", name=re.compile("consent page")).click()
    page.get_by_role("button", name="Approve").click()
    assert home.is_authorized()


@pytest.mark.parametrize("what", ["code", "address"])
def test_the_code_of_the_vendors_page_is_pasted(page: Page, pasting: Home, what: str) -> None:
    page.goto(f"{pasting.url}/authorize/home")
    with page.context.expect_page() as opened_page:
        page.get_by_role("link", name=re.compile("consent page")).click()
    vendor = opened_page.value
    vendor.get_by_role("button", name="Approve").click()
    shown = vendor.inner_text("code")
    page.get_by_label("Code or address").fill(shown if what == "code" else vendor.url)
    page.get_by_role("button", name="Authorize home").click()
    assert page.get_by_role("heading").first.inner_text() == "Authorized"
    assert pasting.is_authorized()


def test_going_back_and_coming_again_is_harmless(page: Page, home: Home) -> None:
    page.goto(f"{home.url}/authorize/home")
    page.get_by_role("link", name=re.compile("consent page")).click()
    page.get_by_role("button", name="Approve").click()
    page.wait_for_load_state()
    page.goto(page.url)
    assert "used already; if the account is authorized, all is well" in page.get_by_role("alert").inner_text()
    assert home.is_authorized()


def test_the_page_fits_a_phone_and_is_dark_in_the_dark(page: Page, home: Home, browser: Browser) -> None:
    page.goto(f"{home.url}/authorize/home")
    box = page.get_by_role("button", name="Authorize home").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 360
    view = browser.new_context(viewport={"width": 360, "height": 640}, color_scheme="dark")
    looked_at = view.new_page()
    looked_at.goto(f"{home.url}/authorize/home")
    assert looked_at.evaluate("document.documentElement.scrollWidth") <= 360
    dark = looked_at.evaluate("getComputedStyle(document.body).color")
    view.close()
    assert sum(map(int, re.findall(r"\d+", dark)[:3])) > 3 * 200, "light words on a dark page"


@pytest.mark.parametrize("command", ["login", "init"])
def test_the_commands_lead_a_browser_through(page: Page, cloud: SimulatedServer, tmp_path: Path, command: str) -> None:
    config = configured(tmp_path, cloud)
    process = started(config, *(("auth", "login") if command == "login" else ("init",)))
    assert process.stdin
    assert process.stderr
    if command == "init":
        process.stdin.write("\n\n\nnone\n")
        process.stdin.flush()
    page.goto(next(line.strip() for line in process.stderr if "/authorize?" in line))
    page.get_by_role("button", name="Approve").click()
    out, err = process.communicate(page.inner_text("code") + "\n", timeout=60)
    assert process.returncode == 0, err
    assert "Account home is authorized." in out
    assert "(700001)" in out
