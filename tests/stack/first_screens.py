"""What a stranger misread on the first screens: one rule a kind, which gives the faults that it finds."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

from boards.panels import REASON
from tests.stack.boards import ROOT
from tests.stack.reading import Panel
from tests.stack.rules import COLOURLESS, Faults, Seen

PHONE = 366
"""Pixels that a table has on a phone of 400."""
LEAST = 50
"""Pixels of a column of a table of Grafana, whatever is asked for."""
METER = re.compile(r'FROM "(production_meter_reading|production_rgm|production_rgm_channel)"')
LATE_SINCE_IN = "a month with holes"
"""Where consumption was not read as late as production: the net says of how many hours it is."""
MONEY = re.compile(r"(Bought|Sold|Saved|Cost|Earned)\b")


def phone_edges(panel: Panel) -> list[tuple[str, float]]:
    """Each column of a table with its right edge on a phone, as Grafana's table lays them out: none is below 50."""
    fixed = sum(max(LEAST, column["width"]) for column in panel.columns if column["isFixed"])
    share = (PHONE - fixed) / max(1, sum(not column["isFixed"] for column in panel.columns))
    widths = [max(LEAST, column["width"], 0 if column["isFixed"] else share) for column in panel.columns]
    return [(column["name"], sum(widths[: at + 1])) for at, column in enumerate(panel.columns)]


def _looked_at(seen: Seen) -> Iterator[list[Panel]]:
    """The panels of each board in each situation, without its head."""
    panels = [panel for panel in seen.panels if panel.type != "text"]
    for _, found in groupby(panels, lambda panel: (panel.board, panel.situation.name)):
        yield list(found)


def _said(panels: Iterable[Panel], *starts: str) -> dict[str, float]:
    """The numbers of the first panel whose title begins so, by name."""
    for panel in panels:
        if panel.title.startswith(starts) and panel.type == "stat":
            values = panel.read["values"]
            return {one["title"]: one["number"] for one in values if one["text"] != panel.read["noValue"]}
    return {}


def _queries(panel: dict[str, Any]) -> str:
    return " ".join(target["query"] for target in panel.get("targets", ()))


def a_net_is_that_of_the_tiles_beside_it(seen: Seen) -> Faults:
    """Produced less consumed, of now and of today, is what a person works out from the two numbers beside it."""
    for panels in _looked_at(seen):
        where = f"{panels[0].board} ({panels[0].situation.name})"
        power = _said(panels, "Power in the newest", "Power, newest")
        if len(power) == 3 and power["Net"] != power["Produced"] - power["Consumed"]:
            yield f"{where}: {power}"
        made, used = (_said(panels, title) for title in ("Produced today", "Consumed today"))
        net, days = _said(panels, "Net today"), (made.get("Today so far"), used.get("Today so far"))
        if "Net" not in net or LATE_SINCE_IN in where:
            continue
        if None in days or abs(net["Net"] - (days[0] - days[1])) > 1e-6:  # type: ignore[operator]
            yield f"{where}: {net['Net']} beside {days}"


def data_have_one_age(seen: Seen) -> Faults:
    """The age of a system's data is the same on every board that says it."""
    ages: dict[tuple[str, str], set[str]] = {}
    for panel in seen.drawn("stat", "table"):
        name = panel.situation.site.name
        if panel.type == "stat" and panel.title.startswith(("Newest data", "Age of the data")):
            ages.setdefault((panel.situation.name, name), set()).update(panel.words.values())
        elif "Newest data" in panel.headings:
            for row in panel.rows:
                system = row.get("Name") or row["System"]
                ages.setdefault((panel.situation.name, system), set()).add(row["Newest data"])
    yield from (f"{key}: {found}" for key, found in ages.items() if len(found) > 1)
    old = [panel.where for panel in seen.drawn("table") if "Behind" in panel.headings]
    yield from (f"{where}: another age" for where in old)


def days_are_words_and_clocks_are_named(seen: Seen) -> Faults:
    """Days of the system lie on no axis of the viewer's clock; where there is such an axis, the head names it."""
    for where, panel in seen.sources():
        if panel["type"] in ("timeseries", "state-timeline") and "GROUP BY time(1d)" in _queries(panel):
            yield f"{where}: days on an axis of time"
    for name, document in seen.boards.items():
        panels = document["panels"]
        has_axis = any(panel["type"] in ("timeseries", "state-timeline") for panel in panels)
        if has_axis and "your browser's clock" not in panels[0].get("options", {}).get("content", ""):
            yield f"{name}: whose clock?"


def what_is_overdue_is_not_green(seen: Seen) -> Faults:
    """Points that a database should have and has not are red, and on the first screen."""
    for panel in seen.drawn("stat"):
        if '"sink_' in _queries(panel.source):
            waits = [one for one in panel.read["values"] if one["number"]]
            if any(one["color"] in ("green", "#73BF69") for one in waits) or panel.source["gridPos"]["y"] > 4:
                yield f"{panel.where}: {panel.words} {[one['color'] for one in waits]}"


def a_record_has_its_date(seen: Seen) -> Faults:
    """The most that ever was comes with when it was."""
    for panel in seen.drawn("stat"):
        is_record = re.search(r'SELECT max\("(produced|consumed)_wh"\)', _queries(panel.source))
        is_shown = is_record and REASON not in panel.words
        if is_shown and not any(re.match(r"20\d\d-\d\d", text) for text in panel.texts):
            yield f"{panel.where}: {panel.words}"


def money_has_its_currency(seen: Seen) -> Faults:
    """A number of money says of which currency it is."""
    for panel in seen.drawn():
        names = [*panel.words, *panel.headings]
        amounts = [name for name in names if MONEY.match(name)]
        is_named = "currency" in panel.title or re.search(r" [A-Z]{3}$", panel.title)
        if amounts and not is_named and not all(re.search(r", [A-Z]{3}$", name) for name in amounts):
            yield f"{panel.where}: {amounts}"


def sentences_state_what_was_found(seen: Seen) -> Faults:
    """Where nothing is, a sentence says what is missing; it lists no needs, some of which may be met."""
    for where, panel in seen.sources():
        sentence = panel["fieldConfig"]["defaults"]["noValue"]
        if re.match(r"Needs\b", sentence) or (" ingest " in sentence and "command `ingest" not in sentence):
            yield f"{where}: {sentence}"


def nothing_is_said_once(seen: Seen) -> Faults:
    """A board of which nothing exists says so in one way, and once what to do."""
    for panels in _looked_at(seen):
        if len(panels) > 3 and all(panel.read["empty"] for panel in panels):
            said = {str(panel.read["noValue"]) for panel in panels}
            if len(said) > 3 or sum("ingest" in str(panel.read["noValue"]) for panel in panels) > 1:
                yield f"{panels[0].board}: {said}"


def one_cause_has_one_sentence(seen: Seen) -> Faults:
    """Panels of one board that lack the same meter say the same."""
    found: dict[str, set[str]] = {}
    for where, panel in seen.sources():
        if METER.search(_queries(panel)):
            found.setdefault(where.partition(":")[0], set()).add(panel["fieldConfig"]["defaults"]["noValue"])
    yield from (f"{board}: {said}" for board, said in found.items() if len(said) > 1)


def what_is_now_is_not_of_the_window(seen: Seen) -> Faults:
    """What a board of now says does not depend on the time range that is chosen."""
    for where, panel in seen.sources():
        if where.startswith("fleet") and re.search(r"__from|timeFilter", _queries(panel)):
            yield where


def a_share_says_of_what(seen: Seen) -> Faults:
    """What was read is a share of what is wanted, and gaps have days."""
    for panel in seen.drawn("stat", "table"):
        if '"coverage_ratio"' in _queries(panel.source):
            names = [panel.title, *panel.words, *panel.headings]
            if not any(re.search("wanted|[Dd]ata", name) for name in names):
                yield f"{panel.where}: {names}"
    for panels in _looked_at(seen):
        drawn = [panel for panel in panels if not panel.read["empty"]]
        has_gaps = any("Gaps" in (*panel.words, *panel.headings) and "change in" not in panel.title for panel in drawn)
        texts = [text for panel in drawn for text in panel.texts]
        has_days = any(re.match(r"20\d\d-\d\d-\d\d to ", text) for text in texts)
        if has_gaps and not has_days and panels[0].situation.name.startswith("four"):
            yield f"{panels[0].board}: gaps without days"


def a_change_has_its_energy_and_its_reason(seen: Seen) -> Faults:
    """What changed: by how much, and why."""
    for panel in seen.drawn("table"):
        if re.match("What changed|Values corrected", panel.title) or "Points revised" in panel.headings:
            row = panel.rows[0]
            energy = f"{row['kWh ±']} kWh" if "kWh ±" in row else row.get("Energy", "")
            if not (re.search(r"\d k?Wh$", energy) and len(row.get("Why", "").split()) > 2):
                yield f"{panel.where}: {row}"


def a_phone_shows_the_answer(seen: Seen) -> Faults:
    """On a phone the first columns are seen whole, that of the order too; few of the others are beyond its edge."""
    for panel in seen.drawn("table"):
        whole = [name for name, right in phone_edges(panel) if right <= PHONE + 0.5]
        beyond = [name for name in panel.headings if name not in whole and not re.match(r"20\d\d", name)]
        by = [one["displayName"] for one in panel.source["options"].get("sortBy", ())]
        if len(whole) < min(2, len(panel.headings)) or len(beyond) > 3 or set(by) & set(beyond):
            yield f"{panel.where}: whole {whole}, beyond {beyond}"


def cells_can_be_read(seen: Seen) -> Faults:
    """Letters on a coloured cell have contrast in both themes."""
    for panel in seen.drawn("table"):
        if "color-background" in str(panel.source["fieldConfig"]["defaults"].get("custom", {}).get("cellOptions")):
            for column in panel.columns:
                colors = {one for one in column["colors"] if one and column["type"] == "number"}
                colors -= set(COLOURLESS)
                low = [one for one in sorted(colors) if _contrast(one, is_light=panel.situation.light) < 4.5]
                if low:
                    yield f"{panel.where}: {column['name']} {low}"


def _contrast(color: str, *, is_light: bool) -> float:
    """Of the letters that Grafana chooses, as the accessibility guidelines (WCAG 2.1) reckon it.

    Below 0.3 of a colour they are the board's own; else light on what is darker than 180 of 255.
    """
    red, green, blue, opaque = (int(f"{color}ff"[at : at + 2], 16) for at in (1, 3, 5, 7))
    share = opaque / 255
    is_pale = is_light if share < 0.3 else (red * 299 + green * 587 + blue * 114) / 1000 > 180
    board = (255, 255, 255) if is_light else (24, 27, 31)
    shown = [over * share + under * (1 - share) for over, under in zip((red, green, blue), board, strict=True)]
    one, other = sorted(map(_luminance, (shown, (32, 34, 38) if is_pale else (247, 248, 250))))
    return (other + 0.05) / (one + 0.05)


def _luminance(color: Sequence[float]) -> float:
    parts = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in color]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def months_have_their_place(seen: Seen) -> Faults:
    """Bars of months stand where their months are: one that is wholly missing is a hole."""
    for panel in seen.drawn("barchart"):
        months = panel.column(panel.x)
        if all(re.fullmatch(r"20\d\d-\d\d", month) for month in months):
            numbers = [int(month[:4]) * 12 + int(month[5:]) for month in months]
            if any(after - before != 1 for before, after in pairwise(numbers)):
                yield f"{panel.where}: {months}"


def dates_have_one_style(seen: Seen) -> Faults:
    """A date is written as 2026-11-05, or without its year, wherever it stands."""
    for panel in seen.drawn():
        words = [*panel.texts, *panel.read.get("axis", ())]
        wrong = [word for word in words if re.search(r"\b\d\d/\d\d\b|\d\d\.\d\d\.20", word)]
        if wrong:
            yield f"{panel.where}: {wrong[:2]}"
    if "GF_DATE_FORMATS_INTERVAL_DAY: MM-DD\n" not in (ROOT / "docker-compose.yml").read_text():
        yield "the stack: Grafana's own style"


FIRST_SCREENS: dict[str, Callable[[Seen], Faults]] = {
    rule.__name__: rule
    for rule in (
        *(a_net_is_that_of_the_tiles_beside_it, data_have_one_age, days_are_words_and_clocks_are_named),
        *(what_is_overdue_is_not_green, a_record_has_its_date, money_has_its_currency),
        *(sentences_state_what_was_found, nothing_is_said_once, one_cause_has_one_sentence),
        *(what_is_now_is_not_of_the_window, a_share_says_of_what, a_change_has_its_energy_and_its_reason),
        *(a_phone_shows_the_answer, cells_can_be_read, months_have_their_place),
    )
}
