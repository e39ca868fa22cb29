"""Changed: what is different since yesterday, and why."""

from boards.frame import ALL_SYSTEMS, CLOCKS, Json, annotations, dashboard, system
from boards.panels import COUNT, TEXT, WH, curves, of, query, rows, stat, table, unseen
from boards.steps import joined, known, ordered, organized
from boards.troubles import HEADS, UNSEEN, WORDS, names, troubles

DAY = "time >= now() - 1d AND time <= now()"
NOTHING = "Nothing was revised, and no gap came or went, in the last day."


def streams() -> Json:
    """By system and stream."""
    columns = 'last("change_why") AS "Why", sum("changed_wh") AS "Energy", sum("changed_points") AS "Points"'
    where = f'WHERE {ALL_SYSTEMS} AND {DAY} AND "changed_points" >= 0'
    return table(
        "What changed since yesterday, and why",
        "What changed of each source within the last 24 hours, with the newest reason. Energy: by how much the revised "
        "points differ in all from what was first read. Points are revised where gateways report late; gaps become "
        "fewer as they are filled.",
        [rows(f'SELECT {columns} FROM "ingest" {where} GROUP BY "system", "stream"', "A"), names("B")],
        COUNT,
        NOTHING,
        [
            *WORDS,
            of("Why", unit=TEXT, custom__minWidth=178, custom__wrapText=True),
            of("Energy", unit=WH, custom__width=76),
            *unseen("Points"),
        ],
        [
            joined("system", "outerTabular"),
            organized(("Name", "Energy", "Why", "stream", "Points"), HEADS, (*UNSEEN, "system")),
            known("Points"),
            ordered("Points", desc=True),
        ],
    )


def counts() -> Json:
    """How many points and gaps."""
    columns = 'sum("changed_points") AS "Points", sum("changed_gaps") AS "Gaps"'
    where = f'WHERE {ALL_SYSTEMS} AND {DAY} AND "changed_points" >= 0'
    return table(
        "Points revised, and change in gaps",
        "Points of each source that a later answer changed within the last 24 hours, and how many gaps more (above "
        "zero) or fewer (below) it has.",
        [rows(f'SELECT {columns} FROM "ingest" {where} GROUP BY "system", "stream"', "A"), names("B")],
        COUNT,
        NOTHING,
        [*WORDS, of("Points", custom__width=60), of("Gaps", custom__width=50)],
        [
            joined("system", "outerTabular"),
            organized(("Name", "stream", "Points", "Gaps"), HEADS, (*UNSEEN, "system")),
            known("Points"),
            ordered("Points", desc=True),
        ],
    )


def board() -> Json:
    """The board."""
    sums = 'sum("changed_points") AS "Points revised", sum("changed_gaps") AS "Change in gaps"'
    first = stat(
        "Since yesterday",
        "Points that a later answer changed within the last 24 hours, and how many gaps more (above zero) or fewer "
        "(below) there are.",
        [query(f'SELECT {sums} FROM "ingest" WHERE {ALL_SYSTEMS} AND {DAY}')],
        COUNT,
        NOTHING,
        decimals=0,
    )
    revised = curves(
        "Points revised by hour",
        "Points that a later answer changed, in each hour. Many for days after an outage; always many means that "
        "intervals are read before they are finished.",
        [
            query(
                f'SELECT sum("changed_points") AS "Points revised" FROM "ingest" WHERE {ALL_SYSTEMS} AND $timeFilter '
                "GROUP BY time(1h) fill(none)"
            )
        ],
        COUNT,
        "Nothing was revised in the time shown.",
        interval="1h",
        draw={"drawStyle": "bars", "fillOpacity": 80, "lineWidth": 1},
        decimals=0,
    )
    return dashboard(
        "changed",
        "What is different since yesterday, and why?",
        f"All systems · the last 24 hours · {CLOCKS} · data source: **${{datasource:text}}**",
        [
            [(24, 4, first)],
            [(14, 8, streams()), (10, 8, counts())],
            [(24, 8, troubles("What went wrong since yesterday", DAY, "Nothing went wrong since yesterday."))],
            [(24, 8, revised)],
        ],
        [system() | {"hide": 2, "description": "Kept for the boards of one system."}],
        time="now-24h",
        notes=annotations(ALL_SYSTEMS),
    )
