"""Fleet: one row a system, worst first."""

from boards.frame import ALL_SYSTEMS, NEWEST, NEWEST_IS, NEWEST_OF_ALL, NO_HOMES, Json, dashboard, system
from boards.heat import heat
from boards.panels import (
    BAD,
    COUNT,
    KW,
    KWH,
    NONE,
    PLAIN,
    TEXT,
    WARN,
    WATT,
    called,
    of,
    query,
    rows,
    stat,
    table,
    thresholds,
    unseen,
    worst,
)
from boards.steps import calculated, joined, matrix, only, organized, step
from boards.troubles import GAP_DAYS, KEPT, LEAST, MISSING, READ, READ_AS, REFUSED, holes, meaning

COLORED = {"type": "color-text"}
INFO = f'SELECT last("label") AS "Name", last("size_w") AS "size" FROM "system_info" WHERE {NO_HOMES} GROUP BY "system"'
AGE = [
    {"id": "displayName", "value": "Newest data"},
    {"id": "unit", "value": "dateTimeFromNow"},
    {"id": "custom.width", "value": 94},
    {"id": "custom.wrapText", "value": True},
]
NOTHING = "No system is known yet. The pipeline's page says what it waits for."
ABSENT = -1
"""Of a day that is not known: Grafana takes nothing divided by a size for 0. Shown is a dash."""
LATELY = f'{NO_HOMES} AND time >= now() - {{}} AND time <= now() GROUP BY "system"'


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


def days_of_all(field: str) -> str:
    """Days of all systems, of each by its worst source."""
    return f'SELECT sum("one") FROM (SELECT max("one") AS "one" FROM ({last(field)}) GROUP BY "system")'


def doing() -> Json:
    """What each system does now, the one with the most silent panels first."""
    energy = f"SELECT {NEWEST} {NEWEST_OF_ALL}"
    link = {
        "title": "Now",
        "url": "/d/enphase-now?${datasource:queryparam}&var-system=${__data.fields.Number:percentencode}"
        "&${__url_time_range}",
        "targetBlank": False,
    }
    silent = 'SELECT max("devices_total") - max("devices_reporting") AS "Silent" FROM "production_micro"'
    power, made = 'last("produced_wh") * 4 / 1000', 'sum("produced_wh") / 1000'
    order = ("Name", "Silent", "Time", "Time energy", "Now", "Last 24 h", "system")
    return table(
        "What they do, most silent panels first",
        "Silent: active panels that were not heard with the others in the last 36 hours; above none, red. "
        f"{NEWEST_IS} Now: mean power of the newest quarter of an hour of production, at most a day old. Last 24 h: "
        "what was produced in them. A dash: not known.",
        [
            rows(INFO, "A"),
            rows(energy, "B"),
            rows(f'SELECT {power} AS "Now" FROM "energy" WHERE {LATELY.format("1d")}', "C"),
            rows(f'SELECT {made} AS "Last 24 h" FROM "energy" WHERE {LATELY.format("1d")}', "D"),
            rows(f"{silent} WHERE {LATELY.format('36h')}", "E"),
        ],
        COUNT,
        NOTHING,
        [
            called("Name", links=[link], custom__minWidth=66, custom__wrapText=True),
            of("Silent", custom__width=55, thresholds=thresholds((None, PLAIN), (1, BAD)), custom__cellOptions=COLORED),
            {"matcher": {"id": "byType", "options": "time"}, "properties": AGE},
            of("Now", custom__width=72, unit=KW, decimals=2),
            of("Last 24 h", custom__width=79, unit=KWH, decimals=1),
            *unseen("Number"),
        ],
        [
            organized((), {}, ["Time"]) | {"filter": {"id": "byRefId", "options": "/^[^B]$/"}},
            joined("system"),
            organized(order, {"system": "Number"}, ("size", "produced_wh", "consumed_wh")),
        ],
        options=worst("Silent", desc=True),
    )


def systems() -> Json:
    """What is read of each system, the least first."""
    since = (
        f'SELECT last("wanted_from") AS "Wanted from" FROM "ingest" WHERE {ALL_SYSTEMS} AND {KEPT} GROUP BY "system"'
    )
    order = ("Name", MISSING, READ, "Wanted from", "system")
    return table(
        "Data read of each, least first",
        "Missing: ended days of which something should have been read by now and was not, of the worst source. Read: "
        "the share of what is wanted that has been read, of the worst source. Wanted from: the day from which on it is "
        "wanted; nothing before it is missing.",
        [
            rows(INFO, "A"),
            newest("coverage_ratio", READ, "C", "min"),
            newest("missing_days", MISSING, "D", "max"),
            rows(since, "E"),
        ],
        COUNT,
        NOTHING,
        [
            called("Name", custom__minWidth=70, custom__wrapText=True),
            of(MISSING, custom__width=64),
            of(READ, **READ_AS, custom__width=62, custom__cellOptions=COLORED),
            of("Wanted from", unit=TEXT, custom__width=96),
            of("Number", unit=TEXT, custom__width=74),
        ],
        [
            organized((), {}, ["Time"]),
            joined("system"),
            organized(order, {"system": "Number"}, ("size",)),
        ],
        options=worst(READ),
    )


def without_days(*names: str) -> Json:
    """Columns that are left over while there is no day: no steps turn them into a table yet."""
    hidden = {"id": "custom.hideFrom", "value": {"legend": True, "tooltip": True, "viz": True}}
    return {"matcher": {"id": "byRegexp", "options": f"/^({'|'.join(names)})$/"}, "properties": [hidden]}


def by_day() -> Json:
    """Each system on each day.

    Days of all zones are put together by when they begin: that of a date lies within the 24 hours that begin at its
    midnight in Tonga (UTC+13, all the year), whatever the zone between there and Hawaii.
    """
    span = "time >= now() - 10d AND time <= now() - 1d"
    days = (
        f'SELECT sum("produced_wh") AS "wh" FROM "energy_daily" WHERE {NO_HOMES} AND {span} '
        f'GROUP BY time(1d, -13h), "system" fill({ABSENT}) ORDER BY time DESC LIMIT 8'
    )
    word = step("formatTime", timeField="Time", outputFormat="YYYY-MM-DD", timezone="Pacific/Tongatapu")
    return heat(
        "kWh per kW by day, the newest eight",
        "Production of each ended day of each system's own calendar by its rated power, whatever the time range of the "
        "board. Neighbours under the same sky count alike; one with less fell behind. A dash: the day has not ended "
        "there, or nothing is known of it.",
        [rows(days, "A"), rows(INFO, "B")],
        NONE,
        "No day of the last week is known; one appears here the morning after it has ended.",
        [
            called("Name", custom__cellOptions={"type": "auto"}, custom__width=114, custom__wrapText=True),
            without_days("Time", "system"),
            of("size", displayName="No day is known yet; rated power", unit=WATT, custom__width=250),
        ],
        [
            *only("A", word),
            joined("system", "inner"),
            calculated("yield", "wh", "/", "size"),
            matrix("Time", "Name", "yield"),
        ],
        room={"minWidth": 84},
        decimals=2,
    )


def board() -> Json:
    """The board."""
    known = f'SELECT last("label") AS "label" FROM "system_info" WHERE {NO_HOMES} GROUP BY "system"'
    head = stat(
        "All systems",
        "How many systems are known; the share of what is wanted that has been read, of the worst source of all; how "
        "many days are missing, of each system by its worst source, and of how many of these the cloud refused "
        "something again and again.",
        [
            query(f'SELECT count("label") FROM ({known})', "Systems", "A"),
            query(worst_of("coverage_ratio", "min"), LEAST, "B"),
            query(days_of_all("missing_days"), GAP_DAYS, "C"),
            query(days_of_all("lost_days"), REFUSED, "D"),
        ],
        COUNT,
        NOTHING,
        [
            of(LEAST, **READ_AS),
            of(REFUSED, thresholds=thresholds((None, PLAIN), (1, WARN))),
        ],
        size=16,
    )
    return dashboard(
        "fleet",
        "All systems, worst first.",
        "All systems · days of each system's own zone · data source: **${datasource:text}**",
        [
            [(24, 4, head)],
            [(12, 9, doing()), (12, 9, systems())],
            [(24, 3, meaning())],
            [(24, 11, holes())],
            [(24, 9, by_day())],
        ],
        [system() | {"hide": 2, "description": "Kept for the boards of one system."}],
        time="now-7d/d",
    )
