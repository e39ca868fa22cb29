"""What was misread in pictures of the boards: one rule a kind, which gives the faults that it finds."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from boards.palette import COLORS
from tests.stack.reading import Panel
from tests.stack.rules import DATE, Faults, Seen

SHARED, BESIDE, BROAD = 366, 16, 0.54
"""Pixels that the numbers of a panel share on a phone, and around each; what a letter of one is wide, by its height."""
LETTER, PADDING = 7, 13
"""Pixels of a letter of a heading, on the average, and of what stands around it."""


def _series(panel: Panel) -> list[dict[str, Any]]:
    """The columns that are drawn."""
    return [one for one in panel.columns if one["type"] == "number" and one["name"] != panel.x]


def holes_have_their_place(seen: Seen) -> Faults:
    """Bars of days stand where their days are: a day that is missing is a hole, not a step to the next one."""
    for panel in seen.drawn("barchart"):
        days = panel.column(panel.x)
        if all(DATE.fullmatch(day) for day in days):
            for one, other in pairwise(map(date.fromisoformat, days)):
                if other - one != timedelta(days=1):
                    yield f"{panel.where}: {one}, {other}"


def zero_is_not_nothing(seen: Seen) -> Faults:
    """Where some days are 0 and others not known, both would be no bar."""
    for panel in seen.drawn("barchart"):
        shown = [set(row) for row in zip(*(column["raw"] for column in _series(panel)), strict=True)]
        if {None} in shown and any(row in ({0}, {0, None}) for row in shown):
            yield panel.where


def legends_name_what_is_there(seen: Seen) -> Faults:
    """A legend has no entry of which nothing is drawn."""
    for panel in seen.drawn("barchart", "timeseries"):
        empty = [column["name"] for column in _series(panel) if set(column["raw"]) <= {None}]
        if empty:
            yield f"{panel.where}: {empty}"


def colours_tell_apart(seen: Seen) -> Faults:
    """No two entries of a legend have one colour."""
    for panel in seen.drawn("barchart", "timeseries"):
        colours = [next((one for one in column["colors"] if one), None) for column in _series(panel)]
        if len(set(colours)) != len(colours):
            yield f"{panel.where}: {panel.headings} {colours}"


def nothing_is_below_the_axis(seen: Seen) -> Faults:
    """An axis that begins at zero hides what is less."""
    for panel in seen.drawn("barchart", "timeseries"):
        for column in _series(panel):
            below = [raw for raw in column["raw"] if raw is not None and raw < 0]
            if below and column["min"] == 0:
                yield f"{panel.where}: {column['name']} {below[:3]}"


def sentences_are_sentences(seen: Seen) -> Faults:
    """What stands where nothing is begins with a capital and ends with a full stop."""
    for where, panel in seen.sources():
        sentence = panel["fieldConfig"]["defaults"]["noValue"]
        if not (sentence[0].isupper() and sentence.endswith(".")):
            yield f"{where}: {sentence}"


def numbers_stand_once(seen: Seen) -> Faults:
    """No two panels of a board say the same number under the same name."""
    known: dict[tuple[str, str, str, str], str] = {}
    for panel in seen.drawn("stat"):
        for value in panel.read["values"]:
            if value["title"] in COLORS and value["number"]:
                key = panel.board, panel.situation.name, value["title"], value["text"]
                if known.setdefault(key, panel.title) != panel.title:
                    yield f"{panel.where}: {value['title']} {value['text']} as in {known[key]}"


def headings_fit(seen: Seen) -> Faults:
    """The least width of a column holds its heading."""
    for panel in seen.drawn("table"):
        for column in panel.columns:
            if len(column["name"]) * LETTER + PADDING > column["width"]:
                yield f"{panel.where}: {column['name']} in {column['width']}"


def numbers_do_not_break(seen: Seen) -> Faults:
    """On a phone three numbers of 22 pixels stand side by side; more of them are smaller, or in two lines."""
    for panel in seen.drawn("stat"):
        size = panel.source["options"].get("text", {}).get("valueSize", 22)
        if len(panel.words) > 3 and panel.source["gridPos"]["h"] < 7 and size > 16:
            yield f"{panel.where}: {list(panel.words)}"
        room = SHARED / max(1, len(panel.words)) - BESIDE
        broken = [text for text in panel.texts if re.match(r"-?[\d.,]+ ", text) and len(text) * size * BROAD > room]
        if broken and panel.source["gridPos"]["h"] < 6:
            yield f"{panel.where}: {broken} in {room:.0f} pixels"


LOOKS: dict[str, Callable[[Seen], Faults]] = {
    rule.__name__: rule
    for rule in (
        *(holes_have_their_place, zero_is_not_nothing, legends_name_what_is_there, colours_tell_apart),
        *(nothing_is_below_the_axis, sentences_are_sentences, numbers_stand_once, headings_fit, numbers_do_not_break),
    )
}
