"""What a person reads on the boards, in every situation, put through Grafana's own libraries."""

import json
import re
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from boards.__main__ import texts as written
from boards.palette import COLORS
from ingest.report.own_points import REVISED
from ingest.simulator import Site
from tests.stack.boards import FILES, board
from tests.stack.looks import LOOKS
from tests.stack.reading import present
from tests.stack.rules import RULES, Seen
from tests.stack.seed import ALL, CABIN, MILL, NOW, SITES, Seeded
from tests.stack.situations import SITUATIONS
from tests.world import DAY

MESA, LAKE, _ = SITES


def same(shown: str, wh: float) -> bool:
    """Whether a text says this energy, in kWh, rounded to as many digits as it has."""
    number = shown.removesuffix(" kWh")
    return shown != number and Decimal(number) == Decimal(str(wh)).scaleb(-3).quantize(Decimal(number), ROUND_HALF_UP)


# ── the kinds of faults, each on the boards and on those of which it was seen ─────────────────────────


KINDS = {**{f"row {number}": rule for number, rule in RULES.items()}, **LOOKS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_holds_on_all_boards(kind: str, seen: Seen) -> None:
    assert list(KINDS[kind](seen)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_finds_its_kind_of_fault(kind: str, former: Seen) -> None:
    """On the panels of the boards as they were when the fault was seen."""
    assert list(KINDS[kind](former))


# ── single panels ─────────────────────────────────────────────────────────────────────────────────────


def test_years_and_months_are_headings_and_words(seen: Seen) -> None:
    for title in ("Whole months by year, kWh", "Whole months, year over year"):
        panel = seen.find("history", title, "five years")
        assert [name for name in panel.headings if name != "Month"] == ["2026", "2025", "2024", "2023", "2022", "2021"]
        assert panel.column("Month") == [
            *("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
        ]
        assert panel.column("2025") != panel.column("2026")


def test_a_calendar_has_a_column_a_weekday_and_its_holes_are_empty(seen: Seen, seeded: Seeded) -> None:
    calendar = seen.find("history", "Calendar of days, kWh", "a month with holes")
    assert calendar.headings == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Week of"]
    days = {f"{day:%Y-%m-%d}": wh["produced_wh"] / 1000 for day, wh in seeded.daily(MESA).items()}
    holes = 0
    for row in calendar.rows[1:6]:
        for number, name in enumerate(calendar.headings[:7]):
            day = date.fromisoformat(row["Week of"]) + timedelta(days=number)
            holes += row[name] == "–"
            assert row[name] == "–" or abs(float(row[name]) - days[day.isoformat()]) < 0.05
    assert 5 <= holes <= 9


CORRECTED, CAME = "Values corrected since yesterday, and why", "Periods missing, or no longer, and why"


def test_calls_are_counted_and_consent_is_in_days(seen: Seen) -> None:
    assert seen.find("pipeline", "Calls this month", "one system").words["Limit"] == "1,000"
    assert seen.find("pipeline", "Consent lasts, days", "one system").words == {"home": "21"}


def test_a_lone_change_is_seen(seen: Seen) -> None:
    """A stream speaks on change: that of three hours ago is its only word of the day."""
    rows = {row["Source"]: row for row in seen.find("changed", CORRECTED, "one system").rows}
    assert {name: row["kWh ±"] for name, row in rows.items()} == {
        "Panel production": "+0.96",
        "Production meter": "+0.64",
    }
    assert {row["Why"] for row in rows.values()} == {REVISED}
    (gone,) = seen.find("changed", CAME, "one system").rows
    assert (gone["Source"], gone["Periods ±"]) == ("Production meter", "-3")
    assert gone["Why"] == "read again after: the cloud had trouble (503)"
    words = seen.find("changed", "Since yesterday", "one system").words
    assert words == {"Values corrected": "84", "Periods no longer missing": "3"}


def test_a_difference_is_what_it_was_with_its_sign(seen: Seen) -> None:
    """More than a thousand too, and what is less."""
    streams = seen.find("changed", CORRECTED, "four systems, Lake House")
    rows = {(row["System"], row["Source"]): row for row in streams.rows}
    assert rows["Lake House", "Panel production"]["kWh ±"] == "-0.12", "24 hours, each of -5 Wh"
    assert rows["Mesa (old roof)", "Panel production"]["kWh ±"] == "+0.96"
    (new,) = [row for row in seen.find("changed", CAME, "four systems, Lake House").rows if row["System"] == "Old Mill"]
    assert (new["Source"], new["Periods ±"]) == ("Panel production", "+1")
    assert new["Why"].startswith("never delivered")
    (energy,) = [
        column for column in streams.source["fieldConfig"]["overrides"] if column["matcher"]["options"] == "kWh ±"
    ]
    forms = next(one["value"] for one in energy["properties"] if one["id"] == "mappings")[1:]
    written = {"1234": "+1.23", "-98765.4": "-98.76", "567": "+0.56", "99": "+0.09", "-7": "-0.00"}
    for number, text in written.items():
        form = next(one["options"] for one in forms if re.fullmatch(one["options"]["pattern"].strip("/"), number))
        shown = re.sub(r"\$(\d)", r"\\\1", form["result"]["text"])
        assert re.sub(form["pattern"].strip("/"), shown, number) == text


@pytest.mark.parametrize(
    ("board", "title"), [("pipeline", "Last errors, in words"), ("changed", "What went wrong since yesterday")]
)
def test_errors_are_of_systems_with_names_newest_first(board: str, title: str, seen: Seen) -> None:
    panel = seen.find(board, title, "four systems, Lake House")
    assert panel.headings == ["When", "What happened"]
    assert {text.partition(":")[0] for text in panel.column("What happened")} == {
        "influx",
        *(site.name for site in ALL),
    }
    assert panel.column("When")[0] == "5 minutes ago"


def test_every_stream_is_in_the_timeline_though_it_said_nothing_since(seen: Seen) -> None:
    assert seen.find("pipeline", f"Read, {MESA.name} · browser's clock", "one system").headings == [
        *("Consumption", "Production meter", "Panel production")
    ]


def test_the_board_of_grid_and_battery_is_that_of_the_house(seen: Seen, seeded: Seeded) -> None:
    where = "battery and grid"
    days = seeded.cabin.rows("energy_daily", CABIN.system_id)
    shown = [days[at] for at in sorted(days)[-7:]]
    grid = battery = seen.find("grid", "Grid and battery, of the metered days shown", where).words
    assert same(grid["From the grid"], sum(day["imported_wh"] for day in shown))
    assert same(grid["To the grid"], sum(day["exported_wh"] for day in shown))
    assert same(battery["Into the battery"], sum(day["charged_wh"] for day in shown))
    assert same(battery["Out of the battery"], sum(day["discharged_wh"] for day in shown))
    assert grid["Days"] == battery["Days, battery"] == "7"
    levels = seeded.cabin.rows("battery", CABIN.system_id)
    charge = f"{levels[max(levels)]['soc_percent']:.0f}%"
    assert seen.find("grid", "Grid and battery today", where).words["Charge"] == charge
    curve = seen.find("grid", "Charge of the battery · browser's clock", where)
    assert charge in curve.column("Charge")


def test_the_weak_panel_stands_first_with_its_share(seen: Seen) -> None:
    panel = seen.find("health", "Mean day of each panel, least first", "battery and grid")
    assert panel.headings == ["Panel", "Of usual", "Mean day", "Last day"]
    assert len(panel.rows) == CABIN.modules
    assert panel.rows[0]["Panel"].endswith(f"{CABIN.weak_panels[0]:02d}")
    assert panel.rows[0]["Of usual"] == "50%"
    assert {row["Of usual"] for row in panel.rows[1:]} <= {"99%", "100%", "101%"}


def test_what_it_was_worth_is_what_the_pipeline_computed(seen: Seen, seeded: Seeded) -> None:
    rows = seeded.cabin.rows("money_daily", CABIN.system_id)
    days = [row for at, row in rows.items() if at < CABIN.midnight(CABIN.local_date(NOW)) and row["hours"] >= 23]
    words = seen.find("history", "Money by your tariffs", "battery and grid").words
    assert len(days) > 10
    assert words.pop("Days") == str(len(days))
    names = ("Cost", "Earned", "Saved")
    assert words == {f"{name}, USD": f"{sum(day[name.lower()] for day in days):.2f}" for name in names}
    months = seen.find("history", "Money by month, by your tariffs USD", "battery and grid")
    assert sum(map(int, months.column("Days"))) == len(days)
    assert months.column("Month") == ["2026-11", "2026-10"], "the newest first, none before there were tariffs"
    assert not seen.find("history", "Money by your tariffs", "one system").words.keys() & {"Cost, "}


def test_self_sufficiency_with_a_battery_is_what_did_not_come_from_the_grid(seen: Seen, seeded: Seeded) -> None:
    """What is produced and not exported may be in the battery: it is not yet used."""
    rows = seeded.cabin.rows("energy", CABIN.system_id)
    today = [row for at, row in rows.items() if at >= CABIN.midnight(CABIN.local_date(NOW)) and "consumed_wh" in row]
    share = 1 - sum(row["imported_wh"] for row in today) / sum(row["consumed_wh"] for row in today)
    words = seen.find("now", "Used by the house and any battery, today", "battery and grid").words
    assert words["Self-sufficiency"] == f"{share * 100:.1f}%"


def test_in_the_evening_all_that_was_used_today_counts(seen: Seen, seeded: Seeded) -> None:
    """Production is not asked for when it is dark: the self-sufficiency is of the consumption that stands beside it."""
    where = "four systems, Lake House"
    start = LAKE.midnight(LAKE.local_date(NOW))
    rows = [row for at, row in seeded.world.rows("energy", LAKE.system_id).items() if at >= start]
    assert any("consumed_wh" in row and "self_consumed_wh" not in row for row in rows), "it is evening"
    used = sum(row.get("consumed_wh", 0) for row in rows)
    assert same(seen.find("now", "Consumed today", where).words["Today so far"], used)
    share = sum(row.get("self_consumed_wh", 0) for row in rows) / used
    words = seen.find("now", "Used by the house and any battery, today", where).words
    assert words["Self-sufficiency"] == f"{share * 100:.1f}%"


def test_what_is_in_the_battery_is_not_said_to_be_used_by_the_house(seen: Seen) -> None:
    """What was not sent to the grid may be in a battery: whoever shows it says so."""
    shown = [panel for panel in seen.drawn("stat") if "Self-consumption" in panel.words]
    assert {panel.board for panel in shown} == {"now", "history"}
    for panel in shown:
        assert "battery" in panel.title, panel.where


def test_a_meter_whose_channels_are_shown_is_not_said_to_be_unread(seen: Seen) -> None:
    """In the first hours there is no whole day of it, and no more is said."""
    where = "the first two hours"
    assert seen.find("health", "By meter and channel, today too, least first", where).rows
    panel = seen.find("health", "Counted by the meter since it was installed", where)
    assert panel.read["empty"]
    assert panel.read["noValue"] == "No whole day of a production meter is known."


def test_nobody_waits_for_a_meter_that_is_not_there(seen: Seen) -> None:
    panel = seen.find("now", "Consumed today", "without a consumption meter")
    assert panel.words == {"This system has": "no consumption meter"}


def test_the_link_of_a_day_is_that_day_of_the_system(seen: Seen) -> None:
    for panel in seen.panels:
        if panel.title in ("Best days of the time shown", "Days") and not panel.read["empty"]:
            site = panel.situation.site
            for day, address in zip(panel.column("Day"), panel.addresses, strict=True):
                query = parse_qs(urlsplit(address).query)
                times = [int(query[key][0]) // 1000 for key in ("from", "to")]
                assert {site.local_date(at).isoformat() for at in times} == {day}
                assert times[0] == site.midnight(site.local_date(times[0]))


def test_three_kinds_of_links_are_followed(seen: Seen) -> None:
    assert len({(panel.board, panel.title) for panel in seen.panels if panel.addresses}) >= 3


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_head_keeps_time_system_and_source(path: Path) -> None:
    document = board(path)
    uids = {board(file)["uid"] for file in FILES}
    assert {link["url"].removeprefix("/d/") for link in document["links"]} == uids - {document["uid"]}
    assert all(link["includeVars"] and link["keepTime"] for link in document["links"])
    assert "system" in {variable["name"] for variable in document["templating"]["list"]}


def test_a_status_is_a_word_and_an_age_an_age(seen: Seen) -> None:
    assert seen.find("health", "Status, by the vendor", "one system").words == {"Status": "normal"}
    fleet = seen.find("fleet", "Data read of each, least first", "four systems, Mesa (old roof)")
    assert fleet.headings == ["Name", "Missing", "Read", "Wanted from", "Number"]
    assert (fleet.rows[0]["Name"], fleet.rows[0]["Read"], fleet.rows[0]["Missing"]) == (MILL.name, "94.7%", "2")
    assert sorted(fleet.column("Number")) == sorted(str(site.system_id) for site in ALL)
    doing = seen.find("fleet", "What they do, most silent panels first", "four systems, Mesa (old roof)")
    assert doing.headings == ["Name", "Silent", "Newest data", "Now", "Last 24 h"]
    assert all(text.endswith("ago") for text in doing.column("Newest data"))


def test_a_fleet_says_what_each_system_does(seen: Seen, seeded: Seeded) -> None:
    rows = {row["Name"]: row for row in seen.find("fleet", DOING, "four systems, Mesa (old roof)").rows}
    for site in SITES:
        held = seeded.world.rows("energy", site.system_id)
        made = {at: row["produced_wh"] for at, row in held.items() if NOW - DAY <= at <= NOW and "produced_wh" in row}
        assert rows[site.name]["Now"] == f"{made[max(made)] * 4 / 1000:.2f} kW"
        assert rows[site.name]["Last 24 h"] == f"{sum(made.values()) / 1000:.1f} kWh"
        assert rows[site.name]["Silent"] == "0"


DOING = "What they do, most silent panels first"


def test_a_counter_has_counted_all_that_was_produced(seen: Seen, seeded: Seeded) -> None:
    """In each situation: whoever adds up the days of the board beside it comes to no more than the counter shows."""
    for situation in (one for one in SITUATIONS if one.site.meter):
        panel = seen.find("health", "Counted by the meter since it was installed", situation.name)
        if panel.read["empty"]:
            continue
        text = f'SELECT sum("produced_wh") FROM "energy_daily" WHERE "system" = \'{situation.site.system_id}\''  # noqa: S608
        (row,) = seeded.server.query(situation.database, f"{text} AND time <= {NOW - 2 * DAY}s")
        (counted,) = (value["number"] for value in panel.read["values"])
        assert counted >= 0.999 * float(str(row["sum"])) / 1000, situation.name


def test_sums_of_five_years_are_of_the_same_days(seen: Seen) -> None:
    assert seen.find("history", "Used by house and any battery, on days known", "five years").words["Days"] == "38"
    both = seen.find("history", "Consumed and net, on the days known", "five years").words
    assert both["Days"] == seen.find("history", "Produced in the time shown", "five years").words["Days"]
    assert "Days" in seen.find("history", "Years, consumed and net", "five years").headings


def test_a_sentence_fits_into_its_panel(seen: Seen) -> None:
    """Half of the height of the letters is what a letter is wide, on the average."""
    for where, panel in seen.sources():
        if panel["type"] == "stat":
            place, size = panel["gridPos"], panel["options"]["text"]["valueSize"]
            words = len(panel["fieldConfig"]["defaults"]["noValue"]) * size * 0.55
            lines = -(-words // (place["w"] * 66 - 30))
            assert lines * size * 1.2 < place["h"] * 38 - 44, where


def test_a_meaning_has_one_colour(seen: Seen) -> None:
    """Whatever the number: what is bought is not coloured as what is sold."""
    found = {
        (value["title"], value["color"])
        for panel in seen.drawn("stat")
        for value in panel.read["values"]
        if value["title"] in COLORS and value["text"] != panel.read["noValue"]
    }
    assert {name for name, _ in found} >= {"Produced", "Consumed", "Net", "Cost", "Earned"}
    assert found <= set(COLORS.items())


def test_a_sentence_has_no_colour(seen: Seen) -> None:
    """Green would say that all is well where nothing is known."""
    shown = [(panel, value) for panel in seen.panels if panel.type == "stat" for value in panel.read["values"]]
    plain = {value["color"] for panel, value in shown if value["text"] == panel.read["noValue"]}
    assert plain <= {"rgb(204, 204, 220)", "#ccccdc", "rgba(36, 41, 46, 1)", "#24292e"}, "letters of both themes"


def test_chains_are_short() -> None:
    for name, document in present().items():
        for panel in document["panels"]:
            assert len(panel.get("transformations", ())) <= 4, f"{name}: {panel['title']}"


# ── the truth, as text ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_what_is_read_is_the_truth(site: Site, seen: Seen, seeded: Seeded) -> None:
    house, where = site, f"four systems, {site.name}"
    daily = seeded.daily(house)
    shown = {day: wh for day, wh in daily.items() if day >= date(2025, 11, 1)}
    total = seen.find("history", "Produced in the time shown", where).words
    assert same(total["Produced"], sum(wh["produced_wh"] for wh in shown.values()))
    assert total["Days"] == str(len(shown))
    used = seen.find("history", "Consumed and net, on the days known", where).words
    assert same(used["Consumed"], sum(wh["consumed_wh"] for wh in shown.values()))
    texts = (total["Produced"], used["Consumed"], used["Net"])
    made, consumed, net = (int(text.removesuffix(" kWh")) for text in texts)
    assert net == made - consumed, "as they stand there"
    week = seen.find("now", "The last seven days", where)
    for day, text in zip(week.column("Day"), week.column("Produced"), strict=True):
        assert same(text, next(wh["produced_wh"] for on, wh in daily.items() if on.isoformat() == day))
    best = seen.find("history", "Best days of the time shown", where)
    ranking = sorted(shown.items(), key=lambda item: -item[1]["produced_wh"])
    assert same(best.column("Produced")[0], ranking[0][1]["produced_wh"])
    for title in ("Years", "Years, consumed and net"):
        for row in seen.find("history", title, where).rows:
            wh = [fields for day, fields in daily.items() if str(day.year) == row["Year"]]
            for name in row.keys() & {"Produced", "Consumed"}:
                assert same(row[name], sum(each[f"{name.lower()}_wh"] for each in wh))
            assert row["Days"] == str(len(wh))
    months = seen.find("history", "Months", where)
    monthly = {f"{month:%Y-%m}": wh["produced_wh"] for month, wh in seeded.monthly(house).items()}
    assert months.column("Month") == [month for month in monthly if month >= "2025-11"]
    for month, whole, some in zip(*map(months.column, ("Month", "Produced", "Some days only")), strict=True):
        assert same(some if month == "2026-11" else whole, monthly[month])
        assert "–" in (whole, some)
    yesterday = house.local_date(NOW) - timedelta(days=1)
    yields = seen.find("health", "Yield, kWh per kW", where)
    found = dict(zip(yields.column("Day"), yields.column("Yield"), strict=True))
    assert found[yesterday.isoformat()] == f"{daily[yesterday]['produced_wh'] / house.size_w:.2f}"


def test_the_days_shown_are_the_same_from_any_zone(seen: Seen) -> None:
    """Ranges begin at the system's midnights, wherever those of the browser are."""
    for name, title in (("history", "Days"), ("history", "Months, of the days shown"), ("history", "Months")):
        here, there = (
            seen.find(name, title, where) for where in ("four systems, Bay Terrace", "a browser in another zone")
        )
        for column in here.headings + ([here.x] if here.x else []):
            assert here.column(column) == there.column(column), title
    heard = [
        seen.find("health", "Panels heard, by day", where).column("Day")
        for where in ("four systems, Bay Terrace", "a browser in another zone")
    ]
    assert set(heard[1]) == set(heard[0]) | {"2026-10-06"}, "there the range begins a day before"


def test_a_day_of_which_nothing_was_read_is_not_green(seen: Seen) -> None:
    title = "Panels heard, by day"
    (heard,) = [one for one in seen.find("health", title, "the first two hours").columns if one["name"] == "Heard"]
    assert heard["raw"] == [None] * (len(heard["raw"]) - 1) + [1]
    (holes,) = [one for one in seen.find("health", title, "a month with holes").columns if one["name"] == "Heard"]
    assert 5 <= holes["raw"].count(None) <= 9
    assert len({color for raw, color in zip(holes["raw"], holes["colors"], strict=True) if raw == 1}) == 1


def test_every_situation_was_read(seen: Seen) -> None:
    assert len(SITUATIONS) >= 8
    assert {panel.situation for panel in seen.panels} == set(SITUATIONS)
    assert {panel.board for panel in seen.panels} == {path.stem for path in FILES}


def test_the_boards_are_those_that_the_parts_make() -> None:
    for path, text in written().items():
        assert json.loads(text) == json.loads(path.read_text()), f"{path.name}: run `make boards`"
        assert text == path.read_text()
