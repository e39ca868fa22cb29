"""What one more stranger misread on the boards: one rule a kind, which gives the faults that it finds."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from boards.panels import EMPTY, REASON
from tests.stack.first_screens import PHONE, phone_edges
from tests.stack.reading import Panel
from tests.stack.rules import Faults, Seen
from tests.stack.seed import MILL

MARGIN = 6
"""Pixels of a cell before its first letter."""
GIVES = re.compile(r"house (gave|gives)|\bit (took|takes)\b|was bought\.")
"""What is true only where no battery stands between the house and the grid."""


def _queries(panel: dict[str, Any]) -> str:
    return " ".join(target.get("query", "") for target in panel.get("targets", ()))


def days_are_compared_over_the_same_hours(seen: Seen) -> Faults:
    """What is beside today so far depends on what is known of today, not on the clock alone."""
    for where, panel in seen.sources():
        for target in panel["targets"]:
            if "now() - 1d" in target["query"] and "now() - 3d" in target["query"] and "sum(" in target["query"]:
                yield f"{where}: {target['query']}"


def net_is_no_exchange(seen: Seen) -> Faults:
    """Production less consumption is what the grid gave or took only where there is no battery."""
    for where, panel in seen.sources():
        if GIVES.search(panel.get("description", "")):
            yield f"{where}: {panel['description']}"


def _numbered(panel: Panel) -> set[str]:
    """The months beside which a panel has a number."""
    months, *numbers = panel.columns
    rows = zip(months["texts"], *(column["raw"] for column in numbers), strict=True)
    return {month for month, *found in rows if any(number is not None for number in found)}


def a_month_is_shown_wherever_months_are(seen: Seen) -> Faults:
    """Of the time shown: a month of which a day is known has a number as a bar and in the table."""
    found: dict[tuple[str, str], dict[str, set[str]]] = {}
    for panel in seen.drawn("barchart", "table"):
        if panel.title.removesuffix(EMPTY) in ("Months", "Days of each month", "Months, of the days shown"):
            found.setdefault((panel.board, panel.situation.name), {})[panel.type] = _numbered(panel)
    for where, shown in found.items():
        if len(shown) == 2 and shown["barchart"] != shown["table"]:
            yield f"{where}: {shown['barchart'] ^ shown['table']}"


def what_is_of_a_part_of_a_day_says_so(seen: Seen) -> Faults:
    """A sum or share of today says over how many hours it is; a net is of the sums above it."""
    for panel in seen.drawn("stat"):
        is_sum = re.search(r'sum\("(produced|consumed)_wh"\)', _queries(panel.source))
        is_meant = is_sum and panel.board.startswith("now") and "today" in panel.title and "Net" not in panel.title
        if is_meant and not {REASON, "Hours of today"} & panel.words.keys():
            yield f"{panel.where}: {panel.words}"


def what_is_of_some_days_says_of_how_many(seen: Seen) -> Faults:
    """A sum or a record has the number of its days; months of the whole life are as many as the system has."""
    for panel in seen.drawn("stat", "table"):
        text = _queries(panel.source)
        is_of_days = re.search(r'(sum|max)\("(produced|consumed|energy)_wh"\)', text)
        is_meant = is_of_days and panel.board.startswith(("history", "health")) and '"energy_monthly"' not in text
        if is_meant and not {REASON, "Days", "Days read", "Days metered"} & {*panel.words, *panel.headings}:
            yield f"{panel.where}: {[*panel.words, *panel.headings]}"


def a_date_is_whole_or_beyond_the_edge(seen: Seen) -> Faults:
    """On a phone the date of a week is read whole, or is not there until the table is moved."""
    for panel in seen.drawn("table"):
        edges = phone_edges(panel)
        lefts = [0.0, *(right for _, right in edges)]
        for (name, right), left in zip(edges, lefts, strict=False):
            if name == "Week of" and left < PHONE - MARGIN and right > PHONE:
                yield f"{panel.where}: {PHONE - left:.0f} pixels"


def one_reason_has_one_sentence(seen: Seen) -> Faults:
    """Numbers that are missing because a system has no consumption meter say that, wherever it is the reason."""
    for panel in seen.panels:
        is_lacking = (
            panel.type in ("stat", "table") and panel.situation.site is MILL and panel.board.startswith(_BOARDS)
        )
        if is_lacking and '"consumed_wh"' in _queries(panel.source) and panel.read["empty"]:
            yield f"{panel.where}: {panel.read['noValue']}"


_BOARDS = ("now", "history", "grid")


def what_is_promised_is_here_or_named(seen: Seen) -> Faults:
    """A board that speaks of money by tariffs shows it, or names the board that does."""
    for name, document in seen.boards.items():
        words = " ".join(panel.get("options", {}).get("content", "") for panel in document["panels"])
        is_shown = any("money_daily" in _queries(panel) for panel in document["panels"])
        if "by your tariffs" in words and not is_shown and "on the board History" not in words:
            yield name


def _rules() -> Iterator[Callable[[Seen], Faults]]:
    yield from (days_are_compared_over_the_same_hours, net_is_no_exchange, a_month_is_shown_wherever_months_are)
    yield from (what_is_of_a_part_of_a_day_says_so, what_is_of_some_days_says_of_how_many)
    yield from (a_date_is_whole_or_beyond_the_edge, one_reason_has_one_sentence, what_is_promised_is_here_or_named)


THIRD_LOOK: dict[str, Callable[[Seen], Faults]] = {rule.__name__: rule for rule in _rules()}
