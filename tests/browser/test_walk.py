"""Every way through the page: by mouse, by finger and by keyboard; the address says where one is."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.pages import DATA, Shown, opened, wait_until
from tests.world import HOUR, START
from tests.worlds import SITE

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture
def page(shown: Shown, browser: Browser) -> Iterator[Page]:
    made = opened(browser, f"{shown.url}?system={SITE.system_id}&range=year")
    yield made
    made.close()


@pytest.fixture
def phone(shown: Shown, browser: Browser) -> Iterator[Page]:
    made = opened(browser, f"{shown.url}?system={SITE.system_id}", 400, has_touch=True, is_mobile=True)
    yield made
    made.close()


def bar(page: Page, key: str) -> Any:
    """Where a bar stands in the box of its chart."""
    return page.evaluate(
        """(key) => {
            const plot = window.page.charts.daily, index = window.page.data.bars.findIndex((row) => row[0] === key);
            return { x: plot.valToPos(plot.data[0][index], 'x'), y: 60 };
        }""",
        key,
    )


def day_of(page: Page) -> str:
    """The local day of the curve."""
    return str(page.evaluate(f"new Date(({DATA}.curve.start + 43200) * 1000).toISOString().slice(0, 10)"))


def test_a_month_leads_to_its_days_and_a_day_to_its_curve(page: Page, shown: Shown) -> None:
    page.click("#daily .u-over", position=bar(page, "2026-07"))
    wait_until(page, f"{DATA}.range === 'month'")
    assert "range=month" in page.url
    page.click("#daily .u-over", position=bar(page, "2026-07-05"))
    wait_until(page, f"{DATA}.days === 1")
    assert "day=2026-07-05" in page.url
    assert day_of(page) == "2026-07-05"
    made = page.evaluate("window.page.charts.curve.data[1]")
    rows = shown.world.rows("energy", SITE.system_id)
    begin = START + 4 * 24 * HOUR - 2 * HOUR
    assert made == [round(rows[begin + 900 * at]["produced_wh"] * 4) for at in range(96)]
    page.reload()
    wait_until(page, "window.page.charts.curve")
    assert day_of(page) == "2026-07-05", "the address is enough"
    page.go_back()
    wait_until(page, f"{DATA}.days === 3")
    page.go_back()
    wait_until(page, f"{DATA}.range === 'year'")


def test_the_keyboard_walks_bars_days_and_the_calendar(page: Page) -> None:
    page.focus("#daily")
    for key in ("End", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
    assert "2026" in page.inner_text("#daily-time")
    page.keyboard.press("Enter")
    wait_until(page, f"{DATA}.range === 'month'")
    page.focus("#daily")
    for key in ("End", "ArrowLeft", "ArrowLeft", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    wait_until(page, f"{DATA}.days === 1")
    assert day_of(page) == "2026-07-07"
    wait_until(page, "document.querySelector('#curve .uplot')")
    page.focus("#curve")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    wait_until(page, "document.getElementById('curve-time').textContent.includes(':15')")
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    wait_until(page, f"new Date(({DATA}.curve.start + 43200) * 1000).toISOString().startsWith('2026-07-08')")
    page.focus(".calendar [tabindex='0']")
    first = page.inner_text("#why")
    page.keyboard.press("ArrowUp")
    second = page.inner_text("#why")
    page.keyboard.press("ArrowLeft")
    assert len({first, second, page.inner_text("#why")}) == 3
    assert page.evaluate("document.activeElement.tagName") == "rect"


def test_a_finger_reads_values_and_opens_a_day(phone: Page) -> None:
    phone.evaluate("document.getElementById('daily').scrollIntoView({block: 'center'})")
    place = bar(phone, "2026-07-04")
    phone.tap("#daily .u-over", position=place)
    wait_until(phone, "document.getElementById('daily-made').textContent.includes('kWh')")
    assert phone.evaluate(f"{DATA}.days") == 3, "a tap shows the values, and leads nowhere yet"
    phone.tap("#daily-open")
    wait_until(phone, f"{DATA}.days === 1")
    assert "day=2026-07-04" in phone.url
    phone.tap("#curve .u-over", position={"x": 150, "y": 60})
    wait_until(phone, "document.getElementById('curve-made').textContent.includes('W')")
    phone.tap(".calendar rect.complete")
    assert "complete" in phone.inner_text("#why")


def test_the_newest_weeks_of_a_long_calendar_are_in_view_on_a_phone(shown: Shown, browser: Browser) -> None:
    made = opened(browser, f"{shown.url}?system={SITE.system_id}&weeks=53", 400)
    box = made.locator(".calendar").first.locator("rect").last.bounding_box()
    assert box is not None
    assert 0 < box["x"] < 400
    made.click("#earlier")
    wait_until(made, "document.getElementById('later')")
    box = made.locator(".calendar").first.locator("rect").last.bounding_box()
    assert box is not None
    assert 0 < box["x"] < 400, "also on another day"
    made.close()


def test_dates_are_the_readers_own(shown: Shown, browser: Browser) -> None:
    for locale, words in (("de-DE", "10. Juli 2026"), ("en-GB", "10 Jul 2026"), ("en-US", "Jul 10, 2026")):
        view = browser.new_context(locale=locale)
        made = view.new_page()
        made.goto(f"{shown.url}?system={SITE.system_id}")
        wait_until(made, "window.page && window.page.charts.daily")
        assert words in made.inner_text("#live-curve-head"), locale
        view.close()


def test_labels_of_the_axes_are_never_cut(shown: Shown, browser: Browser) -> None:
    for width in (360, 400, 1280):
        made = opened(browser, f"{shown.url}?system={SITE.system_id}", width)
        for link, condition in (
            ("", "true"),
            ("[data-range=all]", f"{DATA}.range === 'all'"),
            ("[data-range=year]", f"{DATA}.range === 'year'"),
            ("[data-days='30']", f"{DATA}.days === 30"),
        ):
            if link:
                made.click(link)
            wait_until(made, condition)
            room = made.evaluate(
                """Object.values(window.page.charts).map((plot) => {
                    const axis = plot.axes[1], ink = plot.ctx;
                    ink.save(); ink.font = axis.font[0] || axis.font;
                    const widest = Math.max(...(axis._values || []).map((text) => ink.measureText(text || '').width));
                    ink.restore();
                    return [widest / devicePixelRatio, axis._size];
                })"""
            )
            assert room
            assert all(widest <= size for widest, size in room), (width, link, room)
        made.close()
