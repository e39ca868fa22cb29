"""Every control of every page works by mouse, by finger and by keyboard, and whatever it leads to shows the archive."""

import re

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.pages import DATA, Family, Shown, check_numbers, wait_until
from tests.world import DAY, START
from tests.worlds import SITE

CAUGHT = """addEventListener('click', (event) => {
    if (!window.held) return;
    window.held.push(event.isTrusted && event.target.closest(window.wanted) !== null);
    event.preventDefault();
    event.stopPropagation();
}, true)"""
"""While `held` is a list, a click is noted and leads nowhere."""


WALK = (
    ("[data-days='1']", f"{DATA}.days === 1"),
    ("#earlier", f"{DATA}.curve.end < {START + 9 * DAY}"),
    ("#later", f"{DATA}.curve.end > {START + 9 * DAY}"),
    ("[data-days='7']", f"{DATA}.days === 7"),
    ("#earlier", "document.getElementById('later')"),
    (".steps a:not([rel])", "!document.getElementById('later')"),
    ("[data-days='30']", f"{DATA}.days === 30"),
    ("[data-days='3']", f"{DATA}.days === 3"),
    ("[data-range=month]", f"{DATA}.range === 'month'"),
    ("nav[aria-label=Period] [rel=prev]", f"{DATA}.bars.at(-1)[0] === '2026-06-30'"),
    ("nav[aria-label=Period] [rel=next]", f"{DATA}.bars.at(-1)[0] > '2026-07'"),
    ("[data-range=year]", f"{DATA}.range === 'year'"),
    ("[data-range=all]", f"{DATA}.range === 'all'"),
    ("[data-range='30d']", f"{DATA}.range === '30d'"),
    ("#live-table summary", "document.getElementById('live-table').open"),
    ("#live-table tr:nth-child(3) a", f"{DATA}.days === 1"),
    ("#live-day summary", "document.getElementById('live-day').open"),
)
"""Each control of the charts and what must then be true."""
RELOADS = (
    *((f"nav[aria-label^=Weeks] a:nth-child({at})", "document.querySelector('.calendar')") for at in (4, 2, 3, 1)),
    ("a.brand", f"{DATA}.days === 3"),
)
"""Controls that load another page, which must be there with all its numbers."""
COVERED = (
    *(selector for selector, _ in WALK), *(selector for selector, _ in RELOADS), "a.skip", "#live-table td a",
    "#live-table th a", "#live-day a[download]", "#curve", "#daily", "#daily-open", ".scroll", ".calendar rect",
    "footer a", "nav.steps a", ".pills a", ".search input", "thead a", "tbody th a", ".bar > a.quiet", ".pages a",
    ".consent a", ".consent input", ".consent button", "main#main",
)  # fmt: skip
"""Everything that is walked here, in test_walk.py and in test_consent.py."""
CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex='-1'])"


def view_of(browser: Browser, url: str) -> Page:
    """A page for mouse, finger and keyboard."""
    view = browser.new_context(viewport={"width": 1000, "height": 900}, has_touch=True, reduced_motion="reduce")
    view.add_init_script(CAUGHT)
    page = view.new_page()
    page.goto(url)
    page.wait_for_load_state()
    return page


def act(page: Page, selector: str) -> None:
    """A finger and the Enter key do to a control what a click does; then it is clicked."""
    page.evaluate("(selector) => { window.wanted = selector; window.held = []; }", selector)
    page.tap(selector)
    page.focus(selector)
    page.keyboard.press("Enter")
    assert page.evaluate("window.held") == [True, True], selector
    page.evaluate("window.held = undefined")
    page.click(selector)


def test_every_control_of_the_charts(shown: Shown, browser: Browser) -> None:
    page = view_of(browser, f"{shown.url}?system={SITE.system_id}")
    wait_until(page, "window.page && window.page.charts.daily")
    check_numbers(page, shown)
    for selector, condition in WALK:
        act(page, selector)
        wait_until(page, condition)
        check_numbers(page, shown)
    with page.expect_download() as download:
        act(page, "#live-day a[download]")
    assert re.fullmatch(r"solar-4242-2026-07-\d\d\.csv", download.value.suggested_filename)
    rows = download.value.path().read_text().splitlines()[1:]
    assert len(rows) == 96, "the whole day by the quarter of an hour"
    for selector, condition in RELOADS:
        with page.expect_navigation():
            act(page, selector)
        wait_until(page, f"window.page && window.page.charts.curve && {condition}")
        check_numbers(page, shown)
    page.context.close()


def test_the_mouse_draws_a_part_of_the_curve_and_goes_back(shown: Shown, browser: Browser) -> None:
    page = view_of(browser, f"{shown.url}?system={SITE.system_id}")
    wait_until(page, "window.page && window.page.charts.curve")
    box = page.locator("#curve .u-over").bounding_box()
    assert box is not None
    scale = "(() => { const x = window.page.charts.curve.scales.x; return x.max - x.min; })()"
    whole = page.evaluate(scale)
    page.mouse.move(box["x"] + 100, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 50, steps=4)
    page.mouse.up()
    wait_until(page, f"{scale} < {whole / 2}")
    page.dblclick("#curve .u-over")
    wait_until(page, f"{scale} === {whole}")
    page.context.close()


@pytest.mark.parametrize("path", ["", "systems", "authorize/home", "authorize/nobody"])
def test_the_tab_key_reaches_every_control_in_order_and_shows_where_it_is(
    shown: Shown, browser: Browser, path: str
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(shown.url + path)
    page.wait_for_load_state()
    page.evaluate("document.querySelectorAll('details').forEach((at) => { at.open = true; })")
    page.evaluate("document.body.tabIndex = -1; document.body.focus()")
    page.evaluate(
        """(selector) => { window.controls = [...document.querySelectorAll(selector)].filter((at) =>
            at.checkVisibility() && at.getBoundingClientRect().width); }""",
        CONTROLS,
    )
    count = page.evaluate("window.controls.length")
    assert count >= 2
    page.evaluate("window.scrollTo(0, 0)")
    seen = []
    for _ in range(count):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                """() => { const at = document.activeElement, style = getComputedStyle(at);
                    return [window.controls.indexOf(at), style.outlineStyle !== 'none' || at.tagName === 'rect'
                        || style.borderStyle !== 'none']; }"""
            )
        )
    assert [at for at, _ in seen] == list(range(count)), page.evaluate("document.activeElement.outerHTML")
    assert all(is_marked for _, is_marked in seen)
    page.context.close()


@pytest.mark.parametrize("path", ["", "systems", "authorize/home", "authorize/nobody", "oauth/callback?state=unknown"])
def test_no_control_is_left_out(shown: Shown, family: Shown, browser: Browser, path: str) -> None:
    page = browser.new_page()
    for url in (shown.url, family.url) if path in ("", "systems") else (shown.url,):
        page.goto(url + path)
        page.wait_for_load_state()
        left = page.evaluate(
            "([all, known]) => [...document.querySelectorAll(all)].filter((at) => !at.matches(known))"
            ".map((at) => at.outerHTML.slice(0, 120))",
            [CONTROLS, ", ".join(COVERED)],
        )
        assert left == []
    page.context.close()


# ── several systems ───────────────────────────────────────────────────────────────────────────────────


def test_from_a_home_to_its_systems_and_back(family: Family, browser: Browser) -> None:
    page = view_of(browser, family.url)
    wait_until(page, "window.page && window.page.data")
    rows = family.world.rows("energy", "ranch")
    held = page.evaluate(f"{DATA}.curve")
    made = {at: row["produced_wh"] for at, row in rows.items() if "produced_wh" in row}
    times = range(held["start"], held["start"] + 900 * len(held["produced_w"]), 900)
    assert held["produced_w"] == [round(made[at] * 4) if at in made else None for at in times]
    assert sum(value is not None for value in held["produced_w"]) > 30
    assert page.inner_text("h1") == "ranch"
    act(page, "#live-coverage tbody tr:nth-child(2) a")
    page.wait_for_url("**/?system=8001")
    assert page.inner_text("h1") == "Barn"
    act(page, ".pills a:nth-child(1)")
    page.wait_for_url("**/?system=ranch")
    act(page, ".pills a:last-child")
    page.wait_for_url("**/systems")
    for at, name in enumerate(("name", "-power", "-today", "-yield", "-age", "read", "-gaps"), 1):
        act(page, f"thead th:nth-child({at}) a")
        page.wait_for_url(f"**sort={name}*")
        order = "descending" if name.startswith("-") else "ascending"
        assert page.get_attribute(f"thead th:nth-child({at})", "aria-sort") == order
    act(page, ".bar > a.quiet")
    page.wait_for_url("**sort=&*")
    cells = {row.split("\t")[0].split(" ")[0]: row.split("\t")[1:3] for row in page.inner_text("tbody").splitlines()}
    newest = {name: max(at for at in rows if "produced_wh" in rows[at]) for name in ("ranch",)}
    assert cells["ranch"][0] == f"{made[newest['ranch']] * 4:,.0f}"
    act(page, "tbody tr:nth-child(1) th a")
    page.wait_for_url("**/?system=*")
    page.context.close()


def test_search_and_pages_of_many(family: Family, browser: Browser) -> None:
    family.grow()
    page = view_of(browser, family.url)
    assert page.inner_text("h1") == "1 home, 62 systems"
    assert page.locator("tbody tr").count() == 50
    act(page, ".pages [rel=next]")
    page.wait_for_url("**page=2")
    assert page.locator("tbody tr").count() == 13
    act(page, ".pages [rel=prev]")
    page.wait_for_url("**page=1")
    page.tap("#q")
    page.keyboard.type("cabin 57")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=cabin+57*")
    assert page.inner_text("h1") == "1 system with “cabin 57”"
    page.context.close()
