"""Changed: what is different since yesterday, and why."""

from boards.frame import ALL_SYSTEMS, Json, dashboard, system
from boards.panels import COUNT, SHARE, TEXT, curves, joined, of, ordered, organized, query, rows, stat, table
from boards.pipeline import WIDTHS

DAY = "time >= now() - 1d AND time <= now()"
NOTHING = "The pipeline has said nothing in the last day."


def since(field: str) -> str:
    """The sum over all streams of what a number changed by within a day."""
    step = f'last("{field}") - first("{field}") AS "step"'
    inner = f'SELECT {step} FROM "ingest" WHERE {ALL_SYSTEMS} AND {DAY} GROUP BY "system", "stream"'
    return f'SELECT sum("step") FROM ({inner})'


def streams() -> Json:
    """By system and stream."""
    steps = ", ".join(
        f'last("{field}") - first("{field}") AS "{name}"'
        for field, name in {
            "points_revised": "Points revised",
            "gaps": "Gaps more or less",
            "coverage_ratio": "Coverage",
        }.items()
    )
    names = {"Name": "System", "stream": "Stream"}
    order = ("Name", "stream", "Points revised", "Gaps more or less", "Coverage")
    return table(
        "By system and stream",
        "What is different between the first and the last word of the pipeline within the last 24 hours. Points are "
        "revised where gateways report late; gaps become fewer as they are filled.",
        [
            rows(f'SELECT {steps} FROM "ingest" WHERE {ALL_SYSTEMS} AND {DAY} GROUP BY "system", "stream"', "A"),
            rows('SELECT last("label") AS "Name" FROM "system_info" GROUP BY "system"', "B"),
        ],
        COUNT,
        NOTHING,
        [of("System", unit=TEXT), of("Stream", unit=TEXT), of("Coverage", unit=SHARE)],
        [
            joined("system", "outerTabular"),
            organized(order, names, ("Time", "Time 1", "Time 2", "system")),
            ordered("Points revised", desc=True),
        ],
    )


def why() -> Json:
    """In words."""
    names = {"Time": "When", "system": "System", "stream": "Stream", "sink": "Database", "account": "Account"}
    return table(
        "Why: what was noted since yesterday",
        "The newest sentence of each part within the last 24 hours: what was refused, silent or late.",
        [
            rows(
                f'SELECT last("last_error") AS "What happened" FROM "ingest" WHERE "last_error" != \'\' AND {DAY} '
                'GROUP BY "account", "system", "stream", "sink"'
            )
        ],
        TEXT,
        "Nothing went wrong since yesterday.",
        [of("When", unit="dateTimeFromNow", custom__width=130), *WIDTHS],
        [
            organized(("Time", "What happened", "system", "stream", "sink", "account"), names, ()),
            ordered("When", desc=True),
        ],
    )


def board() -> Json:
    """The board."""
    first = stat(
        "Since yesterday",
        "Points that a later answer changed within the last 24 hours, and how many gaps more (above zero) or fewer "
        "(below) there are.",
        [query(since("points_revised"), "Points revised", "A"), query(since("gaps"), "Gaps more or less", "B")],
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
                'SELECT sum("step") AS "Points revised" FROM (SELECT non_negative_difference(last("points_revised")) '
                f'AS "step" FROM "ingest" WHERE {ALL_SYSTEMS} AND $timeFilter GROUP BY time(1h), "system", "stream" '
                "fill(none)) WHERE $timeFilter GROUP BY time(1h) fill(none)"
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
        "All systems · the last 24 hours · data source: **${datasource:text}**",
        [[(24, 5, first)], [(24, 9, why())], [(24, 11, streams())], [(24, 8, revised)]],
        [system() | {"hide": 2, "description": "Kept for the boards of one system."}],
        time="now-24h",
    )
