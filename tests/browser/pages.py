"""A world behind a page, and what the page must say of it by its archive, worked out without the page."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, Page

from ingest.service import build, onboarding
from ingest.service.clock import Clock
from ingest.store import progress
from ingest.web import Server, Source, authorize, create_app
from tests.world import DAY, HOUR, START, Time, World
from tests.worlds import HOME, SITE

BERLIN = ZoneInfo("Europe/Berlin")
COLUMNS = {"Produced": "produced_wh", "Consumed": "consumed_wh", "From grid": "imported_wh", "To grid": "exported_wh"}
DATA = "window.page.data"
Row = Mapping[str, Any]


class Shown:
    """A world behind a page, with the routes of consent."""

    def __init__(self, folder: Path) -> None:
        tariff = {"from": "2026-01-01", "currency": "EUR", "import": 0.3, "export": 0.1}
        web = {"listen": "127.0.0.1:0"}
        self.world = World(folder, [SITE], time=Time(START + 9 * DAY + 11 * HOUR), web=web, tariffs=[tariff])
        self.world.run(2 * HOUR)
        self.now = int(self.world.time.true)
        self.source = Source(self.world.settings, self.world.store, lambda: self.now, lambda: self.now)
        clock = Clock()
        flow = onboarding.flow(self.world.settings, clock, build.network(clock))
        self.server = Server(create_app(self.source, [authorize.blueprint(flow)]), "127.0.0.1", 0).start()
        self.url = self.server.url

    def end(self) -> None:
        self.server.stop()
        self.world.end()

    @cached_property
    def quarters(self) -> dict[int, dict[str, float]]:
        """The archive's quarters of an hour, with the grid as it follows from the rest."""
        rows = {at: dict(row) for at, row in self.world.rows("energy", SITE.system_id).items()}
        for row in rows.values():
            if "net_wh" in row:
                row |= {"imported_wh": max(0.0, -row["net_wh"]), "exported_wh": max(0.0, row["net_wh"])}
        return rows

    @cached_property
    def days(self) -> dict[str, Row]:
        """The archive's days, and what is known of the running one."""
        found = {str(row["date"]): dict(row) for row in self.world.rows("energy_daily", SITE.system_id).values()}
        for row in found.values():
            if "self_consumed_wh" in row:
                row["imported_wh"] = max(0.0, row["consumed_wh"] - row["self_consumed_wh"])
                row["exported_wh"] = max(0.0, row["produced_wh"] - row["self_consumed_wh"])
        today = day_of(self.now)
        return {**found, today: sums([row for at, row in self.quarters.items() if day_of(at) == today])}

    @cached_property
    def money(self) -> dict[str, float]:
        """What was earned and saved on each day."""
        rows = self.world.rows("money_daily", SITE.system_id).values()
        return {str(row["date"]): row.get("earned", 0.0) + row.get("saved", 0.0) for row in rows}


class Family(Shown):
    """A home of two systems, and room for more."""

    def __init__(self, folder: Path) -> None:
        house = replace(HOME, name="House", operational_at=START - 3 * DAY)
        sites = [house, replace(house, system_id=8001, name="Barn", size_w=3000)]
        self.world = World(folder, sites, time=Time(START + 12 * HOUR), homes={"ranch": [8000, 8001]})
        self.world.run(HOUR)
        self.now = int(self.world.time.true)
        self.source = Source(self.world.settings, self.world.store, lambda: self.now, lambda: self.now)
        self.server = Server(create_app(self.source), "127.0.0.1", 0).start()
        self.url = self.server.url

    def grow(self) -> None:
        """Sixty systems more, of which nothing is known."""
        with self.world.store.transaction() as db:
            row = progress.system(db, "8000")
            assert row is not None
            for number in range(60):
                progress.save_system(db, replace(row, system=str(9000 + number), name=f"Cabin {number}"))
        self.source._made = None


def day_of(at: int) -> str:
    """The local day of a moment."""
    return datetime.fromtimestamp(at, UTC).astimezone(BERLIN).date().isoformat()


def sums(rows: list[Any]) -> dict[str, float]:
    """The sums of the energies that are there."""
    names = {name for row in rows for name, value in row.items() if isinstance(value, float)}
    return {name: sum(row[name] for row in rows if name in row) for name in names}


def wait_until(page: Page, condition: str) -> None:
    """Ask the page until a condition holds; its own rules forbid it to poll evaluated strings."""
    deadline = time.monotonic() + 30
    while not page.evaluate(f"!!({condition})"):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(20)


def opened(browser: Browser, url: str, width: int = 1280, **options: Any) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900}, **options)
    page.goto(url)
    wait_until(page, "window.page && window.page.charts.curve && window.page.charts.daily")
    return page


def kwh(row: Row, name: str, digits: int) -> str:
    """An energy as the page writes it."""
    return f"{row[name] / 1000:,.{digits}f}" if name in row else "\u2013"


READ = """() => {
    const told = (at) => at.querySelector('time')?.getAttribute('datetime') ?? at.textContent.trim();
    const cells = (selector) => [...document.querySelectorAll(selector)].map((row) => [...row.children].map(told));
    return {
        data: window.page.data,
        hours: cells('#live-day tbody tr'), hourHeads: cells('#live-day thead tr')[0],
        bars: cells('#live-table tbody tr'), barHeads: cells('#live-table thead tr')[0],
        tiles: cells('.tiles > div'),
        day: document.querySelector('#live-day summary time').getAttribute('datetime'),
        file: document.querySelector('#live-day a[download]').getAttribute('href'),
        curve: window.page.charts.curve?.data, daily: window.page.charts.daily?.data,
    };
}"""


def check_numbers(page: Page, shown: Shown) -> None:
    """Every number that the page shows of energy and money is that of the archive, whatever day and range it is at."""
    seen = page.evaluate(READ)
    _curve(seen, shown)
    _hours(seen, shown)
    _bars(seen, shown)
    tiles = {name: rest for name, *rest in seen["tiles"]}
    today = shown.days[day_of(shown.now)]
    for name, field in (("Produced", "produced_wh"), ("Consumed", "consumed_wh"), ("From the grid", "imported_wh")):
        assert tiles[name][0] == f"{kwh(today, field, 1)} kWh", name
    assert tiles["Worth"][0] == f"{shown.money[day_of(shown.now)]:,.2f} EUR"


def _curve(seen: Row, shown: Shown) -> None:
    curve = seen["data"]["curve"]
    for key, field, drawn in (("produced_w", "produced_wh", 1), ("consumed_w", "consumed_wh", 2)):
        rows = [shown.quarters.get(curve["start"] + 900 * at, {}) for at in range(len(curve[key]))]
        held = [None if field not in row else round(row[field] * 4) for row in rows]
        assert curve[key] == held
        if seen["curve"]:
            assert seen["curve"][drawn][: len(held)] == held, "what is drawn"
    last = date.fromisoformat(seen["day"])
    assert day_of(curve["end"] - 900) == seen["day"]
    assert day_of(curve["start"]) == (last - timedelta(days=seen["data"]["days"] - 1)).isoformat()


def _hours(seen: Row, shown: Shown) -> None:
    mine = {at: row for at, row in shown.quarters.items() if day_of(at) == seen["day"]}
    by_hour: dict[str, list[Row]] = {}
    for at in sorted(mine):
        by_hour.setdefault(f"{datetime.fromtimestamp(at, UTC).astimezone(BERLIN):%H:00}", []).append(mine[at])
    fields = [COLUMNS[head.removesuffix(", kWh")] for head in seen["hourHeads"][1:]]
    if not mine:
        assert seen["hours"] == [["Nothing is known of this day."]]
        return
    assert seen["hours"] == [[hour, *(kwh(sums(rows), field, 2) for field in fields)] for hour, rows in by_hour.items()]
    assert seen["file"].endswith(f"day={seen['day']}")


def _bars(seen: Row, shown: Shown) -> None:
    *fields, money = seen["barHeads"][1:]
    assert money == "Worth, EUR"
    for key, *cells, worth in seen["bars"]:
        rows = [row for day, row in shown.days.items() if day.startswith(key)]
        total = sums(rows)
        assert cells == [kwh(total, COLUMNS[head.removesuffix(", kWh")], 1) for head in fields], key
        brought = [value for day, value in shown.money.items() if day.startswith(key)]
        assert worth == (f"{sum(brought):,.2f}" if brought else "\u2013"), key
    assert [bar[0] for bar in seen["data"]["bars"]] == [row[0] for row in reversed(seen["bars"])]
    for key, made, used, *_ in seen["data"]["bars"]:
        total = sums([row for day, row in shown.days.items() if day.startswith(key)])
        held = [round(total[name]) if name in total else None for name in ("produced_wh", "consumed_wh")]
        assert [made, used] == held, key
