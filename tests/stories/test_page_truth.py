"""What the page shows of energy and money is the simulator's truth: odd days, a month with a hole, a tariff at noon."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import pytest

from ingest.core.days import days_between, midnight, zone
from ingest.web import Source, create_app
from tests.world import DAY, HOUR, Time, World
from tests.worlds import HOME

BERLIN = zone("Europe/Berlin")
NAMES = ("produced", "consumed", "imported", "exported")


@dataclass
class Truth:
    """A house in the evening of an odd `day` of so many `hours`, at whose noon the price rises, and the page of it."""

    world: World
    day: date
    hours: int
    hole: range
    now: int

    @cached_property
    def known(self) -> dict[int, dict[str, float]]:
        """Every quarter of an hour that was read (Wh), by the simulator; the newest ones of a meter alone."""
        rows, found = self.world.rows("energy", HOME.system_id), dict[int, dict[str, float]]()
        parts = (("produced", "rgm_stats", "wh_del"), ("consumed", "consumption", "enwh"))
        for name, stream, key in parts:
            until = max(at for at, row in rows.items() if f"{name}_wh" in row) + 900
            for row in self.world.cloud.truth(HOME.system_id, stream, min(rows), until):
                if (at := row["end_at"] - 900) not in self.hole:
                    found.setdefault(at, {})[name] = row[key]
        for both in found.values():
            if len(both) == 2:
                net = both["produced"] - both["consumed"]
                both |= {"imported": max(0.0, -net), "exported": max(0.0, net)}
        return found

    def of(self, day: date) -> dict[int, dict[str, float]]:
        """Those of a local day."""
        return {at: row for at, row in sorted(self.known.items()) if local(at).date() == day}

    def total(self, day: date, name: str) -> float:
        return sum(row.get(name, 0.0) for row in self.of(day).values())

    @cached_property
    def noon(self) -> int:
        return midnight(self.day, BERLIN) + (11 if self.hours == 23 else 13) * HOUR

    def money(self, at: int) -> dict[str, float]:
        """What a quarter of an hour costs, earns and saves: 0.30 to the noon of the odd day, 0.50 from then on."""
        if "imported" not in self.known[at]:
            return {}
        row, price = self.known[at], 0.5 if at >= self.noon else 0.3
        quarters = 4 * self.hours if local(at).date() == self.day else 96
        return {
            "cost": row["imported"] / 1000 * price + 0.96 / quarters,
            "earned": row["exported"] / 1000 * 0.1,
            "saved": (row["consumed"] - row["imported"]) / 1000 * price,
        }

    def worth(self, day: date) -> float:
        return sum(sum(value for name, value in self.money(at).items() if name != "cost") for at in self.of(day))

    def page(self, query: str = "") -> str:
        source = Source(self.world.settings, self.world.store, lambda: self.now, lambda: self.now)
        return str(create_app(source).test_client().get(f"/{query}").get_data(as_text=True))


def local(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(BERLIN)


@pytest.fixture(scope="module", params=[(2026, 10, 25, 25), (2026, 3, 29, 23)], ids=["25 hours", "23 hours"])
def truth(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Truth]:
    *parts, hours = request.param
    day = date(*parts)
    begin = midnight(day, BERLIN)
    now, hole = begin + 21 * HOUR, range(begin - 3 * DAY + 9 * HOUR, begin - 3 * DAY + 15 * HOUR, 900)
    site = replace(HOME, operational_at=now - 40 * DAY, hidden=((hole.start, hole.stop, now + 30 * DAY),))
    old: dict[str, Any] = {"from": "2025-01-01", "currency": "EUR", "import": 0.3, "export": 0.1, "standing": 0.96}
    made = World(
        tmp_path_factory.mktemp("truth"),
        [site],
        time=Time(now - DAY),
        api={"plan": {"per_minute": 300, "per_month": 300_000}},
        systems=[{"id": HOME.system_id, "since": "9d"}],
        tariffs=[old, {**old, "from": f"{day} 12:00", "import": 0.5}],
        invested=12_500,
        web={"listen": "127.0.0.1:0"},
    )
    made.run(DAY)
    yield Truth(made, day, hours, hole, now)
    made.end()


def tiles(text: str) -> dict[str, str]:
    found = re.findall(r"<dt>([^<]+)</dt><dd class=\"\w*\">([^<]+) <small>", text)
    return dict(found)


def data(text: str) -> Any:
    found = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_the_tiles_are_the_truth_of_an_odd_day(truth: Truth) -> None:
    shown = tiles(truth.page())
    for tile, name in zip(("Produced", "Consumed", "From the grid", "To the grid"), NAMES, strict=True):
        assert shown[tile] == f"{truth.total(truth.day, name) / 1000:,.1f}", tile
    made = truth.total(truth.day, "produced")
    own = sum(min(row["produced"], row["consumed"]) for row in truth.of(truth.day).values() if "imported" in row)
    assert shown["Self-consumption"] == f"{100 * own / made:,.0f}"
    assert shown["Worth"] == f"{truth.worth(truth.day):,.2f}"


def test_curve_hours_and_file_are_the_truth(truth: Truth) -> None:
    text = truth.page(f"?system={HOME.system_id}&day={truth.day}&days=1")
    curve = data(text)["curve"]
    assert curve["end"] - curve["start"] == truth.hours * HOUR
    for index, at in enumerate(range(curve["start"], curve["start"] + 900 * len(curve["produced_w"]), 900)):
        row = truth.known.get(at, {})
        for name in NAMES[:2]:
            assert curve[f"{name}_w"][index] == (round(4 * row[name]) if name in row else None)
    rows = re.findall(r'<tr><th scope="row">(\d\d:00)</th>((?:<td>[^<]*</td>)+)</tr>', text)
    hours: dict[tuple[str, int], list[dict[str, float]]] = {}
    for at, row in truth.of(truth.day).items():
        hours.setdefault((f"{local(at):%H:00}", local(at).fold), []).append(row)
    assert [name for name, _ in rows] == [name for name, _ in hours], "the repeated hour comes twice"
    for (_, cells), parts in zip(rows, hours.values(), strict=True):
        held = {name: [row[name] for row in parts if name in row] for name in NAMES}
        sums = [f"{sum(values) / 1000:,.2f}" if values else "\u2013" for values in held.values()]
        assert re.findall(r"<td>([^<]*)</td>", cells)[:4] == sums
    source = Source(truth.world.settings, truth.world.store, lambda: truth.now, lambda: truth.now)
    file = create_app(source).test_client().get(f"/day.csv?system={HOME.system_id}&day={truth.day}").text
    lines = list(csv.DictReader(io.StringIO(file)))
    assert len(lines) == len(truth.of(truth.day))
    for line, at in zip(lines, truth.of(truth.day), strict=True):
        for name, value in truth.money(at).items():
            assert float(line[name]) == pytest.approx(value, abs=1e-9)


def test_bars_and_their_money_are_the_truth(truth: Truth) -> None:
    text = truth.page(f"?system={HOME.system_id}")
    bars = {bar[0]: bar for bar in data(text)["bars"]}
    worths = dict(re.findall(r'datetime="([\d-]+)">[^<]*</time></a>.*?<td>([^<]*)</td></tr>', text))
    holed = local(truth.hole.start).date()
    for day in days_between(truth.day - timedelta(days=7), 8, BERLIN):
        key, rows = day.date.isoformat(), truth.of(day.date)
        if day.date != holed:
            assert bars[key][1] == pytest.approx(truth.total(day.date, "produced"), rel=0.002), key
            assert bars[key][2] == pytest.approx(truth.total(day.date, "consumed"), rel=0.002), key
        assert worths[key] == f"{truth.worth(day.date):,.2f}", key
        assert len(rows) == (72 if day.date == holed else len(rows))


def test_the_money_of_a_month_with_a_hole_is_that_of_what_is_known(truth: Truth) -> None:
    text = truth.page()
    money = [worth for at in truth.known if local(at).month == truth.day.month and (worth := truth.money(at))]
    cost, earned, saved = (sum(row[name] for row in money) for name in ("cost", "earned", "saved"))
    assert f'<p class="figure">{earned + saved:,.2f} <small>EUR earned and saved' in text
    assert f"<dt>today</dt><dd>{truth.worth(truth.day):,.2f}</dd>" in text
    assert f"<dt>paid, standing charge included</dt><dd>{cost:,.2f}</dd>" in text
    assert f"<dt>without the sun</dt><dd>{cost + saved:,.2f}</dd>" in text
    back = sum(truth.worth(day.date) for day in days_between(local(min(truth.known)).date(), 12, BERLIN))
    began = local(min(truth.known)).date()
    since = f'<time datetime="{began}">{began}</time>'
    assert f"<dt>came back of 12,500 since {since}</dt><dd>{back:,.0f}</dd>" in text
