"""What whoever reads a board relies on: one rule a kind of fault, which gives the faults that it finds."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from boards.panels import EMPTY, REASON
from tests.stack.reading import Panel
from tests.stack.seed import ALL, NOW, SITES, Seeded
from tests.world import DAY

Json = dict[str, Any]
Faults = Iterator[str]
CALENDAR = re.compile(r"20\d\d(-\d\d(-\d\d)?)?|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec")
DATE = re.compile(r"20\d\d-\d\d-\d\d")
COLOURLESS = (None, "transparent", "#00000000", "#ffffff00")
ELSEWHERE, SUM = "a browser in another zone", re.compile(r"sum\(")


class Seen:
    """What was read, and what it was read from."""

    def __init__(self, panels: list[Panel], boards: dict[str, Json], seeded: Seeded) -> None:
        self.panels, self.boards, self.seeded = panels, boards, seeded

    def drawn(self, *kinds: str) -> Iterator[Panel]:
        """The panels on which something is shown."""
        for panel in self.panels:
            if panel.type != "text" and not panel.read["empty"] and (not kinds or panel.type in kinds):
                yield panel

    def sources(self) -> Iterator[tuple[str, Json]]:
        """Every panel as it is written."""
        for name, document in self.boards.items():
            for panel in document["panels"]:
                if panel["type"] not in ("row", "text"):
                    yield f"{name}: {panel['title']}", panel

    def find(self, board: str, title: str, situation: str) -> Panel:
        """One panel."""
        like = [each for each in self.panels if (each.board, each.situation.name) == (board, situation)]
        (found,) = [each for each in like if each.title.removesuffix(EMPTY) == title]
        return found


def headings_differ(seen: Seen) -> Faults:
    """Row 1: no two columns or legends are alike."""
    for panel in seen.drawn():
        names = list(panel.words) if panel.type == "stat" else panel.headings
        if len(set(names)) != len(names):
            yield f"{panel.where}: {names}"


def bars_stand_over_words(seen: Seen) -> Faults:
    """Row 2: a year, a month or a day under a bar is a word of the calendar, never a quantity."""
    for panel in seen.drawn("barchart"):
        wrong = [word for word in panel.column(panel.x) if not CALENDAR.fullmatch(word)]
        if wrong:
            yield f"{panel.where}: {wrong[:3]}"


def three_digits_count(seen: Seen) -> Faults:
    """Row 3: energy and power are shown to three digits."""
    for panel in seen.drawn("table", "barchart", "stat"):
        for text in panel.texts:
            is_short = "." not in text and not re.match(r"-?\d{3,} ", text)
            if re.search(r"\d (Wh|kWh|MWh|W|kW)$", text) and is_short and not _is_exact(panel, text):
                yield f"{panel.where}: {text}"


def _is_exact(panel: Panel, text: str) -> bool:
    """A number that has no more digits than are shown."""
    numbers = [value["number"] for value in panel.read["values"] if value["text"] == text]
    for column in panel.columns:
        numbers += [raw for raw, shown in zip(column["raw"], column["texts"], strict=True) if shown == text]
    scale = {"W": 1, "Wh": 1, "kW": 1e3, "kWh": 1e3, "MWh": 1e6}[text.rsplit(maxsplit=1)[-1]]
    shown = float(text.split(maxsplit=1)[0])
    return all(min(abs(float(number) / by - shown) for by in (1, scale)) < 0.005 for number in numbers)


def names_are_words(seen: Seen) -> Faults:
    """Row 4: the number of a system is a name, never "1.23 Mil"."""
    for panel in seen.drawn():
        for text in panel.texts:
            if re.search(r"\b(Mil|Bil|Tri|NaN|undefined|null)\b", text):
                yield f"{panel.where}: {text}"


def links_lead_somewhere(seen: Seen) -> Faults:
    """Row 5: a link opens a board that exists, with the same data source, system and time."""
    uids = {board["uid"]: board for board in seen.boards.values()}
    systems = {str(site.system_id) for site in ALL}
    for panel in seen.panels:
        for address in panel.addresses if panel.type != "text" else ():
            parts = urlsplit(address)
            query = parse_qs(parts.query)
            target = uids.get(parts.path.removeprefix("/d/"))
            names = {f"var-{one['name']}" for one in target["templating"]["list"]} if target else set()
            given = {key for key in query if key.startswith("var-")}
            own = panel.board == "fleet" or query.get("var-system") == [str(panel.situation.site.system_id)]
            known = query.get("var-system", [""])[0] in systems | {str(panel.situation.site.system_id)}
            times = [int(query.get(key, ["0"])[0]) for key in ("from", "to")]
            right = given <= names and query.get("var-datasource") == ["enphase"] and own and known
            if not (right and 0 < times[0] < times[1] <= (NOW + DAY) * 1000):
                yield f"{panel.where}: {address}"


def columns_say_what_they_hold(seen: Seen) -> Faults:
    """Row 6: no raw name of a query is a heading."""
    for panel in seen.drawn():
        names = list(panel.words) if panel.type == "stat" else panel.headings
        wrong = [name for name in names if re.search(r"\.\w+ \{|\$|\(sum\)|\(count\)|Time \w+|^Value$", name)]
        if wrong:
            yield f"{panel.where}: {wrong}"


def variables_mean_the_same(seen: Seen) -> Faults:
    """Row 7: what a head's link carries along means the same on every board."""
    for name, document in seen.boards.items():
        for one in document["templating"]["list"]:
            derived = "${system" in str(one.get("query"))
            if one.get("multi") or bool(one.get("skipUrlSync")) != derived:
                yield f"{name}: {one['name']}"


def a_word_stands_alone(seen: Seen) -> Faults:
    """Row 8: a single number or word does not come with the time of its query."""
    for panel in seen.drawn("stat"):
        for title, text in panel.words.items():
            if re.match(r"\d{4}-\d\d-\d\d \d\d:", text):
                yield f"{panel.where}: {title} {text}"


def days_are_those_of_the_system(seen: Seen) -> Faults:
    """Row 9: days are named and summed by the system's own calendar, whoever looks from where."""
    truth = {day.isoformat(): wh["produced_wh"] for day, wh in seen.seeded.daily(SITES[2]).items()}
    for panel in seen.drawn("table", "barchart"):
        if panel.situation.name != ELSEWHERE or panel.board == "fleet":
            continue
        columns = {one["name"]: one for one in panel.columns if panel.type == "table" or one["name"] != "Time"}
        days = next((one["texts"] for one in columns.values() if all(map(DATE.match, one["texts"]))), None)
        if days is None or "Produced" not in columns:
            continue
        for day, wh in zip(days, columns["Produced"]["raw"], strict=True):
            if not any(truth.get(day[:10]) == (wh and round(wh * scale)) for scale in (1, 1000)):
                yield f"{panel.where}: {day} {wh}"


def bars_begin_at_zero(seen: Seen) -> Faults:
    """Row 11: bars begin at zero and stand side by side."""
    for where, panel in seen.sources():
        defaults = panel["fieldConfig"]["defaults"]
        is_curve = defaults.get("custom", {}).get("drawStyle") == "bars"
        begins = (defaults.get("min"), defaults.get("custom", {}).get("axisSoftMin"))
        if (panel["type"] == "barchart" or is_curve) and 0 not in begins:
            yield f"{where}: no zero"
    for curve in seen.drawn("timeseries"):
        if curve.source["fieldConfig"]["defaults"]["custom"]["drawStyle"] == "bars" and len(curve.headings) > 1:
            yield f"{curve.where}: bars lie over each other"


def unknown_is_not_zero(seen: Seen) -> Faults:
    """Row 12: what is not measured is not 0."""
    for panel in seen.drawn():
        if panel.situation.name != "without a consumption meter" or panel.board not in ("now", "history", "grid"):
            continue
        for column in panel.columns:
            if column["name"] in ("Consumed", "Net") and not set(column["texts"]) <= {"–", "", panel.read["noValue"]}:
                yield f"{panel.where}: {column['texts'][:3]}"
        shown = {name for name, text in panel.words.items() if text != panel.read["noValue"]}
        if {"Consumed", "Net", "Self-consumption"} & shown:
            yield f"{panel.where}: {panel.words}"


def nothing_hides(seen: Seen) -> Faults:
    """Row 13: no filled area hides another one, and no more curves than can be told apart."""
    for panel in seen.drawn("timeseries"):
        custom = panel.source["fieldConfig"]["defaults"]["custom"]
        if len(panel.headings) > 8:
            yield f"{panel.where}: {len(panel.headings)} curves"
        if len(panel.headings) > 1 and custom.get("fillOpacity", 0) > 15:
            yield f"{panel.where}: filled"
        for column in panel.columns:
            like = [one for one in panel.columns if one is not column and one["type"] == "number"]
            if column["type"] == "number" and any(_alike(column["raw"], one["raw"]) for one in like):
                yield f"{panel.where}: {column['name']} looks like another one"


def _alike(one: list[Any], other: list[Any]) -> bool:
    both = [(left, right) for left, right in zip(one, other, strict=False) if left and right]
    near = sum(abs(left - right) <= 0.02 * abs(left) for left, right in both)
    return len(both) > 20 and near > 0.95 * len(both) and len(set(one)) > 5


def columns_keep_their_order(seen: Seen) -> Faults:
    """Row 14: whatever the order in which the source gives tags."""
    for panel in seen.drawn("table"):
        if panel.situation.reversed:
            like = seen.find(panel.board, panel.title, "four systems, Bay Terrace")
            if panel.headings != like.headings:
                yield f"{panel.where}: {panel.headings} {like.headings}"


def no_weeks(seen: Seen) -> Faults:
    """Row 15: ten days are not "1 weeks"."""
    for panel in seen.drawn():
        yield from (f"{panel.where}: {text}" for text in panel.texts if re.search(r"\bweeks?\b", text))


def sums_say_of_how_many_days(seen: Seen) -> Faults:
    """Row 16: each sum of days says how many they are, and sums side by side are of the same days."""
    for panel in seen.drawn("stat", "table"):
        queries = [target["query"] for target in panel.source.get("targets", ())]
        chain = str(panel.source.get("transformations", ""))
        sums = [query for query in queries if '"energy_daily"' in query and (SUM.search(query) or "'sum'" in chain)]
        names = [*panel.words, *panel.headings]
        if panel.board in ("history", "grid") and sums and set(names) != {REASON}:
            if not any(name.startswith("Days") for name in names):
                yield f"{panel.where}: no days"
            fields = {field for field in ("produced_wh", "consumed_wh", "self_consumed_wh") if f'"{field}"' in sums[0]}
            if len(fields) > 1 and any(f'"{field}" >= 0' not in sums[0] for field in fields):
                yield f"{panel.where}: {fields} of other days"


def fits_on_a_phone(seen: Seen) -> Faults:
    """Row 17: numbers are not set beside their names, and columns are as narrow as they can be."""
    for where, panel in seen.sources():
        if panel["type"] == "stat" and panel["options"].get("wideLayout") is not False:
            yield f"{where}: wide"
        if panel["type"] == "stat" and panel["gridPos"]["h"] < 4:
            yield f"{where}: low"
        custom = panel["fieldConfig"]["defaults"].get("custom", {})
        if panel["type"] == "table" and custom.get("minWidth", custom.get("width", 150)) > 90:
            yield f"{where}: columns are cut"


def a_new_house_reads_sentences(seen: Seen) -> Faults:
    """Row 18: where there is nothing, a sentence says why."""
    for panel in seen.panels:
        if panel.type != "text" and panel.read["empty"] and not re.match(r"\w+ \w+ \w.*", str(panel.read["noValue"])):
            yield f"{panel.where}: {panel.read['noValue']}"
        if panel.type == "table" and not panel.read["empty"] and len({*panel.headings} - {REASON}) == 1:
            yield f"{panel.where}: {panel.headings} alone"
        for text in panel.texts if panel.type in ("stat", "gauge") else ():
            if text in ("–", "", "no data", "No data"):
                yield f"{panel.where}: {text!r}"


def missing_has_no_colour(seen: Seen) -> Faults:
    """Row 20: the brightest cell is not the one of which nothing is known."""
    for panel in seen.drawn("table"):
        cells = str(panel.source["fieldConfig"]["defaults"].get("custom", {}).get("cellOptions", ""))
        for column in panel.columns if "color-background" in cells else ():
            for raw, color in zip(column["raw"], column["colors"], strict=True):
                if raw is None and column["type"] == "number" and color not in COLOURLESS:
                    yield f"{panel.where}: {column['name']} {color}"


def counts_are_whole_and_systems_have_names(seen: Seen) -> Faults:
    """Row 21: no "1 K" calls, no legend that is the number of a system."""
    for panel in seen.drawn():
        yield from (f"{panel.where}: {text}" for text in panel.texts if re.fullmatch(r"-?[\d.]+ K", text))
        if panel.type in ("timeseries", "state-timeline"):
            yield from (f"{panel.where}: {name}" for name in panel.headings if re.search(r"^\d{6,}", name))
        yield from (f"{panel.where}: {text}" for text in panel.texts if re.search(r"\S \(\d{6,}\)$", text))


def every_override_matches(seen: Seen) -> Faults:
    """Row 22: no override that nothing matches."""
    never: dict[tuple[str, str], set[str]] = {}
    for panel in seen.drawn():
        key = panel.board, panel.title
        missing = set(panel.read["unmatched"])
        never[key] = never.get(key, missing) & missing
    yield from (f"{key}: {names}" for key, names in never.items() if names)


RULES: dict[int, Callable[[Seen], Faults]] = {
    1: headings_differ,
    2: bars_stand_over_words,
    3: three_digits_count,
    4: names_are_words,
    5: links_lead_somewhere,
    6: columns_say_what_they_hold,
    7: variables_mean_the_same,
    8: a_word_stands_alone,
    9: days_are_those_of_the_system,
    11: bars_begin_at_zero,
    12: unknown_is_not_zero,
    13: nothing_hides,
    14: columns_keep_their_order,
    15: no_weeks,
    16: sums_say_of_how_many_days,
    17: fits_on_a_phone,
    18: a_new_house_reads_sentences,
    20: missing_has_no_colour,
    21: counts_are_whole_and_systems_have_names,
    22: every_override_matches,
}
"""By the kinds of faults that were seen. Two of them are not of boards but of alerts: the folder, and silence."""
