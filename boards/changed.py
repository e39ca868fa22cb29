"""Changed: what is different since yesterday, and why."""

from boards.frame import ALL_SYSTEMS, CLOCKS, Json, annotations, dashboard, system
from boards.panels import COUNT, TEXT, called, curves, of, query, rows, stat, table, unseen, worst
from boards.sources import named_sources
from boards.steps import as_words, joined, known, organized
from boards.troubles import HEADS, UNSEEN, names, troubles

DAY = "time >= now() - 1d AND time <= now()"
NOTHING = "Nothing was corrected, and no gap came or went, in the last day."


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


ENERGY = signed((r"(\d+)(\d\d)\d", "$1.$2 kWh"), (r"(\d+)", "$1 Wh"))
GAPS_MORE = "Gaps ±"
"""The heading of how many more or fewer there are."""
GAPS = signed((r"(\d+)", "$1"))


def streams() -> Json:
    """By system and stream."""
    columns = 'last("change_why") AS "Why", sum("changed_wh") AS "wh", sum("changed_gaps") AS "gaps"'
    where = f'WHERE {ALL_SYSTEMS} AND {DAY} AND "changed_points" >= 0'
    points = f'SELECT {columns}, sum("changed_points") AS "Points" FROM "ingest" {where} GROUP BY "system", "stream"'
    return table(
        "What changed since yesterday, and why",
        "What changed of each source within the last 24 hours, with the newest reason. Energy: by how much that of "
        "corrected values is now more (+) or less (-) than what was first read. Gaps: how many more (+) or fewer (-) "
        "there are. Values are corrected where gateways report late; gaps become fewer as they are filled.",
        [rows(points, "A"), names("B")],
        COUNT,
        NOTHING,
        [
            called(custom__minWidth=84, custom__wrapText=True),
            named_sources(),
            of("Energy", unit=TEXT, mappings=ENERGY, custom__width=76),
            of(GAPS_MORE, unit=TEXT, mappings=GAPS, custom__width=56),
            of("Why", unit=TEXT, custom__minWidth=178, custom__wrapText=True),
            *unseen("Points"),
        ],
        [
            joined("system", "outerTabular"),
            known("Points"),
            organized(
                ("Name", "stream", "wh", "gaps", "Why"),
                {**HEADS, "wh": "Energy", "gaps": GAPS_MORE},
                (*UNSEEN, "system"),
            ),
            as_words("Energy", GAPS_MORE),
        ],
        options=worst("Points", desc=True),
    )


def counts() -> Json:
    """How many points and gaps."""
    where = f'FROM "ingest" WHERE {ALL_SYSTEMS} AND {DAY}'
    return stat(
        "Since yesterday",
        "Values that a later answer changed within the last 24 hours, gaps that came, and gaps that were filled.",
        [
            query(f'SELECT sum("changed_points") AS "Values corrected" {where}', ref="A"),
            query(f'SELECT sum("changed_gaps") AS "New gaps" {where} AND "changed_gaps" > 0', ref="B"),
            query(f'SELECT sum("changed_gaps") * -1 AS "Gaps filled" {where} AND "changed_gaps" < 0', ref="C"),
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
    )
    return dashboard(
        "changed",
        "What is different since yesterday, and why?",
        f"All systems · the last 24 hours · {CLOCKS} · data source: **${{datasource:text}}**",
        [
            [(24, 4, counts())],
            [(24, 8, streams())],
            [(24, 8, troubles("What went wrong since yesterday", DAY, "Nothing went wrong since yesterday."))],
            [(24, 8, revised)],
        ],
        [system() | {"hide": 2, "description": "Kept for the boards of one system."}],
        time="now-24h",
        notes=annotations(ALL_SYSTEMS),
    )
