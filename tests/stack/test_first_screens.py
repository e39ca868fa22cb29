"""What the first screens of the boards say, put through Grafana's own libraries."""

import json
import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
import yaml

from tests.stack.boards import FILES, ROOT
from tests.stack.fifth_look import FIFTH_LOOK
from tests.stack.first_screens import FIRST_SCREENS
from tests.stack.fourth_look import FOURTH_LOOK
from tests.stack.reading import Panel
from tests.stack.rules import Seen
from tests.stack.second_look import SECOND_LOOK
from tests.stack.seed import CABIN, CABIN_SINCE, MONTH, NOW, SINCE, SITES, Seeded
from tests.stack.seventh_look import SEVENTH_LOOK
from tests.stack.situations import SITUATIONS, Situation
from tests.stack.sixth_look import SIXTH_LOOK
from tests.stack.third_look import THIRD_LOOK
from tests.world import DAY

MESA = SITES[0]
KINDS = {**FIRST_SCREENS, **SECOND_LOOK, **THIRD_LOOK, **FOURTH_LOOK, **FIFTH_LOOK}
KINDS |= {**SIXTH_LOOK, **SEVENTH_LOOK}


@pytest.mark.parametrize("kind", KINDS)
def test_it_holds_on_all_boards(kind: str, seen: Seen) -> None:
    assert list(KINDS[kind](seen)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_found_on_the_boards_that_were_misread(kind: str, former: Seen) -> None:
    assert list(KINDS[kind](former))


def test_at_night_the_net_is_what_the_house_takes(seen: Seen) -> None:
    """Production is not asked for then: what was read at dusk is none."""
    power = seen.find("now", "Power, newest of production and consumption", "four systems, Lake House").read["values"]
    watts = {one["title"]: one["number"] for one in power}
    assert watts["Produced"] == 0
    assert watts["Net"] == -watts["Consumed"] < 0


def test_records_are_of_the_whole_life_and_have_their_dates(seen: Seen, seeded: Seeded) -> None:
    where = "four systems, Mesa (old roof)"
    month = max(seeded.monthly(MESA).items(), key=lambda item: item[1]["produced_wh"])[0]
    assert seen.find("history", "Best month ever", where).words["Month"] == f"{month:%Y-%m}"
    day = max(seeded.daily(MESA).items(), key=lambda item: item[1]["consumed_wh"])[0]
    assert seen.find("history", "Most used in a day that was read", where).words["Day"] == day.isoformat()
    strongest = seen.find("history", "Strongest quarter of an hour that was read", where).words
    assert re.fullmatch(r"2026-(09|10|11)-\d\d", strongest["Day"])


def test_only_what_is_of_the_whole_life_says_ever(seen: Seen) -> None:
    """Months of production begin with the system; quarters of an hour and consumption when they are read."""
    for where, panel in seen.sources():
        texts = " ".join(target.get("query", "") for target in panel.get("targets", ()))
        words = f"{panel['title']} {panel['description']}"
        if "max(" in texts and re.search(r"\bever\b|whole life", words):
            assert 'max("produced_wh") / 1000 AS "Produced", "month"' in texts, where


def test_a_month_that_is_missing_has_no_sum(seen: Seen) -> None:
    months = seen.find("history", "Months", "a month with holes")
    words = months.column("Month")
    whole, some = (dict(zip(words, column["raw"], strict=True)) for column in months.columns[1:])
    assert months.headings == ["Produced", "Some days only"]
    assert whole["2026-03"] is some["2026-03"] is None
    assert min(whole["2026-02"], whole["2026-04"]) > 0
    assert {month for month in words if some[month] is not None} == {"2026-10", "2026-11"}, "of the others all days"
    assert whole["2026-10"] is whole["2026-11"] is None


def test_the_holes_that_are_told_are_those_of_the_data(seen: Seen, seeded: Seeded) -> None:
    """In each situation: a day without a point is told, one that is told has none; so is a stream that has points."""
    for situation in SITUATIONS:
        since = CABIN_SINCE if situation.site is CABIN else SINCE
        last = 'last("gap_days") AS "days", last("gaps") AS "gaps"'
        said = seeded.server.query(
            situation.database,
            f'SELECT {last} FROM "ingest" WHERE "system" = \'{situation.site.system_id}\' GROUP BY "stream"',  # noqa: S608
        )
        told = {str(row["stream"]): row for row in said}
        held = {name: known_days(seeded, situation, name) for name in MEASURED}
        assert told.keys() & MEASURED.keys() == {name for name, days in held.items() if days}, situation.name
        today = situation.site.local_date(NOW)
        for name in told.keys() & MEASURED.keys():
            wanted = {since + timedelta(days=number) for number in range((today - since).days)}
            named = days_named(str(told[name]["days"])) - {today}
            assert named == wanted - held[name], f"{situation.name}: {name}"
            assert bool(told[name]["gaps"]) == bool(named), f"{situation.name}: {name}"


MEASURED = {"stats": "production_micro", "rgm_stats": "production_rgm", "consumption": "consumption"}


def known_days(seeded: Seeded, situation: Situation, stream: str) -> set[date]:
    """The local days of which a database has points."""
    site = situation.site
    rows = seeded.server.query(
        situation.database,
        f'SELECT count("energy_wh") AS "points" FROM "{MEASURED[stream]}" WHERE "system" = \'{site.system_id}\' '  # noqa: S608
        f"AND time <= {NOW}s GROUP BY time(1d) fill(none) tz('{site.timezone}')",
    )
    return {site.local_date(int(str(row["time"]))) for row in rows if row.get("points")}


def days_named(words: str) -> set[date]:
    """The days of a sentence such as "2026-10-12 to 2026-10-16, 2026-10-29"."""
    found = set()
    for part in filter(None, words.split(", ")):
        begin, end = map(date.fromisoformat, (part.split(" to ") * 2)[:2])
        found |= {begin + timedelta(days=number) for number in range((end - begin).days + 1)}
    return found


def test_a_sentence_stands_alone(seen: Seen) -> None:
    """Where a panel says in a sentence that nothing is known, no number or other sentence stands beside it."""
    for panel in seen.drawn("stat"):
        texts = [value["text"] for value in panel.read["values"]]
        assert len(texts) == 1 or panel.read["noValue"] not in texts, panel.where


def test_tariffs_name_their_currency(seen: Seen) -> None:
    words = seen.find("history", "Money by your tariffs", "battery and grid").words
    assert words.keys() == {"Cost, USD", "Earned, USD", "Saved, USD", "Days"}
    months = seen.find("history", "Money by month, by your tariffs USD", "battery and grid")
    assert months.headings == ["Month", "Days", "Cost", "Earned", "Saved"]
    estimates = seen.find("history", "Money by month, estimated, prices' currency", "battery and grid")
    assert estimates.headings == ["Month", "Days", "Cost", "Earned", "Saved"]
    assert estimates.column("Month") == ["2026-11", "2026-10"]


def test_dates_have_one_style(seen: Seen) -> None:
    """As 2026-11-05, or without its year, wherever one stands; under curves it is the stack that tells Grafana so."""
    timelines = list(seen.drawn("state-timeline"))
    assert all(panel.read["axis"] for panel in timelines)
    for panel in seen.drawn():
        words = [*panel.texts, *panel.read["axis"]]
        assert not [word for word in words if re.search(r"\b\d\d/\d\d\b|\d\d\.\d\d\.20", word)], panel.where
    environment = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]["environment"]
    drawn = (ROOT / "tests/stack/reader/src/axis.js").read_text()
    for name in ("hour", "day"):
        assert f'{name}: "{environment[f"GF_DATE_FORMATS_INTERVAL_{name.upper()}"]}"' in drawn


def test_a_timeline_runs_on_the_clock_of_the_board(seen: Seen) -> None:
    """Its words are round hours of that zone, in order."""
    zones = {}
    for where in ("four systems, Bay Terrace", "a browser in another zone"):
        axis = seen.find("pipeline", "Read, Bay Terrace · browser's clock", where).read["axis"]
        assert all(one < other for one, other in pairwise(axis))
        assert all(re.fullmatch(r"1[01]-\d\d( (00|06|12|18):00)?", word) for word in axis), axis
        zones[where] = axis
    assert len(zones) == 2


def test_the_calls_of_the_pictures_are_a_month_that_can_be(seen: Seen) -> None:
    """In each situation: what was used until now and what the month will come to, the parts and the whole."""
    for situation in SITUATIONS:
        words = seen.find("pipeline", "Calls this month", situation.name).words
        used, forecast, limit = (int(words[name].replace(",", "")) for name in ("Used", "Forecast", "Limit"))
        assert forecast == pytest.approx(used * 30 * DAY / (NOW - MONTH), rel=0.02)
        assert used < forecast < limit
        streams = seen.find("pipeline", "Data read of each source, least first", situation.name)
        assert sum(int(calls) for calls in streams.column("Calls")) == used, situation.name


def test_the_odometer_of_the_pictures_counted_what_was_produced(seen: Seen, seeded: Seeded) -> None:
    """Since the meter was installed, on each day that it was read."""
    for site in (site for site in SITES if site.meter):
        daily = seeded.daily(site)
        rows = seeded.query(
            f'SELECT "reading_wh" FROM "production_meter_reading" WHERE "system" = \'{site.system_id}\''  # noqa: S608
        )
        assert len(rows) > 9
        for row in rows:
            at = int(str(row["time"]))
            made = sum(wh["produced_wh"] for day, wh in daily.items() if site.midnight(day + timedelta(days=1)) <= at)
            rest = seeded.world.cloud.daily(site.system_id).get(site.local_date(at), 0) or 60_000
            assert 0.999 * made <= float(str(row["reading_wh"])) <= 1.001 * made + rest, "they are rounded by the day"
        shown = seen.find("health", "Counted by the meter since it was installed", f"four systems, {site.name}").words
        assert len(shown) == 1


@pytest.mark.parametrize("name", [path.stem for path in FILES])
def test_each_board_is_in_the_pictures_with_data(name: str, seen: Seen) -> None:
    """There is a situation in which all its panels show something."""
    empty = {
        situation.name: [panel.title for panel in seen.panels if _is_empty(panel, name, situation.name)]
        for situation in SITUATIONS
    }
    assert [] in empty.values(), json.dumps(empty)


def _is_empty(panel: Panel, board: str, situation: str) -> bool:
    return (panel.board, panel.situation.name) == (board, situation) and bool(panel.read.get("empty"))


def lines_cut(words: str, tall: int) -> bool:
    """Whether a line of words among the panels has more lines on a phone than there is room for."""
    plain = re.sub(r"<[^>]+>|[*`]", "", words)
    return -(-len(plain) * 7.1 // 350) * 22 > tall * 38 - 8


def test_words_among_panels_fit_a_phone(seen: Seen) -> None:
    for panel in seen.panels:
        if panel.type == "text":
            assert not lines_cut(str(panel.read["content"]), panel.source["gridPos"]["h"]), panel.where
    assert lines_cut("**Old Mill** <em>no production meter, no consumption meter</em>" + " and more" * 12, 2)
