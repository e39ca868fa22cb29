"""What a fourth stranger misread on the boards: one rule a kind, which gives the faults that it finds."""

import re
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

from tests.stack.reading import began
from tests.stack.rules import DATE, Faults, Seen
from tests.stack.seed import LOST, MILL

ENERGY_WORDS = ("Bought", "Sold", "Imported", "Exported")
"""What may be an amount of energy or of money."""
RED = {"red", "#F2495C", "#E02F44"}
ALARMING = RED | {"orange", "#FF9830", "#FF780A"}
"""As Grafana paints them in either theme."""
LESS = 0.6
"""The share of what is usual below which a panel has a fault."""
COLUMN, ALONE = 66, 382
"""Pixels of one of the 24 columns of a board of 1,600, and of a panel on a phone of 400."""
AROUND, LETTER = 20, 0.68
"""Pixels around numbers, and what a letter of one is wide, with what is around it, by its height."""
KEYS = ("System", "Name", "Source")


def _queries(panel: dict[str, Any]) -> str:
    return " ".join(target.get("query", "") for target in panel.get("targets", ()))


def _is_alarming(color: str | None) -> bool:
    return bool(color) and str(color) in ALARMING


def money_has_words_of_its_own(seen: Seen) -> Faults:
    """No amount of money is called as an amount of energy could be, and all money is told by the same words."""
    for panel in seen.drawn("stat", "table"):
        names = {re.sub(r", [A-Z]{3}$", "", name) for name in (*panel.words, *panel.headings)}
        if "_price" in _queries(panel.source) or "money_daily" in _queries(panel.source):
            amounts = names - {"Month", "Days", "Days metered", "This system has"}
            if amounts - {"Cost", "Earned", "Saved"} or not panel.title.startswith("Money"):
                yield f"{panel.where}: {sorted(amounts)}"
        elif names & {*ENERGY_WORDS, "Cost", "Earned", "Saved"}:
            yield f"{panel.where}: {sorted(names)}"


def years_are_compared_over_the_same_days(seen: Seen) -> Faults:
    """Two sums of one kind side by side have one number of days."""
    for panel in seen.drawn("stat"):
        counted = [name for name in panel.words if name.startswith("Days") and not re.search("battery|metered", name)]
        if len(counted) > 1:
            yield f"{panel.where}: {[panel.words[name] for name in counted]}"


def a_system_that_lost_a_day_says_so(seen: Seen) -> Faults:
    """In the row of the system, and why, in orange; a system that lost none has no such word."""
    for panel in seen.drawn("table"):
        is_of_systems = panel.board.startswith("fleet") and "Number" in panel.headings
        if is_of_systems and "Missing" not in panel.headings:
            yield f"{panel.where}: {panel.headings}"
        elif is_of_systems and panel.situation.database == "enphase":
            for number, days in zip(*map(panel.column, ("Number", "Missing")), strict=True):
                if int(days) != len(LOST.get(int(number), ())):
                    yield f"{panel.where}: {number} {days}"
        for column in panel.columns:
            if column["name"] == "Why" and "Missing days" in panel.headings:
                for text, color in zip(column["texts"], column["colors"], strict=True):
                    if ("refused" in text) != _is_alarming(color):
                        yield f"{panel.where}: {text} {color}"


def what_is_still_being_read_is_no_warning(seen: Seen) -> Faults:
    """A history is read for days: a share of it is neither red nor orange."""
    for panel in seen.drawn("stat", "table", "state-timeline"):
        if '"coverage_ratio"' not in _queries(panel.source):
            continue
        shown = [(one["text"], one["color"]) for one in panel.read["values"]]
        for column in panel.columns if panel.type != "stat" else ():
            shown += zip(column["texts"], column["colors"], strict=True)
        wrong = [text for text, color in shown if text.endswith("%") and _is_alarming(color)]
        if wrong:
            yield f"{panel.where}: {wrong[:3]}"


def rows_stand_once(seen: Seen) -> Faults:
    """No two tables of a board have a row each for the same things, whoever looks."""
    found: dict[tuple[str, str], list[tuple[str, set[tuple[str, ...]]]]] = {}
    alike: dict[tuple[str, str, str], bool] = {}
    for panel in seen.drawn("table"):
        keys = [name for name in KEYS if name in panel.headings]
        if len(keys) > 1:
            rows = {tuple(row[name] for name in keys) for row in panel.rows}
            found.setdefault((panel.board, panel.situation.name), []).append((panel.title, rows))
    for (board, _), tables in found.items():
        for (one, rows), (other, more) in combinations(tables, 2):
            alike[board, one, other] = rows == more and alike.get((board, one, other), True)
    yield from (f"{where}" for where, always in alike.items() if always)


def a_difference_has_its_sign(seen: Seen) -> Faults:
    """What is more or less than before says which, by a sign or by its name; and there is no "change in" something."""
    for panel in seen.drawn("stat", "table"):
        if re.search(r'"changed_(gaps|wh)"', _queries(panel.source)):
            if "change in" in " ".join([panel.title, *panel.words, *panel.headings]).lower():
                yield f"{panel.where}: change in"
            for column in panel.columns if panel.type == "table" else ():
                wrong = [text for text in column["texts"] if re.match(r"-?\d", text) and text != "0"]
                if column["name"].startswith(("Energy", "Gaps", "kWh ±", "Spans", "Periods")) and [
                    text for text in wrong if not text.startswith("-")
                ]:
                    yield f"{panel.where}: {column['name']} {wrong[:3]}"


def one_number_has_one_name(seen: Seen) -> Faults:
    """What is told of one thing on several panels begins with the same words."""
    for words, field in (("Values not yet stored", '"sink_'), ("Data read, worst source", '"coverage_ratio"')):
        for panel in seen.drawn("stat", "timeseries"):
            names = [panel.title, *panel.words]
            if field in _queries(panel.source) and not any(name.startswith(words) for name in names):
                yield f"{panel.where}: {names}"


def days_that_are_counted_are_named(seen: Seen) -> Faults:
    """Whoever is told that days are wrong is told which."""
    for panel in seen.drawn("stat", "table"):
        if '"audit_differences"' in _queries(panel.source) and not any(map(DATE.match, panel.texts)):
            yield f"{panel.where}: {list(panel.texts)}"


def what_is_not_known_has_words(seen: Seen) -> Faults:
    """No span of a timeline is blank without a word."""
    for panel in seen.drawn("state-timeline"):
        begin = began(seen.boards[panel.board], panel.situation) * 1000
        for time, column in panel.read["tables"]:
            blank = [text for raw, text in zip(column["raw"], column["texts"], strict=True) if raw is None]
            if not all(re.match(r"\w+ \w+", text) for text in blank) or time["raw"][0] > begin:
                yield f"{panel.where}: {column['name']} {blank[:2]}"
        if panel.source["options"]["showValue"] == "never":
            yield f"{panel.where}: words are never shown"


def what_is_far_below_the_usual_stands_out(seen: Seen) -> Faults:
    """A panel at half of what is usual is red, one at all of it is not."""
    for panel in seen.drawn("table"):
        for column in panel.columns:
            if column["name"] == "Of usual":
                for raw, color in zip(column["raw"], column["colors"], strict=True):
                    if (raw < LESS) != (color in RED):
                        yield f"{panel.where}: {raw} {color}"


def a_panel_is_called_a_panel(seen: Seen) -> Faults:
    """No heading, name, title or legend says module or microinverter."""
    for panel in seen.drawn():
        words = [panel.title, *panel.headings, *panel.words, str(panel.read["noValue"])]
        words += [text for column in panel.columns if column["name"] == "Source" for text in column["texts"]]
        wrong = [word for word in words if re.search(r"module|microinverter", word, re.IGNORECASE)]
        if wrong:
            yield f"{panel.where}: {wrong}"


def hours_say_whose_they_are(seen: Seen) -> Faults:
    """Every picture with hours under it says in its title by which clock."""
    for panel in seen.drawn("timeseries", "state-timeline"):
        if not panel.title.endswith("browser's clock"):
            yield panel.where


def marks_name_sources_in_words(seen: Seen) -> Faults:
    """The marks in curves carry no name of the API."""
    for name, document in seen.boards.items():
        for note in document.get("annotations", {}).get("list", ()):
            if "stream" in note["tagsColumn"] or '"stream"' in note["query"]:
                yield f"{name}: {note['name']}"


def production_is_shown_without_consumption(seen: Seen) -> Faults:
    """Without a meter of it: a picture of both shows what is known."""
    for panel in seen.panels:
        text = _queries(panel.source)
        is_both = panel.type in ("barchart", "timeseries") and '"produced_wh"' in text and '"consumed_wh"' in text
        if is_both and panel.situation.site is MILL and panel.read["empty"]:
            yield f"{panel.where}: {panel.read['noValue']}"


def dates_do_not_break(seen: Seen) -> Faults:
    """A date among numbers has the room of its letters, wide and on a phone."""
    for panel in seen.drawn("stat"):
        size = panel.source["options"].get("text", {}).get("valueSize", 22)
        for width in (panel.source["gridPos"]["w"] * COLUMN, ALONE):
            room = (width - AROUND) / len(panel.words)
            wide = [text for text in panel.texts if DATE.fullmatch(text) and len(text) * size * LETTER > room]
            if wide:
                yield f"{panel.where}: {wide} in {room:.0f}"


def _rules() -> Iterator[Callable[[Seen], Faults]]:
    yield from (money_has_words_of_its_own, years_are_compared_over_the_same_days, a_system_that_lost_a_day_says_so)
    yield from (what_is_still_being_read_is_no_warning, rows_stand_once, a_difference_has_its_sign)
    yield from (one_number_has_one_name, days_that_are_counted_are_named, what_is_not_known_has_words)
    yield from (what_is_far_below_the_usual_stands_out, a_panel_is_called_a_panel, hours_say_whose_they_are)
    yield from (marks_name_sources_in_words, production_is_shown_without_consumption, dates_do_not_break)


FOURTH_LOOK: dict[str, Callable[[Seen], Faults]] = {rule.__name__: rule for rule in _rules()}
