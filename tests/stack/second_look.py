"""What another stranger misread on the boards: one rule a kind, which gives the faults that it finds."""

import re
from collections.abc import Callable
from typing import Any

from boards.sources import NAMES
from tests.stack.first_screens import METER, PHONE, phone_edges
from tests.stack.reading import Panel
from tests.stack.rules import Faults, Seen
from tests.stack.seed import MILL, NOW, SITES

LETTER = 7.3
"""Pixels of a letter of a title, on the average: 14 pixels high, medium."""
AROUND = 44
"""Pixels around a title: the margins, and the sign that leads to the description."""
COLUMN = 66
"""Pixels of one of the 24 columns of a board of 1,600."""
RUNNING = SITES[0].local_date(NOW)
ALONE = 382
"""Pixels of a panel on a phone of 400."""


def _queries(panel: dict[str, Any]) -> str:
    return " ".join(target.get("query", "") for target in panel.get("targets", ()))


def _months(panel: Panel) -> list[str]:
    """The months beside (or under) which there are numbers, as words."""
    column = panel.columns[0]["texts"] if panel.columns else []
    return column if column and all(re.fullmatch(r"20\d\d-\d\d|[A-Z][a-z]{2}", word) for word in column) else []


def months_are_like_beside_like(seen: Seen) -> Faults:
    """A running month is no number among those of whole months: it is left out, apart, a mean, or has its days."""
    for panel in seen.drawn("barchart", "table"):
        months = _months(panel)
        if not months or "Days" in panel.headings or "'mean'" in str(panel.source["transformations"]):
            continue
        for column in panel.columns[1:]:
            if column["name"].startswith("Some days"):
                continue
            named = f"{RUNNING:%b}" in months and column["name"] == f"{RUNNING:%Y}"
            word = f"{RUNNING:%b}" if named else f"{RUNNING:%Y-%m}"
            numbers = dict(zip(months, column["raw"], strict=True))
            if numbers.pop(word, None) is not None and any(number is not None for number in numbers.values()):
                yield f"{panel.where}: {column['name']} {word}"


def an_exchange_is_said_alike(seen: Seen) -> Faults:
    """What was bought and sold at two prices is one number with one name, or none, on each board that says it."""
    found: dict[str, dict[str, tuple[str, bool, tuple[str, ...]]]] = {}
    for panel in seen.panels:
        if panel.type == "stat" and "import_price" in _queries(panel.source):
            names = tuple(name for name in panel.words if not panel.read["empty"])
            found.setdefault(panel.situation.name, {})[panel.board] = panel.title, panel.read["empty"], names
    yield from (f"{where}: {said}" for where, said in found.items() if len(set(said.values())) > 1)
    if not any(len(said) > 1 for said in found.values()):
        yield "two boards say it"


def tables_fit_a_phone(seen: Seen) -> Faults:
    """No more than one column of a table is beyond the edge of a phone; a calendar is seen to its Sunday."""
    for panel in seen.drawn("table"):
        cut = [name for name, right in phone_edges(panel) if right > PHONE + 0.5]
        beyond = [name for name in cut if not re.match(r"20\d\d-\d\d-", name)]
        if len(beyond) > 1 or "Sun" in beyond:
            yield f"{panel.where}: {beyond}"


def titles_fit(seen: Seen) -> Faults:
    """A title is read to its end, on a wide screen and on a phone."""
    for panel in seen.panels:
        room = min(ALONE, panel.source["gridPos"]["w"] * COLUMN - 8)
        if len(panel.title) * LETTER + AROUND > room:
            yield f"{panel.where}: {panel.title} in {room}"


def colours_have_a_key(seen: Seen) -> Faults:
    """A picture that is nothing but colours says what each means."""
    for panel in seen.drawn("state-timeline"):
        if len(panel.read["legend"]) < 2:
            yield panel.where


def one_system_among_all_is_named(seen: Seen) -> Faults:
    """On a board of all systems a panel of one says which."""
    for name, document in seen.boards.items():
        if "All systems" in document["panels"][0].get("options", {}).get("content", ""):
            for panel in document["panels"][1:]:
                if "'${system:raw}'" in _queries(panel) and "${system:text}" not in panel["title"]:
                    yield f"{name}: {panel['title']}"


def a_meter_that_is_not_there_is_named(seen: Seen) -> Faults:
    """Where consumption is missing because there is no meter of it, the board says so; elsewhere it does not."""
    needs = {
        name
        for name, document in seen.boards.items()
        if any('"consumed_wh"' in _queries(panel) and "'${system" in _queries(panel) for panel in document["panels"])
    }
    for panel in seen.panels:
        is_lacking = panel.situation.site is MILL
        words = None
        if panel.type == "text" and panel.board in needs and panel.source["id"] == 1:
            words = panel.read["content"]
        if panel.type == "stat" and panel.title.startswith("Consumed"):
            words = " ".join(panel.words.values())
        if words is not None and ("no consumption meter" in words) != is_lacking:
            yield f"{panel.where}: {words}"


def of_two_sums_of_money_one_holds(seen: Seen) -> Faults:
    """A board that knows money by prices and by tariffs says which holds."""
    for name, document in seen.boards.items():
        queries = [_queries(panel) for panel in document["panels"]]
        words = " ".join(panel.get("options", {}).get("content", "") for panel in document["panels"])
        both = any("money_daily" in text for text in queries) and any("_price" in text for text in queries)
        if both and not re.search(r"\b(holds|count)\b", words):
            yield name


def nobody_waits_for_what_may_never_come(seen: Seen) -> Faults:
    """Where there is no such meter, or no plan that reads it, nothing is not known "yet"."""
    for where, panel in seen.sources():
        sentence = panel["fieldConfig"]["defaults"]["noValue"]
        is_of_devices = METER.search(_queries(panel)) or '"inverter_daily"' in _queries(panel)
        if is_of_devices and re.search(r"\byet\b|nights in a row", sentence):
            yield f"{where}: {sentence}"


def words_are_those_of_an_owner(seen: Seen) -> Faults:
    """No heading, legend or cell is a name of the API."""
    for panel in seen.drawn():
        words = {*panel.headings, *panel.words, *(text for column in panel.columns for text in column["texts"])}
        if words & (NAMES.keys() - {"battery", "consumption", "events"} | {"stream", "Stream"}):
            yield f"{panel.where}: {words & NAMES.keys()}"


SECOND_LOOK: dict[str, Callable[[Seen], Faults]] = {
    rule.__name__: rule
    for rule in (
        *(months_are_like_beside_like, an_exchange_is_said_alike, tables_fit_a_phone, titles_fit, colours_have_a_key),
        *(one_system_among_all_is_named, a_meter_that_is_not_there_is_named, of_two_sums_of_money_one_holds),
        *(nobody_waits_for_what_may_never_come, words_are_those_of_an_owner),
    )
}
