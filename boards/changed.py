"""Changed: what is different since yesterday, and why."""

from boards.frame import ALL_SYSTEMS, CLOCKS, CORRECTED, Json, annotations, dashboard, system
from boards.panels import COUNT, TEXT, called, curves, fixed, of, query, rows, stat, table, unseen, worst
from boards.sources import named_sources
from boards.steps import as_words, joined, known, organized
from boards.troubles import HEADS, SLIM, UNSEEN, names, troubles
from ingest.report.own_points import REVISED

DAY = "time >= now() - 1d AND time <= now()"
NOTHING = "No change was noted in the last day. What is still missing is on the board Pipeline."
NEW, GONE = "Periods newly missing", "Periods no longer missing"


def signed(*forms: tuple[str, str]) -> list[Json]:
    """Numbers as words with their sign, above zero too; `forms`: patterns of digits, and what they become."""
    found: list[Json] = [{"type": "value", "options": {"0": {"text": "0", "index": 0}}}]
    for digits, text in forms:
        for sign, shown in (("", "+"), ("-", "-")):
            pattern = {
                "pattern": f"/^{sign}{digits}(?:\\.\\d+)?$/",
                "result": {"text": f"{shown}{text}", "index": len(found)},
            }
            found.append({"type": "regex", "options": pattern})
    return found


ENERGY = signed(
    (r"(\d+)(\d\d)\d", "$1.$2"),
    (r"(\d\d)\d", "0.$1"),
    (r"(\d)\d", "0.0$1"),
    (r"\d", "0.00"),
)
ENERGY_MORE, GAPS_MORE = "kWh ±", "Periods ±"
"""The headings of by how much the energy is more or less, and of how many more or fewer periods are missing."""
GAPS = signed((r"(\d+)", "$1"))


def changes(title: str, about: str, number: Json, column: str, more: str, part: str) -> Json:
    """A number of each source that changed, and why; `column`: its sum, `more`: a condition, `part`: a pattern of the
    part of the reason that is of it."""
    why = {"type": "regex", "options": {"pattern": part, "result": {"text": "$1", "index": 0}}}
    columns = f'last("change_why") AS "Why", {column}, sum("changed_points") AS "Points"'
    name = number["matcher"]["options"]
    return table(
        title,
        f"{about} With the newest reason, within the last 24 hours.",
        [
            rows(
                f'SELECT {columns} FROM "ingest" WHERE {ALL_SYSTEMS} AND {DAY} AND {more} GROUP BY "system", "stream"',
                "A",
            ),
            names("B"),
        ],
        COUNT,
        NOTHING,
        [
            called(**SLIM),
            named_sources(96),
            number,
            of("Why", unit=TEXT, custom__minWidth=96, custom__wrapText=True, mappings=[why]),
            *unseen("Points"),
        ],
        [
            joined("system", "outerTabular"),
            known("Points"),
            organized(("Name", "stream", "n", "Why", "Points"), {**HEADS, "n": name}, (*UNSEEN, "system")),
            as_words(name),
        ],
        options=worst("Points", desc=True),
    )


def corrected() -> Json:
    """By system and stream: values."""
    return changes(
        "Values corrected since yesterday, and why",
        "By how much energy corrected values are now more (+) or less (-) than what was first read. Values are "
        "corrected where gateways report late.",
        of(ENERGY_MORE, unit=TEXT, mappings=ENERGY, custom__width=62),
        'sum("changed_wh") AS "n"',
        '"changed_points" > 0',
        f"/^({REVISED}).*$/",
    )


def came_and_went() -> Json:
    """By system and stream: what is missing."""
    return changes(
        "Periods missing, or no longer, and why",
        "How many more (+) or fewer (-) periods are missing: hours or days in a row of which something should have "
        "been read by then and was not. They become fewer as they are read again.",
        of(GAPS_MORE, unit=TEXT, mappings=GAPS, custom__width=76),
        'sum("changed_gaps") AS "n"',
        '("changed_gaps" > 0 OR "changed_gaps" < 0)',
        f"/^(?:{REVISED}; )?(.*)$/",
    )


def counts() -> Json:
    """How many points and gaps."""
    where = f'FROM "ingest" WHERE {ALL_SYSTEMS} AND {DAY}'
    return stat(
        "Since yesterday",
        "Within the last 24 hours: values that a later answer changed, periods (hours or days in a row) of which "
        "something was newly missing, and periods that no longer were, since they were read.",
        [
            query(f'SELECT sum("changed_points") AS "Values corrected" {where}', ref="A"),
            query(f'SELECT sum("changed_gaps") AS "{NEW}" {where} AND "changed_gaps" > 0', ref="B"),
            query(f'SELECT sum("changed_gaps") * -1 AS "{GONE}" {where} AND "changed_gaps" < 0', ref="C"),
        ],
        COUNT,
        NOTHING,
        decimals=0,
    )


def board() -> Json:
    """The board."""
    revised = curves(
        "Values corrected by hour",
        "Values that a later answer changed, in each hour. Many for days after an outage; always many means that "
        "intervals are read before they are finished.",
        [
            query(
                f'SELECT sum("changed_points") AS "Values corrected" FROM "ingest" WHERE {ALL_SYSTEMS} AND $timeFilter '
                "GROUP BY time(1h) fill(none)"
            )
        ],
        COUNT,
        "Nothing was corrected in the time shown.",
        interval="1h",
        draw={"drawStyle": "bars", "fillOpacity": 80, "lineWidth": 1},
        decimals=0,
        color=fixed(CORRECTED),
    )
    return dashboard(
        "changed",
        "What is different since yesterday, and why?",
        f"All systems · the last 24 hours · {CLOCKS} · data source: **${{datasource:text}}**",
        [
            [(24, 4, counts())],
            [(24, 12, corrected())],
            [(24, 8, came_and_went())],
            [(24, 8, troubles("What went wrong since yesterday", DAY, "Nothing went wrong since yesterday."))],
            [(24, 8, revised)],
        ],
        [system() | {"hide": 2, "description": "Kept for the boards of one system."}],
        time="now-24h",
        notes=annotations(ALL_SYSTEMS),
    )
