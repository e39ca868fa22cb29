"""The page in a real browser: what is drawn is what the archive holds, and nothing overflows."""

import shutil

import pytest
from playwright.sync_api import Browser

from tests.browser.pages import Shown, opened, wait_until
from tests.world import DAY, HOUR, START
from tests.worlds import SITE

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def test_what_is_drawn_is_what_the_archive_holds(shown: Shown, browser: Browser) -> None:
    page = opened(browser, shown.url)
    times, made, used = page.evaluate("window.page.charts.curve.data")
    rows = shown.world.rows("energy", SITE.system_id)
    assert len(times) > 2 * 96
    assert max(value for value in made if value is not None) > 1000
    for at, power, load in zip(times, made, used, strict=True):
        row = rows.get(at, {})
        assert power == (round(row["produced_wh"] * 4) if "produced_wh" in row else None)
        assert load == (round(row["consumed_wh"] * 4) if "consumed_wh" in row else None)
    _, produced, _, running, _ = page.evaluate("window.page.charts.daily.data")
    names = page.evaluate("window.page.data.bars.map((bar) => bar[0])")
    daily = {row["date"]: row["produced_wh"] for row in shown.world.rows("energy_daily", SITE.system_id).values()}
    assert produced == [round(daily[name]) if name in daily else None for name in names]
    assert sum(name in daily for name in names) >= 5
    today = sum(row.get("produced_wh", 0) for at, row in rows.items() if at >= START + 9 * DAY - 2 * HOUR)
    assert running[-1] == round(today), "the running day has its bar"
    painted = page.evaluate(
        """[...document.querySelectorAll('.plot canvas')].map((canvas) => {
            const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            const colours = new Set();
            for (let i = 0; i < pixels.length; i += 4)
                if (pixels[i + 3] > 200) colours.add(pixels.slice(i, i + 3).join());
            return colours.size;
        })"""
    )
    assert len(painted) == 2
    assert min(painted) > 2, "ink on both canvases"
    page.close()


def test_the_heatmap_says_of_each_day_what_it_is_and_why(shown: Shown, browser: Browser) -> None:
    page = opened(browser, shown.url)
    kinds = page.evaluate("[...document.querySelectorAll('.calendar rect')].map((cell) => cell.className.baseVal)")
    assert len(page.query_selector_all(".calendar")) == 3
    assert {"complete", "waiting", "outside"} <= set(kinds)
    page.click(".calendar rect.waiting")
    told = page.inner_text("#why")
    assert "not yet due" in told or "waiting for the gateway" in told
    page.close()


@pytest.mark.each_value
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_nothing_overflows(shown: Shown, browser: Browser, width: int, scheme: str) -> None:
    for path in ("", "?weeks=106", "?range=year", "?day=2026-07-05&days=7", "systems"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(shown.url + path)
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        cut = page.evaluate(
            """[...document.querySelectorAll('main *:not(.u-over):not(.hidden)')].filter((at) => {
                const box = at.getBoundingClientRect();
                return box.width && !at.closest('.scroll, .plot, svg') && (box.right > innerWidth + 1 || box.left < -1);
            }).map((at) => at.outerHTML.slice(0, 90))"""
        )
        assert cut == []
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, ground.strip("rgb()").split(","))) < 200) == (scheme == "dark")
        page.close()


def test_no_request_leaves_the_page_and_no_rule_of_it_is_broken(shown: Shown, browser: Browser) -> None:
    page = browser.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(shown.url)
    wait_until(page, "window.page && window.page.charts.curve")
    page.click("[data-days='30']")
    wait_until(page, "window.page.data.days === 30")
    page.click("[data-range=all]")
    wait_until(page, "window.page.data.range === 'all'")
    assert said == []
    assert all(url.startswith((shown.url, "data:")) for url in asked), asked
    page.close()


def test_ranges_and_hover(shown: Shown, browser: Browser) -> None:
    page = opened(browser, shown.url)
    page.click("[data-days='1']")
    wait_until(page, "window.page.data.days === 1")
    times = page.evaluate("window.page.charts.curve.data[0]")
    assert len(times) == 96, "one whole local day"
    assert (times[0] + 2 * HOUR) % DAY == 0
    page.hover("#curve .u-over", position={"x": 300, "y": 60})
    wait_until(page, "document.getElementById('curve-made').textContent.includes('W')")
    assert "Jul" in page.inner_text("#curve-time")
    page.close()


def test_the_essentials_are_there_without_a_script(shown: Shown, browser: Browser) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(shown.url)
    text = page.inner_text("body")
    for words in ("All is well", "Power", "Produced", "final up to", "Calls this month", "Databases"):
        assert words in text
    assert page.locator(".calendar rect").count() > 100
    page.close()
