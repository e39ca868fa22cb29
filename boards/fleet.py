"""Fleet: one row a system, worst first."""

from boards.frame import ALL_SYSTEMS, NEWEST, NEWEST_IS, NEWEST_OF_ALL, NO_HOMES, Json, dashboard, system
from boards.heat import heat
from boards.panels import (
    BAD,
    COUNT,
    NONE,
    PLAIN,
    SHARE,
    TEXT,
    called,
    of,
    query,
    rows,
    stat,
    table,
    thresholds,
    worst,
)
from boards.steps import calculated, joined, known, matrix, organized
from boards.troubles import KEPT, LEAST, PROGRESS, READ, holes

COLORED = {"type": "color-text"}
INFO = f'SELECT last("label") AS "Name", last("size_w") AS "size" FROM "system_info" WHERE {NO_HOMES} GROUP BY "system"'
AGE = [
    {"id": "displayName", "value": "Newest data"},
    {"id": "unit", "value": "dateTimeFromNow"},
    {"id": "custom.width", "value": 114},
]
LOST = "Lost days"
"""The heading of days that the cloud refuses: they are wrong for a person, where what waits to be read is not."""
NOTHING = "No system is known yet. The pipeline's page says what it waits for."


def last(field: str) -> str:
    """What the pipeline last said of each stream of each system."""
    where = f'FROM "ingest" WHERE {ALL_SYSTEMS} AND {KEPT}'
    return f'SELECT last("{field}") AS "one" {where} GROUP BY "system", "stream"'


def newest(field: str, name: str, ref: str, how: str) -> Json:
    """That of the streams of each system, as one number."""
    return rows(f'SELECT {how}("one") AS "{name}" FROM ({last(field)}) GROUP BY "system"', ref)


def worst_of(field: str, how: str) -> str:
    """That of all systems, as one number."""
    return f'SELECT {how}("one") FROM ({last(field)})'


def systems() -> Json:
    """The table of all systems."""
    energy = f"SELECT {NEWEST} {NEWEST_OF_ALL}"
    link = {
        "title": "Now",
        "url": "/d/enphase-now?${datasource:queryparam}&var-system=${__data.fields.Number:percentencode}"
        "&${__url_time_range}",
        "targetBlank": False,
    }
    names = {"system": "Number"}
    order = ("Name", LOST, READ, "Time", "Time energy", "system")
    return table(
        "Systems, least data first",
        f"{NEWEST_IS} Lost days: those of which the cloud refused something again and again, of the worst source; they "
        "are asked for again by themselves. Read: the share of what is wanted that has been read, of the worst source. "
        "Below are the days of the holes.",
        [
            rows(INFO, "A"),
            rows(energy, "B"),
            newest("coverage_ratio", READ, "C", "min"),
            newest("lost_days", LOST, "D", "max"),
        ],
        COUNT,
        NOTHING,
        [
            called("Name", links=[link], custom__minWidth=84, custom__wrapText=True),
            {"matcher": {"id": "byType", "options": "time"}, "properties": AGE},
            of(LOST, custom__width=76, thresholds=thresholds((None, PLAIN), (1, BAD)), custom__cellOptions=COLORED),
            of(READ, custom__width=64, unit=SHARE, thresholds=thresholds(*PROGRESS), custom__cellOptions=COLORED),
            of("Number", unit=TEXT, custom__width=74),
        ],
        [
            organized((), {}, ["Time"]) | {"filter": {"id": "byRefId", "options": "/^[^B]$/"}},
            joined("system"),
            organized(order, names, ("size", "produced_wh", "consumed_wh")),
        ],
        options=worst(READ),
    )


def without_days(*names: str) -> Json:
    """Columns that are left over while there is no day: no steps turn them into a table yet."""
    hidden = {"id": "custom.hideFrom", "value": {"legend": True, "tooltip": True, "viz": True}}
    return {"matcher": {"id": "byRegexp", "options": f"/^({'|'.join(names)})$/"}, "properties": [hidden]}


def by_day() -> Json:
    """Each system on each day."""
    days = (
        'SELECT "date" AS "Day", "produced_wh" AS "wh", "system" FROM "energy_daily" WHERE "produced_wh" >= 0 AND '
        f"{NO_HOMES} AND time > now() - 8d AND time <= now() - 1d ORDER BY time DESC"
    )
    return heat(
        "kWh per kW of the last seven days",
        "Production of each ended day of each system's own calendar by its rated power, whatever the time range of the "
        "board. Neighbours under the same sky count alike; one with less fell behind. A dash: the day has not ended "
        "there, or nothing is known of it.",
        [rows(days, "A"), rows(INFO, "B")],
        NONE,
        "No day of the last week is known; one appears here the morning after it has ended.",
        [
            called("Name", custom__cellOptions={"type": "auto"}, custom__width=114),
            without_days("Time", "system", "size"),
        ],
        [
            joined("system", "inner"),
            known("Day"),
            calculated("yield", "wh", "/", "size"),
            matrix("Day", "Name", "yield"),
        ],
        room={"minWidth": 84},
        decimals=2,
    )


def board() -> Json:
    """The board."""
    known = f'SELECT last("label") AS "label" FROM "system_info" WHERE {NO_HOMES} GROUP BY "system"'
    counts = [
        query(f'SELECT count("label") FROM ({known})', "Systems", "A"),
        query(worst_of("coverage_ratio", "min"), LEAST, "B"),
        query(worst_of("gaps", "sum"), "Gaps", "C"),
    ]
    head = stat(
        "All systems",
        "How many systems are known; the share of what is wanted that has been read, of the worst source of all; and "
        "how many holes wait to be filled.",
        counts,
        COUNT,
        NOTHING,
        [of(LEAST, unit=SHARE, thresholds=thresholds(*PROGRESS))],
    )
    return dashboard(
        "fleet",
        "All systems, worst first.",
        "All systems · days of each system's own zone · data source: **${datasource:text}**",
        [[(24, 4, head)], [(24, 8, systems())], [(24, 8, holes())], [(24, 8, by_day())]],
        [system() | {"hide": 2, "description": "Kept for the boards of one system."}],
        time="now-7d/d",
    )
