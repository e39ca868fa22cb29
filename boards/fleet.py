"""Fleet: one row a system, worst first."""

from boards.frame import ALL_SYSTEMS, NO_HOMES, OWN_DAYS, Json, dashboard, system
from boards.panels import (
    BAD,
    COUNT,
    GOOD,
    NONE,
    PLAIN,
    SHARE,
    TEXT,
    WARN,
    called,
    heat,
    of,
    query,
    rows,
    stat,
    table,
    thresholds,
    worst,
)
from boards.steps import calculated, joined, known, matrix, organized

RECENT = "time >= now() - 90d AND time <= now()"
COLORED = {"type": "color-text"}
INFO = f'SELECT last("label") AS "Name", last("size_w") AS "size" FROM "system_info" WHERE {NO_HOMES} GROUP BY "system"'
AGE = [
    {"id": "displayName", "value": "Newest data"},
    {"id": "unit", "value": "dateTimeFromNow"},
    {"id": "custom.width", "value": 116},
]
YIELD = "kWh per kW yesterday"
LEVELS = ((None, BAD), (0.9, WARN), (0.99, GOOD))
NOTHING = "No system is known yet. The pipeline's page says what it waits for."


def last(field: str) -> str:
    """What the pipeline last said of each stream of each system."""
    where = f'FROM "ingest" WHERE {ALL_SYSTEMS} AND {RECENT}'
    return f'SELECT last("{field}") AS "one" {where} GROUP BY "system", "stream"'


def newest(field: str, name: str, ref: str, how: str) -> Json:
    """That of the streams of each system, as one number."""
    return rows(f'SELECT {how}("one") AS "{name}" FROM ({last(field)}) GROUP BY "system"', ref)


def worst_of(field: str, how: str) -> str:
    """That of all systems, as one number."""
    return f'SELECT {how}("one") FROM ({last(field)})'


def systems() -> Json:
    """The table of all systems."""
    month, two_days = (f"time > now() - {span} AND time <= now() AND {NO_HOMES}" for span in ("30d", "2d"))
    energy = f'SELECT last("produced_wh") FROM "energy" WHERE {month} GROUP BY "system"'
    yesterday = f'SELECT last("produced_wh") AS "wh" FROM "energy_daily" WHERE {two_days} GROUP BY "system"'
    link = {
        "title": "Now",
        "url": "/d/enphase-now?${datasource:queryparam}&var-system=${__data.fields.Number:percentencode}"
        "&${__url_time_range}",
        "targetBlank": False,
    }
    names = {"system": "Number"}
    order = ("Name", "Time", "Time energy", "Complete", "Gaps", YIELD, "Calls this month", "system")
    return table(
        "Systems, least complete first",
        "Newest data: when the newest quarter of an hour began. Complete: the share of what is wanted that has been "
        "read, of the worst stream. kWh per kW: yesterday's production by the rated power. Gaps: holes that wait to "
        "be filled.",
        [
            rows(INFO, "A"),
            rows(energy, "B"),
            newest("coverage_ratio", "Complete", "C", "min"),
            newest("gaps", "Gaps", "D", "sum"),
            newest("calls_month", "Calls this month", "E", "sum"),
            rows(yesterday, "F"),
        ],
        COUNT,
        NOTHING,
        [
            called("Name", links=[link], custom__minWidth=120),
            {"matcher": {"id": "byType", "options": "time"}, "properties": AGE},
            of("Complete", custom__width=78, unit=SHARE, thresholds=thresholds(*LEVELS), custom__cellOptions=COLORED),
            of(YIELD, unit=NONE, decimals=2, custom__minWidth=166),
            of(
                "Gaps",
                custom__minWidth=50,
                thresholds=thresholds((None, PLAIN), (1, WARN)),
                custom__cellOptions=COLORED,
            ),
            of("Calls this month", custom__minWidth=140),
            of("Number", unit=TEXT, custom__width=84),
        ],
        [
            organized((), {}, ["Time"]) | {"filter": {"id": "byRefId", "options": "/^[^B]$/"}},
            joined("system"),
            calculated(YIELD, "wh", "/", "size"),
            organized(order, names, ("wh", "size", "last")),
        ],
        options=worst("Complete"),
    )


def without_days(*names: str) -> Json:
    """Columns that are left over while there is no day: no steps turn them into a table yet."""
    hidden = {"id": "custom.hideFrom", "value": {"legend": True, "tooltip": True, "viz": True}}
    return {"matcher": {"id": "byRegexp", "options": f"/^({'|'.join(names)})$/"}, "properties": [hidden]}


def by_day() -> Json:
    """Each system on each day."""
    days = (
        'SELECT "date" AS "Day", "produced_wh" AS "wh", "system" FROM "energy_daily" WHERE "produced_wh" >= 0 AND '
        f"{NO_HOMES} AND {OWN_DAYS} ORDER BY time DESC"
    )
    return heat(
        "Specific yield of each day, kWh per kW",
        "Production of each ended day of each system's own calendar by its rated power. Neighbours under the same sky "
        "count alike; one with less fell behind. What is missing is empty.",
        [rows(days, "A"), rows(INFO, "B")],
        NONE,
        "The first day appears here the morning after it has ended.",
        [
            called("Name", custom__cellOptions={"type": "auto"}, custom__width=130),
            without_days("Time", "system", "size"),
        ],
        [
            joined("system", "inner"),
            known("Day"),
            calculated("yield", "wh", "/", "size"),
            matrix("Day", "Name", "yield"),
        ],
        room={"minWidth": 90},
        decimals=2,
    )


def board() -> Json:
    """The board."""
    known = f'SELECT last("label") AS "label" FROM "system_info" WHERE {NO_HOMES} GROUP BY "system"'
    counts = [
        query(f'SELECT count("label") FROM ({known})', "Systems", "A"),
        query(worst_of("coverage_ratio", "min"), "Least complete", "B"),
        query(worst_of("gaps", "sum"), "Gaps", "C"),
    ]
    head = stat(
        "All systems",
        "How many systems are known; the share of what is wanted that has been read, of the worst stream of all; and "
        "how many holes wait to be filled.",
        counts,
        COUNT,
        NOTHING,
        [of("Least complete", unit=SHARE, thresholds=thresholds(*LEVELS))],
    )
    return dashboard(
        "fleet",
        "All systems, worst first.",
        "All systems · days of each system's own zone · data source: **${datasource:text}**",
        [[(24, 4, head)], [(24, 10, systems())], [(24, 10, by_day())]],
        [system() | {"hide": 2, "description": "Kept for the boards of one system."}],
        time="now-7d/d",
    )
