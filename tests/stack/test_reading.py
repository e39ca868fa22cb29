"""What a person reads on the boards, in every situation, put through Grafana's own libraries."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from boards.__main__ import texts as written
from ingest.simulator import Site
from tests.stack.boards import FILES, board, panels
from tests.stack.reading import Panel, read
from tests.stack.seed import ALL, NOW, SITES, Seeded
from tests.stack.situations import SITUATIONS, build
from tests.world import DAY

MESA = SITES[0]
COUNTED = re.compile(r"-?[\d,]*\.?\d+")
CALENDAR = re.compile(r"20\d\d(-\d\d(-\d\d)?)?|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec")


@pytest.fixture(scope="session")
def seen(seeded: Seeded, reader: None) -> list[Panel]:
    build(seeded)
    return read(seeded)


def drawn(seen: list[Panel], *kinds: str) -> Iterator[Panel]:
    """The panels on which something is shown."""
    return (
        panel
        for panel in seen
        if panel.type != "text" and not panel.read["empty"] and (not kinds or panel.type in kinds)
    )


def find(seen: list[Panel], name: str, title: str, situation: str) -> Panel:
    (found,) = [panel for panel in seen if (panel.board, panel.title, panel.situation.name) == (name, title, situation)]
    return found


def significant(text: str) -> int:
    """How many digits of a number count."""
    match = COUNTED.search(text)
    return len(re.sub(r"\D", "", match[0]).lstrip("0")) if match else 9


def kwh(wh: float) -> str:
    """Energy as an owner says it."""
    number, unit = (wh / 1e6, "MWh") if wh >= 1e6 else (wh / 1e3, "kWh") if wh >= 1e3 else (wh, "Wh")
    decimals = 2 if number < 10 else 1 if number < 100 else 0
    return f"{Decimal(str(number)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)} {unit}"


def same(shown: str, wh: float) -> bool:
    """Whether a text says this energy, to three digits."""
    return shown == kwh(wh) or shown == re.sub(r"\.?0+ ", " ", kwh(wh))


# ── rows 1, 2, 9, 20: the calendar ────────────────────────────────────────────────────────────────────


def test_years_and_months_are_headings_and_words(seen: list[Panel]) -> None:
    for title in ("Month by year", "Year over year"):
        panel = find(seen, "history", title, "five years")
        assert [name for name in panel.headings if name != "Month"] == ["2021", "2022", "2023", "2024", "2025", "2026"]
        assert panel.column("Month") == [
            *("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
        ]
        assert panel.column("2025") != panel.column("2026")


def test_bars_stand_over_calendar_words(seen: list[Panel]) -> None:
    for panel in drawn(seen, "barchart"):
        assert all(CALENDAR.fullmatch(word) for word in panel.column(panel.x)), (panel.where, panel.column(panel.x)[:3])


def test_days_are_named_by_the_system_whoever_looks(seen: list[Panel], seeded: Seeded) -> None:
    elsewhere = "a browser in another zone"
    bay = SITES[2]
    truth = {day.isoformat(): wh["produced_wh"] for day, wh in seeded.daily(bay).items()}
    for name, title in (("history", "Best days"), ("now", "The last seven days"), ("history", "Days")):
        panel = find(seen, name, title, elsewhere)
        assert panel.column("Day")
        for day, shown in zip(panel.column("Day"), panel.column("Produced"), strict=True):
            assert same(shown, truth[day]), (panel.where, day, shown)


def test_what_is_missing_has_no_colour_and_zero_is_dark(seen: list[Panel]) -> None:
    for panel in drawn(seen, "table"):
        if panel.source["fieldConfig"]["defaults"].get("color", {}).get("mode", "").startswith("continuous"):
            for column in panel.columns:
                for raw, color in zip(column["raw"], column["colors"], strict=True):
                    assert raw is not None or color in (None, "transparent", "#00000000"), (panel.where, color)
    calendar = find(seen, "history", "Calendar of days, kWh", "a month with holes")
    assert "–" in {text for column in calendar.columns for text in column["texts"]}


# ── rows 3, 12, 15, 21: numbers ───────────────────────────────────────────────────────────────────────


def test_three_digits_count(seen: list[Panel]) -> None:
    for panel in drawn(seen):
        if panel.type in ("table", "barchart", "stat"):
            for text in panel.texts:
                if re.search(r"\d (Wh|kWh|MWh|W|kW)$", text) and "." not in text and not re.match(r"-?\d{3} ", text):
                    pytest.fail(f"{panel.where}: {text}") if not _is_exact(panel, text) else None


def _is_exact(panel: Panel, text: str) -> bool:
    """A number that has no more digits than are shown."""
    numbers = [value["number"] for value in panel.read["values"] if value["text"] == text]
    numbers += [
        raw
        for column in panel.columns
        for raw, shown in zip(column["raw"], column["texts"], strict=True)
        if shown == text
    ]
    scale = {"W": 1, "Wh": 1, "kW": 1e3, "kWh": 1e3, "MWh": 1e6}[text.rsplit(maxsplit=1)[-1]]
    return all(abs(float(number) / scale - float(text.split(maxsplit=1)[0])) < 0.005 for number in numbers)


def test_no_name_or_calendar_word_is_a_quantity(seen: list[Panel]) -> None:
    for panel in drawn(seen):
        for text in panel.texts:
            assert not re.search(r"\b(Mil|Bil|Tri|K|NaN|undefined|null|weeks?)\b", text), (panel.where, text)
    fleet = find(seen, "fleet", "Systems, least complete first", "four systems, Mesa (old roof)")
    assert sorted(fleet.column("System")) == sorted(str(site.system_id) for site in ALL)


def test_what_is_not_known_is_not_zero(seen: list[Panel]) -> None:
    for panel in (panel for panel in drawn(seen) if panel.situation.name == "without a consumption meter"):
        if panel.board not in ("now", "history"):
            continue
        for name in ("Consumed", "Net", "Days consumed", "Self-consumption"):
            assert name not in panel.words
            for column in panel.columns:
                if column["name"] == name:
                    assert set(column["texts"]) <= {"–"}, panel.where


def test_calls_are_counted_and_consent_is_in_days(seen: list[Panel]) -> None:
    words = find(seen, "pipeline", "Calls this month", "one system").words
    assert words["Limit"] == "1,000"
    consent = find(seen, "pipeline", "Consent lasts, days", "one system")
    assert consent.words == {"home": "21"}


# ── rows 5, 7: links and variables ────────────────────────────────────────────────────────────────────


def test_links_lead_to_boards_that_exist_with_the_same_system_and_time(seen: list[Panel]) -> None:
    boards = {board(path)["uid"]: board(path) for path in FILES}
    systems = {str(site.system_id) for site in ALL}
    followed = set()
    for panel in seen:
        for address in panel.addresses if panel.type != "text" else ():
            parts = urlsplit(address)
            target = boards[parts.path.removeprefix("/d/")]
            query = parse_qs(parts.query, strict_parsing=True)
            names = {variable["name"] for variable in target["templating"]["list"]}
            assert {key.removeprefix("var-") for key in query if key.startswith("var-")} <= names
            assert query["var-datasource"] == ["enphase"]
            (system,) = query["var-system"]
            assert system in systems
            if panel.board != "fleet":
                assert system == str(panel.situation.site.system_id)
            begin, end = int(query["from"][0]), int(query["to"][0])
            assert 0 < begin < end <= (NOW + DAY) * 1000
            followed.add((panel.board, panel.title))
    assert len(followed) >= 3


def test_the_link_of_a_day_is_that_day_of_the_system(seen: list[Panel]) -> None:
    for panel in seen:
        if panel.title == "Best days" and not panel.read["empty"]:
            site = panel.situation.site
            for day, address in zip(panel.column("Day"), panel.addresses, strict=True):
                query = parse_qs(urlsplit(address).query)
                times = [int(query[key][0]) // 1000 for key in ("from", "to")]
                assert {site.local_date(at).isoformat() for at in times} == {day}
                assert times[0] == site.midnight(site.local_date(times[0]))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_head_keeps_time_system_and_source(path: Path) -> None:
    document = board(path)
    uids = {board(file)["uid"] for file in FILES}
    assert {link["url"].removeprefix("/d/") for link in document["links"]} == uids - {document["uid"]}
    assert all(link["includeVars"] and link["keepTime"] for link in document["links"])
    variables = {variable["name"]: variable for variable in document["templating"]["list"]}
    assert "system" in variables
    for variable in variables.values():
        assert not variable.get("multi"), "a variable of many values has another meaning elsewhere"
        derived = "${system" in str(variable.get("query"))
        assert bool(variable.get("skipUrlSync")) == derived, variable["name"]


# ── rows 6, 8, 13, 14, 22: what is shown ──────────────────────────────────────────────────────────────


def test_no_two_columns_or_legends_are_alike(seen: list[Panel]) -> None:
    for panel in drawn(seen):
        names = list(panel.words) if panel.type == "stat" else panel.headings
        assert len(set(names)) == len(names), (panel.where, names)
        assert len(names) <= 32, panel.where
        assert not any(re.search(r"\.\w+ \{|\$|\(sum\)|\(count\)|Time \w+|^Value$", name) for name in names), names
        if panel.type in ("timeseries", "state-timeline"):
            assert not any(re.fullmatch(r"\d{6,}", name) for name in names), names


def test_columns_stand_in_one_order(seeded: Seeded, seen: list[Panel]) -> None:
    """The source gives tags in no order: one situation is read with them the other way round."""
    for panel in drawn(seen, "table"):
        if panel.situation.reversed:
            like = find(seen, panel.board, panel.title, "four systems, Bay Terrace")
            assert panel.headings == like.headings, panel.where


def test_a_status_is_a_word(seen: list[Panel]) -> None:
    assert find(seen, "health", "Status", "one system").words == {"Status": "normal"}
    fleet = find(seen, "fleet", "Systems, least complete first", "four systems, Mesa (old roof)")
    assert fleet.headings[:3] == ["Name", "Newest data", "Complete"]
    assert all(text.endswith("ago") for text in fleet.column("Newest data"))


def test_every_override_matches_something(seen: list[Panel]) -> None:
    never: dict[tuple[str, str], set[str]] = {}
    for panel in drawn(seen):
        key = panel.board, panel.title
        missing = set(panel.read["unmatched"])
        never[key] = never.get(key, missing) & missing
    assert {key: names for key, names in never.items() if names} == {}


# ── rows 11, 16, 17, 18: pictures and sentences ───────────────────────────────────────────────────────


def every_panel() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in FILES:
        for panel in panels(path):
            yield f"{path.stem}: {panel['title']}", panel


def test_bars_begin_at_zero_and_do_not_lie_over_each_other(seen: list[Panel]) -> None:
    for panel in drawn(seen):
        custom = panel.source["fieldConfig"]["defaults"].get("custom", {})
        if panel.type == "barchart" or custom.get("drawStyle") == "bars":
            assert panel.source["fieldConfig"]["defaults"]["min"] == 0, panel.where
        if custom.get("drawStyle") == "bars":
            assert len(panel.headings) == 1, panel.where
        if panel.type == "timeseries" and len(panel.headings) > 1:
            assert custom["fillOpacity"] <= 15, panel.where


def test_numbers_fit_on_a_phone() -> None:
    for where, panel in every_panel():
        options, place = panel.get("options"), panel["gridPos"]
        assert isinstance(options, dict)
        assert isinstance(place, dict)
        if panel["type"] == "stat":
            assert options["wideLayout"] is False, where
            assert len(panel["targets"]) <= 4, where
            assert place["h"] >= 4, where
    year = next(panel for where, panel in every_panel() if where == "history: Month by year")
    assert year["gridPos"]["h"] >= 14


def test_each_sum_says_of_how_many_days_it_is(seen: list[Panel]) -> None:
    for title in ("Produced in the time shown", "Consumed in the time shown", "Used by the house itself"):
        assert "Days" in find(seen, "history", title, "five years").words
    assert find(seen, "history", "Used by the house itself", "five years").words["Days"] == "38"
    years = find(seen, "history", "Years", "five years")
    assert {"Days produced", "Days consumed"} <= set(years.headings)


def test_a_new_house_reads_sentences(seen: list[Panel]) -> None:
    for panel in seen:
        if panel.type != "text" and panel.read["empty"]:
            assert re.match(r"[A-Za-z].{6,}", panel.read["noValue"]), panel.where
        for text in panel.texts if panel.type == "stat" else ():
            assert text not in ("–", "", "no data", "No data"), panel.where


def test_chains_are_short() -> None:
    for where, panel in every_panel():
        assert len(panel.get("transformations", ())) <= 4, where


# ── the truth, as text ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_what_is_read_is_the_truth(site: Site, seen: list[Panel], seeded: Seeded) -> None:
    house, where = site, f"four systems, {site.name}"
    daily = seeded.daily(house)
    shown = {day: wh for day, wh in daily.items() if house.midnight(day) >= NOW - 365 * DAY}
    total = find(seen, "history", "Produced in the time shown", where).words
    assert same(total["Produced"], sum(wh["produced_wh"] for wh in shown.values()))
    assert total["Days"] == str(len(shown))
    used = find(seen, "history", "Consumed in the time shown", where).words
    assert same(used["Consumed"], sum(wh["consumed_wh"] for wh in shown.values()))
    week = find(seen, "now", "The last seven days", where)
    for day, text in zip(week.column("Day"), week.column("Produced"), strict=True):
        assert same(text, next(wh["produced_wh"] for on, wh in daily.items() if on.isoformat() == day))
    best = find(seen, "history", "Best days", where)
    ranking = sorted(shown.items(), key=lambda item: -item[1]["produced_wh"])
    assert same(best.column("Produced")[0], ranking[0][1]["produced_wh"])
    years = find(seen, "history", "Years", where)
    for row in years.rows:
        wh = [fields["produced_wh"] for day, fields in daily.items() if str(day.year) == row["Year"]]
        assert same(row["Produced"], sum(wh))
        assert row["Days produced"] == str(len(wh))
    months = find(seen, "history", "Months", where)
    monthly = {f"{month:%Y-%m}": wh["produced_wh"] for month, wh in seeded.monthly(house).items()}
    assert all(
        same(text, monthly[month])
        for month, text in zip(months.column("Month"), months.column("Produced"), strict=True)
    )
    yesterday = house.local_date(NOW) - timedelta(days=1)
    yields = find(seen, "health", "Specific yield, kWh per kW and day", where)
    assert yields.column("Yield")[-1] == f"{daily[yesterday]['produced_wh'] / house.size_w:.2f}"


def test_every_situation_was_read(seen: list[Panel]) -> None:
    assert len(SITUATIONS) >= 8
    assert {panel.situation for panel in seen} == set(SITUATIONS)
    assert {panel.board for panel in seen} == {path.stem for path in FILES}


def test_the_boards_are_those_that_the_parts_make() -> None:
    for path, text in written().items():
        assert json.loads(text) == json.loads(path.read_text()), f"{path.name}: run `make boards`"
        assert text == path.read_text()
