"""What is on the page can be seen: contrast of the squares, columns on a phone, commands and quantities in one line."""

import pytest
from playwright.sync_api import Browser

from tests.browser.pages import Family, Shown, opened
from tests.worlds import SITE

CONTRAST = """(kind) => {
    const parts = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const light = (text) => parts(text).map((value) => value / 255)
        .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
        .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
    const card = light(getComputedStyle(document.querySelector("#live-coverage")).backgroundColor);
    const key = document.querySelector(`.legend .key.${kind}`);
    const square = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    square.setAttribute("class", kind);
    document.querySelector(".calendar").append(square);
    const style = getComputedStyle(square), edge = style.stroke === "none" ? style.fill : style.stroke;
    const border = getComputedStyle(key).boxShadow, fill = getComputedStyle(key).backgroundColor;
    const found = [edge, border === "none" ? fill : border].map(light);
    square.remove();
    return Math.min(...found.map((at) => (Math.max(at, card) + 0.05) / (Math.min(at, card) + 0.05)));
}"""
LINES = """(selector) => [...document.querySelectorAll(selector)].map((at) => at.getClientRects().length)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_squares_that_are_queued_or_not_included_are_seen(shown: Shown, browser: Browser, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{shown.url}?system={SITE.system_id}")
    for kind in ("queued", "outside"):
        assert page.evaluate(CONTRAST, kind) >= 3, kind
    fills = [page.evaluate(f"getComputedStyle(document.querySelector('.key.{kind}')).backgroundColor")
             for kind in ("queued", "outside")]  # fmt: skip
    assert fills[0] != fills[1], "one is a square, the other an outline"
    page.close()


def test_age_read_and_gaps_of_every_system_are_in_view_on_a_phone(family: Family, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(f"{family.url}systems")
    for title in ("Age", "Read, %", "Gaps"):
        box = page.get_by_role("columnheader", name=title).bounding_box()
        assert box is not None, title
        assert box["x"] + box["width"] <= 390, title
    assert page.evaluate("[...document.querySelectorAll('.scroll')].every((at) => at.scrollWidth <= at.clientWidth)")
    page.close()


def test_a_command_or_a_quantity_is_not_broken(shown: Shown, browser: Browser) -> None:
    page = opened(browser, f"{shown.url}?system={SITE.system_id}", 390)
    page.evaluate(
        """() => { const at = document.querySelector("#live-state p"); const parts = [];
        for (const dots of Array(40).keys()) parts.push(".".repeat(dots) + " <code>ingest status --problems</code>");
        at.innerHTML = parts.join(" "); }"""
    )
    assert set(page.evaluate(LINES, "#live-state code")) == {1}
    quantities = page.evaluate(LINES, ".whole-words")
    assert quantities
    assert set(quantities) == {1}
    page.close()


def test_hours_have_a_leading_zero_only_where_a_day_has_24(shown: Shown, browser: Browser) -> None:
    for locale, words in (("en-US", "9:00 AM"), ("de-DE", "09:00")):
        view = browser.new_context(locale=locale)
        page = view.new_page()
        page.goto(f"{shown.url}?system={SITE.system_id}")
        page.wait_for_selector("#curve .uplot")
        said = page.evaluate(
            """() => { const at = document.createElement("div");
            at.innerHTML = '<time datetime="2026-07-10T07:00:00Z" data-zone="Europe/Berlin"></time>';
            window.page.localize(at); return at.textContent; }"""
        )
        assert said.replace("\u202f", " ").endswith(words), said
        assert ("0" + words not in said) or locale == "de-DE"
        view.close()


def test_money_of_a_part_of_the_month_says_so(shown: Shown, browser: Browser) -> None:
    """History begins on the fourth day of the month, of ten."""
    page = opened(browser, f"{shown.url}?system={SITE.system_id}")
    hours = sum(row["hours"] for row in shown.world.rows("money_daily", SITE.system_id).values())
    missing = int(9 + 13 / 24 + 2 / 24 - hours / 24)
    assert missing > 0
    assert f"known of {10 - missing} of 10 days" in page.inner_text("#live-cards")
    page.close()
