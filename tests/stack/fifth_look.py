"""What a fifth stranger misread on the boards: one rule a kind, which gives the faults that it finds."""

import re
from collections.abc import Callable, Iterator

from boards.panels import REASON
from tests.stack.rules import Faults, Seen
from tests.stack.seed import MILL

PARTLY = {"Net", "Self-consumption", "Into the battery"}
"""What is known of fewer days than the production beside it, where a meter came later."""
OF_PROGRAMMERS = re.compile(r"\b([Pp]oints?|[Rr]evised)\b|\b[Rr]ead of (what is )?wanted")


def sums_of_fewer_days_say_so(seen: Seen) -> Faults:
    """In the title: the number of days alone is not seen beside the sums."""
    for panel in seen.drawn("stat"):
        if "Days" in panel.words and PARTLY & panel.words.keys() and not re.search(r"\bdays\b", panel.title):
            yield panel.where


def boards_name_no_command(seen: Seen) -> Faults:
    """Whoever looks at a board has no shell: what is missing is said in words."""
    for where, panel in seen.sources():
        sentence = panel["fieldConfig"]["defaults"]["noValue"]
        if "`" in sentence or "command" in sentence:
            yield f"{where}: {sentence}"


def what_is_not_there_is_no_outage(seen: Seen) -> Faults:
    """A grid meter that was never read is not said to be unread; where there is none, that is said."""
    for where, source in seen.sources():
        if re.search(r"\bmeter\b.* was read", source["fieldConfig"]["defaults"]["noValue"]):
            yield f"{where}: {source['fieldConfig']['defaults']['noValue']}"
    for panel in seen.panels:
        is_meant = panel.situation.site is MILL and panel.type == "stat" and panel.title.startswith("Grid and battery")
        if is_meant and panel.words != {REASON: "no grid meter"}:
            yield f"{panel.where}: {panel.words}"


def words_are_those_of_an_owner(seen: Seen) -> Faults:
    """No title, heading or name speaks of points, of what was revised, or of what is wanted."""
    for panel in seen.drawn():
        wrong = [word for word in (panel.title, *panel.words, *panel.headings) if OF_PROGRAMMERS.search(word)]
        if wrong:
            yield f"{panel.where}: {wrong}"


def hours_and_days_say_of_what(seen: Seen) -> Faults:
    """A number of hours says of which day, days of the last 30 that they are of 30, the usual of how many days."""
    for panel in seen.drawn("stat"):
        is_bare = "Hours" in panel.words or "Usual whole day" in panel.words
        if is_bare or ("Last 30 days" in panel.words and not panel.words["Days"].endswith(" of 30")):
            yield f"{panel.where}: {panel.words}"


def sentences_can_be_understood(seen: Seen) -> Faults:
    """What is missing is named where it is missing."""
    for where, panel in seen.sources():
        sentence = panel["fieldConfig"]["defaults"]["noValue"]
        if re.search(r"\bof it is known|together with the one|is known and was", sentence):
            yield f"{where}: {sentence}"


def _rules() -> Iterator[Callable[[Seen], Faults]]:
    yield from (sums_of_fewer_days_say_so, boards_name_no_command, what_is_not_there_is_no_outage)
    yield from (words_are_those_of_an_owner, hours_and_days_say_of_what, sentences_can_be_understood)


FIFTH_LOOK: dict[str, Callable[[Seen], Faults]] = {rule.__name__: rule for rule in _rules()}
