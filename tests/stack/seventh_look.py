"""What a seventh stranger misread on the boards: one rule a kind, which gives the faults that it finds."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from tests.stack.fourth_look import ALARMING, RED
from tests.stack.reading import Panel
from tests.stack.rules import Faults, Seen
from tests.stack.sixth_look import BROAD, ENERGY, GREEN, MARGIN

WIDE, NAME_LETTER, BESIDE_NAME = 1592, 6.6, 20
"""Pixels that the panels of a row share on a wide screen; of a letter of a number's name, and around the name."""
MOST_DIGITS = 5
PUZZLING = re.compile(
    r"\bof (both|either)$|\bSpans?\b|\ball the same\b|\bhas a worth\b|\bwhat holds\b|\bhas nothing here\b"
)
"""Words that are only understood by whoever knows the program."""


def _names(panel: Panel) -> list[str]:
    """The names beneath its title, of numbers, columns or curves."""
    return [*panel.words, *panel.headings] if panel.type != "text" else []


def a_whole_day_beside_a_part_of_one_says_so(seen: Seen) -> Faults:
    """Beside today so far and yesterday by now, the usual of whole days is no number to be behind of."""
    for panel in seen.drawn("stat"):
        others = [name for name in panel.words if not re.search(r"so far|by now|Hours|\bday\b", name)]
        if "Today so far" in panel.words and others:
            yield f"{panel.where}: {others}"


def days_beside_a_day_say_of_what(seen: Seen) -> Faults:
    """How many days a record is of is not the day on which it was."""
    for panel in seen.drawn("stat"):
        if {"Day", "Days"} <= panel.words.keys():
            yield f"{panel.where}: {panel.words}"


def one_net_has_one_number(seen: Seen) -> Faults:
    """Of the same consumption over the same days, the net is the same wherever it stands on a board."""
    nets: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for panel in seen.drawn("stat", "table"):
        for row in [panel.words] if panel.type == "stat" else panel.rows:
            if {"Consumed", "Net", "Days"} <= row.keys():
                nets[panel.board, panel.situation.name, row["Consumed"], row["Days"]].add(row["Net"])
    yield from (f"{key}: {found}" for key, found in nets.items() if len(found) > 1)


def names_have_one_line_where_there_is_room(seen: Seen) -> Faults:
    """On a wide screen the numbers of a panel stand on one line: none is below the others for its name."""
    for panel in seen.drawn("stat"):
        room = panel.source["gridPos"]["w"] / 24 * WIDE / max(1, len(panel.words))
        long = [name for name in panel.words if len(name) * NAME_LETTER + BESIDE_NAME > room]
        if len(panel.words) > 1 and long:
            yield f"{panel.where}: {long} in {room:.0f} pixels"


def words_are_understood_alone(seen: Seen) -> Faults:
    """No title, name, sentence or line needs the program's own words."""
    for panel in seen.panels:
        words = [str(panel.read.get("noValue", "")), str(panel.read.get("content", "")), panel.title, *_names(panel)]
        found = [word for word in words if PUZZLING.search(word)]
        if found:
            yield f"{panel.where}: {found}"


def an_axis_has_one_unit(seen: Seen) -> Faults:
    """Not 500 W below 1 kW."""
    for panel in seen.drawn("timeseries", "barchart"):
        units = {match[1] for text in panel.texts if (match := ENERGY.match(text))}
        if len(units) > 1:
            yield f"{panel.where}: {units}"


def a_quantity_is_not_green_by_chance(seen: Seen) -> Faults:
    """What has no colour of its own gets that of a list which begins with green; a limit may be red."""
    for panel in seen.drawn("timeseries", "barchart"):
        is_judged = any(step["value"] is not None for step in _thresholds(panel))
        for column in panel.columns if not is_judged else ():
            found = {*column["colors"]} & {*ALARMING, *RED, *GREEN} if column["type"] == "number" else set()
            if found and column["name"] != "Limit":
                yield f"{panel.where}: {column['name']} {found}"


def _thresholds(panel: Panel) -> list[dict[str, Any]]:
    return list(panel.source["fieldConfig"]["defaults"]["thresholds"]["steps"])


def no_number_has_more_digits_than_are_read(seen: Seen) -> Faults:
    """Five digits at most, and a share of a hundred no more than one behind the point."""
    for panel in seen.drawn("stat", "table"):
        for text in panel.texts:
            number, _, unit = text.replace("%", " %").partition(" ")
            digits = re.fullmatch(r"[+-]?([\d,]+)(?:\.(\d+))?", number)
            is_long = digits and unit in ("kWh", "kW", "W") and len(re.sub(r"\D", "", number)) > MOST_DIGITS
            if is_long or (digits and unit == "%" and len(digits[2] or "") > 1):
                yield f"{panel.where}: {text}"


def a_title_names_what_is_listed(seen: Seen) -> Faults:
    """An order is of something, and a list of months is not called days."""
    for panel in seen.drawn("table"):
        is_order = panel.title.endswith(" first") and "," not in panel.title
        if is_order or (panel.title.startswith("Days of") and panel.headings[0] != "Day"):
            yield f"{panel.where}: {panel.headings}"


def a_larger_system_has_room(seen: Seen) -> Faults:
    """Ten times the energy, and ten times the power, are not cut off."""
    for panel in seen.drawn("table"):
        for column in panel.columns:
            wide = [text for text in column["texts"] if ENERGY.match(text) and _room(text) > column["width"]]
            if column["isFixed"] and wide:
                yield f"{panel.where}: {column['name']} {wide[0]} in {column['width']}"


def _room(text: str) -> float:
    """Pixels of a number of one digit more."""
    return (len(text) + 1) * BROAD + MARGIN


def _rules() -> Iterator[Callable[[Seen], Faults]]:
    yield from (a_whole_day_beside_a_part_of_one_says_so, days_beside_a_day_say_of_what, one_net_has_one_number)
    yield from (names_have_one_line_where_there_is_room, words_are_understood_alone, an_axis_has_one_unit)
    yield from (a_quantity_is_not_green_by_chance, no_number_has_more_digits_than_are_read)
    yield from (a_title_names_what_is_listed, a_larger_system_has_room)


SEVENTH_LOOK: dict[str, Callable[[Seen], Faults]] = {rule.__name__: rule for rule in _rules()}
