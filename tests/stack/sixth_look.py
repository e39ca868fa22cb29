"""What a sixth stranger misread on the boards: one rule a kind, which gives the faults that it finds."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from boards.palette import COLORS
from boards.panels import REASON
from tests.stack.first_screens import PHONE, phone_edges
from tests.stack.fourth_look import ALARMING, RED
from tests.stack.reading import Panel
from tests.stack.rules import DATE, Faults, Seen
from tests.stack.seed import CABIN, NOW

GREEN = {"green", "#73BF69"}
QUARTER = 0.25
CELL, HEAD, AROUND = 38, 36, 52
"""Pixels of a row of a board's grid, of the head of a table, and of the title and margins around it."""
LINE, MARGIN, LETTER, BROAD = 22, 14, 7, 7.2
"""Pixels of a line in a cell, of what is above and below it, and of a letter: of words, of numbers."""
FIRST_ROWS = 14
"""Rows of the grid that the first screen of a phone shows."""
FEW = 8
"""So many rows of a table are seen without moving it."""
OF_ONE = ("now", "history", "health", "grid")
"""Boards of one system."""
ENERGY = re.compile(r"^[+-]?[\d,.]+ ?(\S*Wh|\S*W)$")


def _queries(panel: dict[str, Any]) -> str:
    return " ".join(target.get("query", "") for target in panel.get("targets", ()))


def _name(board: str) -> str:
    return board.partition("-")[0]


def _situations(seen: Seen) -> Iterator[tuple[str, list[Panel]]]:
    """The panels of all boards, by situation."""
    for name, found in groupby(sorted(seen.panels, key=lambda one: one.situation.name), lambda one: one.situation.name):
        yield name, list(found)


def _boards(seen: Seen) -> Iterator[list[Panel]]:
    """The panels of each board in each situation, in their order."""
    for _, found in groupby(seen.panels, lambda panel: (panel.board, panel.situation.name)):
        yield list(found)


def _tables(panels: Iterable[Panel], *heads: str) -> Iterator[Panel]:
    for panel in panels:
        if panel.type == "table" and not panel.read["empty"] and {*heads} <= {*panel.headings}:
            yield panel


def one_fact_has_one_word(seen: Seen) -> Faults:
    """What should have been read and was not is missing: no board calls it lost, or a gap."""
    wrong = re.compile(r"\b(lost|gaps?)\b", re.IGNORECASE)
    for panel in seen.panels:
        words = [panel.title, *panel.headings] if panel.type != "text" else []
        words += [*panel.words, str(panel.read["noValue"])] if panel.type != "text" else []
        found = [word for word in words if wrong.search(word)]
        if found:
            yield f"{panel.where}: {found}"
    for name, document in seen.boards.items():
        notes = [note["name"] for note in document.get("annotations", {}).get("list", ())]
        yield from (f"{name}: mark {note}" for note in notes if wrong.search(note))


def what_is_missing_is_the_same_on_all_boards(seen: Seen) -> Faults:
    """By system, its worst source: the number, the days that are named, and why; no day that has not ended is named."""
    for name, panels in _situations(seen):
        told: dict[str, dict[str, float]] = defaultdict(dict)
        for panel in panels:
            if panel.type == "table" and "Missing days" in panel.headings and "Source" in panel.headings:
                yield from _named(panel, told)
        for panel in _tables(panels, "Missing"):
            for row in panel.rows:
                system = row.get("Name") or row["System"]
                told[system][panel.board] = max(told[system].get(panel.board, 0), float(row["Missing"]))
        yield from (f"{name}: {system} {said}" for system, said in told.items() if len(set(said.values())) > 1)
        lost = [panel.title for panel in _tables(panels, "Lost days")]
        yield from (f"{name}: {title} beside days whose totals are known" for title in lost)


def _named(panel: Panel, told: dict[str, dict[str, float]]) -> Faults:
    if "Why" not in panel.headings:
        yield f"{panel.where}: why?"
        return
    for row in panel.rows:
        spans = [(part.split(" to ") * 2)[:2] for part in row["Missing days"].split(", ") if DATE.match(part)]
        days = sum((date.fromisoformat(end) - date.fromisoformat(begin)).days + 1 for begin, end in spans)
        where = f"{panel.board}, by name"
        told[row["System"]][where] = max(told[row["System"]].get(where, 0), days)
        if panel.situation.site.local_date(NOW).isoformat() in row["Missing days"] or not row["Why"]:
            yield f"{panel.where}: {row}"


def nothing_is_denied_that_is_elsewhere(seen: Seen) -> Faults:
    """Where no change was noted, the sentence leads to where it stands what is missing."""
    for where, source in seen.sources():
        if '"changed_gaps"' in _queries(source) and "Pipeline" not in source["fieldConfig"]["defaults"]["noValue"]:
            yield f"{where}: {source['fieldConfig']['defaults']['noValue']}"


def what_is_wanted_has_a_beginning(seen: Seen) -> Faults:
    """Boards on which something is missing or empty say from which day on it is wanted."""
    for panels in _boards(seen):
        if _name(panels[0].board) not in ("history", "fleet", "pipeline") or panels[0].situation.database == "nothing":
            continue
        words = [str(panel.read.get("content", "")) for panel in panels if panel.type == "text"]
        words += [
            f"wanted from {text}" for panel in _tables(panels, "Wanted from") for text in panel.column("Wanted from")
        ]
        if not any(re.search(r"wanted from 20\d\d-\d\d-\d\d", word) for word in words):
            yield f"{panels[0].board} ({panels[0].situation.name})"


def numbers_side_by_side_are_of_the_same_time(seen: Seen) -> Faults:
    """Production, consumption and net are of one quarter of an hour, and the net of a day of the hours of both."""
    for panel in seen.drawn("stat"):
        if _name(panel.board) != "now" or not panel.title.startswith(("Power in", "Power, ", "Net today")):
            continue
        numbers = {one["title"]: one["number"] for one in panel.read["values"] if one["title"] != REASON}
        if numbers.get("Net") is None:
            continue
        rows = _quarters(seen, panel)
        is_night = not ([0.0] + [row["produced_wh"] for row in rows if "produced_wh" in row])[-1]
        both = [row for row in rows if "consumed_wh" in row and (is_night or "produced_wh" in row)]
        if panel.title.startswith("Power"):
            made, used = (both[-1].get(name, 0.0) * 4 for name in ("produced_wh", "consumed_wh"))
            if numbers != {"Produced": made, "Consumed": used, "Net": made - used}:
                yield f"{panel.where}: {numbers}, {made - used} W"
        else:
            net = sum(row.get("produced_wh", 0.0) - row["consumed_wh"] for row in both) / 1000
            hours = len(both) * QUARTER
            if abs(numbers["Net"] - net) > 0.01 or numbers.get("Hours of today") != hours:
                yield f"{panel.where}: {numbers}, {net} kWh of {hours} hours"


def _quarters(seen: Seen, panel: Panel) -> list[dict[str, float]]:
    """What is known of the quarters of an hour of today."""
    site = panel.situation.site
    text = f'SELECT "produced_wh", "consumed_wh" FROM "energy" WHERE "system" = \'{site.system_id}\''  # noqa: S608
    begin = site.midnight(site.local_date(NOW))
    found = seen.seeded.server.query(panel.situation.database, f"{text} AND time >= {begin}s AND time <= {NOW}s")
    return [{name: float(str(value)) for name, value in row.items() if name.endswith("_wh")} for row in found]


def a_share_with_a_battery_has_the_battery_beside_it(seen: Seen) -> Faults:
    """What was neither used nor sold is in it: how much, and how full it is, stands on the same board."""
    for panels in _boards(seen):
        if panels[0].situation.site is CABIN and _name(panels[0].board) == "now":
            names = {name for panel in panels if panel.type == "stat" for name in panel.words}
            if "Self-consumption" in names and not {"Into the battery", "Charge"} <= names:
                yield f"{panels[0].where}: {sorted(names)}"


def what_is_wrong_is_seen_before_what_is_well(seen: Seen) -> Faults:
    """The share of the weakest panel is on a phone's first screen, before anything green."""
    for panels in _boards(seen):
        if _name(panels[0].board) != "health" or panels[0].situation.site is not CABIN:
            continue
        depth = 0
        for panel in panels:
            values = panel.read.get("values", ()) if panel.type == "stat" else ()
            if any(value["title"] == "Of usual" for value in values):
                break
            depth += panel.source["gridPos"]["h"]
            if depth > FIRST_ROWS or any(value["color"] in GREEN for value in values):
                yield f"{panel.where}: seen first"
                break


def tables_are_not_cut(seen: Seen) -> Faults:
    """On a phone each column is whole, but for dates; on a wide screen so are the rows, where they are few."""
    for panel in seen.drawn("table"):
        beyond = [name for name, right in phone_edges(panel) if right > PHONE + 0.5 and not re.match(r"20\d\d", name)]
        if beyond and beyond != ["Week of"]:
            yield f"{panel.where}: beyond the edge {beyond}"
        for column in panel.columns:
            wide = [text for text in column["texts"] if len(text) * BROAD + MARGIN > column["width"]]
            if column["isFixed"] and wide and not _wraps(panel, column):
                yield f"{panel.where}: {wide[0]} in {column['width']}"
        place = panel.source["gridPos"]
        height = HEAD + sum(_row_height(panel, place["w"] * 66 - 26, row) for row in panel.rows)
        if len(panel.rows) <= FEW and height > place["h"] * CELL - AROUND:
            yield f"{panel.where}: {height:.0f} pixels of rows in {place['h'] * CELL - AROUND}"


def _wraps(panel: Panel, column: dict[str, Any]) -> bool:
    """Whether a long text in it goes on in the next line."""
    for override in panel.source["fieldConfig"]["overrides"]:
        is_meant = override["matcher"]["options"] in (column["name"], column["type"])
        if is_meant and {"id": "custom.wrapText", "value": True} in override["properties"]:
            return True
    return False


def _row_height(panel: Panel, room: int, row: dict[str, str]) -> int:
    fixed = sum(column["width"] for column in panel.columns if column["isFixed"])
    share = (room - fixed) / max(1, sum(not column["isFixed"] for column in panel.columns))
    widths = {one["name"]: one["width"] if one["isFixed"] else max(one["width"], share) for one in panel.columns}
    lines = max(-(-len(text) * LETTER // (widths[name] - MARGIN)) for name, text in row.items())
    return int(max(1, lines)) * LINE + MARGIN


def an_empty_place_has_a_word(seen: Seen) -> Faults:
    """Where bars of days or months leave a place empty, the title says what that means, and a sum how many are."""
    for panel in seen.drawn("barchart"):
        numbers = [
            column["raw"] for column in panel.columns if column["name"] != panel.x and column["type"] == "number"
        ]
        is_holed = any(set(row) <= {None} for row in zip(*numbers, strict=True))
        if is_holed and not re.search(r"empty: not known|^Whole months", panel.title):
            yield panel.where
    for panel in seen.drawn("stat"):
        is_sum = panel.title == "Produced in the time shown" and panel.situation.name == "a month with holes"
        if is_sum and panel.words.get("Not known") != "38 days":
            yield f"{panel.where}: {panel.words}"


def days_side_by_side_are_always_as_many(seen: Seen) -> Faults:
    """A table of the newest days has the same columns wherever it stands: days in a row."""
    found: dict[str, set[int]] = defaultdict(set)
    for panel in seen.drawn("table"):
        days = sorted(date.fromisoformat(name) for name in panel.headings if DATE.fullmatch(name))
        if days:
            found[_name(panel.board)].add(len(days))
            if days[-1] - days[0] != timedelta(days=len(days) - 1):
                yield f"{panel.where}: {days}"
    yield from (f"{board}: {counts} columns" for board, counts in found.items() if len(counts) > 1)


def a_fleet_says_what_each_does(seen: Seen) -> Faults:
    """Its power now, what it made of late, its silent panels, how old that is."""
    for panels in _boards(seen):
        if _name(panels[0].board) == "fleet" and not list(_tables(panels, "Silent", "Newest data", "Now", "Last 24 h")):
            yield panels[0].where


def colours_of_health_are_of_health(seen: Seen) -> Faults:
    """No quantity is red, orange or green, which say how well something is."""
    wrong = {*ALARMING, *RED, *GREEN}
    for panel in seen.drawn("stat", "timeseries", "barchart"):
        shown = [(one["title"], one["color"]) for one in panel.read["values"]] if panel.type == "stat" else []
        shown += [(one["name"], color) for one in panel.columns for color in {*one["colors"]} if panel.type != "stat"]
        own = {*COLORS, "Self-consumption", "Self-sufficiency", *(f"{name}, USD" for name in COLORS)}
        found = {(name, color) for name, color in shown if name in own and color in wrong}
        if found:
            yield f"{panel.where}: {found}"


def what_adds_up_is_rounded_alike(seen: Seen) -> Faults:
    """Produced less consumed is the net, as they stand there: one unit, and as many digits behind the point."""
    groups = {"now": (("Power in", "Power, "), ("Produced today", "Consumed today", "Net today")), "history": (TOTALS,)}
    for panels in _boards(seen):
        for titles in groups.get(_name(panels[0].board), ()):
            texts: dict[str, str] = {}
            for panel in panels:
                if panel.type == "stat" and panel.title.startswith(titles):
                    texts |= {f"{panel.title} {name}": text for name, text in panel.words.items() if ENERGY.match(text)}
            yield from _sums(panels[0], texts)
            forms = {(len(text.split()[0].partition(".")[2]), text.split()[1]) for text in texts.values()}
            if len(forms) > 1:
                yield f"{panels[0].board} ({panels[0].situation.name}): {texts}"


def _sums(panel: Panel, texts: dict[str, str]) -> Faults:
    """What does not add up of the numbers as they are shown, where all three are of the same time."""
    shown = {name: Decimal(text.split()[0]) for name, text in texts.items() if "Yesterday" not in name}
    made, used, net = (next((one for name, one in shown.items() if name.endswith(ends)), None) for ends in ENDS)
    is_of_one_time = panel.situation.name != "a month with holes" and panel.situation.site is not CABIN
    if is_of_one_time and None not in (made, used, net) and made - used != net:  # type: ignore[operator]
        yield f"{panel.board} ({panel.situation.name}): {made} - {used} is not {net}"


ENDS = ("Produced", "Produced today Today so far"), ("Consumed", "Consumed today Today so far"), ("Net",)
"""How the names of what was produced, consumed, and of the difference end."""
TOTALS = ("Produced in the time shown", "Consumed and net", "Consumed in the time shown")


def charts_of_days_have_the_same_days(seen: Seen) -> Faults:
    """On one board, bars of days stand over the same days, the last of which has ended."""
    for panels in _boards(seen):
        charts = [panel for panel in panels if panel.type == "barchart" and not panel.read["empty"]]
        days = {panel.title: panel.column(panel.x) for panel in charts if DATE.fullmatch(panel.column(panel.x)[0])}
        if len({tuple(found) for found in days.values()}) > 1:
            ends = {title: (found[0], found[-1], len(found)) for title, found in days.items()}
            yield f"{panels[0].board} ({panels[0].situation.name}): {ends}"


def a_column_has_one_unit(seen: Seen) -> Faults:
    """Energy in one column, or in one panel of numbers, is in one unit."""
    for panel in seen.drawn("table", "stat"):
        groups = [column["texts"] for column in panel.columns] if panel.type == "table" else [[*panel.words.values()]]
        for texts in groups:
            units = {match[1] for text in texts if (match := ENERGY.match(text))}
            if len(units) > 1:
                yield f"{panel.where}: {units}"


def meters_are_lacking_on_all_boards_alike(seen: Seen) -> Faults:
    """Which meters a system has not stands in the head of each of its boards, in the same words."""
    for name, panels in _situations(seen):
        heads = {
            panel.board: re.findall(r"<em>(.*?)</em>", str(panel.read["content"]))
            for panel in panels
            if panel.type == "text" and panel.source["id"] == 1 and _name(panel.board) in OF_ONE
        }
        if len({tuple(found) for found in heads.values()}) > 1:
            yield f"{name}: {heads}"


def no_word_on_a_board_is_of_the_shell(seen: Seen) -> Faults:
    """Neither a sentence nor a description names a command."""
    for where, source in seen.sources():
        words = f"{source['title']} {source.get('description', '')} {source['fieldConfig']['defaults']['noValue']}"
        if re.search(r"`|\bcommands?\b", words):
            yield f"{where}: {words}"


def _rules() -> Iterator[Callable[[Seen], Faults]]:
    yield from (one_fact_has_one_word, what_is_missing_is_the_same_on_all_boards, nothing_is_denied_that_is_elsewhere)
    yield from (what_is_wanted_has_a_beginning, numbers_side_by_side_are_of_the_same_time)
    yield from (a_share_with_a_battery_has_the_battery_beside_it, what_is_wrong_is_seen_before_what_is_well)
    yield from (tables_are_not_cut, an_empty_place_has_a_word, days_side_by_side_are_always_as_many)
    yield from (a_fleet_says_what_each_does, colours_of_health_are_of_health, what_adds_up_is_rounded_alike)
    yield from (charts_of_days_have_the_same_days, a_column_has_one_unit, meters_are_lacking_on_all_boards_alike)
    yield from (no_word_on_a_board_is_of_the_shell,)


SIXTH_LOOK: dict[str, Callable[[Seen], Faults]] = {rule.__name__: rule for rule in _rules()}
