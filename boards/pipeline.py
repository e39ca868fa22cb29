"""Pipeline: what is missing and why, what is being done about it, how much quota is left."""

from boards.frame import (
    ALL_SYSTEMS,
    CLOCKS,
    OF_SYSTEM,
    Json,
    annotations,
    dashboard,
    system,
    wanted_from,
)
from boards.panels import (
    BAD,
    COUNT,
    GOOD,
    SHARE,
    TEXT,
    UNKNOWN,
    WARN,
    called,
    curves,
    fixed,
    of,
    query,
    rows,
    stat,
    states,
    table,
)
from boards.sources import SOURCE_HEAD, named_series
from boards.steps import above, joined, known, ordered, organized
from boards.troubles import (
    ALMOST_ALL,
    HEADS,
    KEPT,
    LEAST,
    MISSING,
    READ,
    READ_AS,
    UNSEEN,
    WORDS,
    holes,
    meaning,
    names,
    troubles,
)

HOURS = "time >= now() - 3h AND time <= now()"
DAYS = "time >= now() - 3d AND time <= now()"
SAID = "time >= ${__from:raw}ms - 1d AND time <= ${__to:raw}ms"
"""With the day before: what has not changed was said then."""
CALLS = (
    'max("calls_month") AS "Used", max("calls_month_forecast") AS "Forecast", max("calls_month_limit") AS "Limit" '
    'FROM "ingest"'
)
LEVELS = ((None, "#8AB8FF"), (0.9, "#5794F2"), (0.99, GOOD))
"""Of what is being read: none of it is a warning."""
NOT_YET = "The pipeline has not said anything yet."


def numbers() -> tuple[list[tuple[int, int, Json]], list[tuple[int, int, Json]]]:
    """Completeness and quota; consent, delivery and sums."""
    of_streams = f'FROM "ingest" WHERE {ALL_SYSTEMS} AND {KEPT} GROUP BY "system", "stream"'
    ratio = f'SELECT last("coverage_ratio") AS "ratio" {of_streams}'
    used = stat(
        "Calls this month",
        "Calls made this month, what they will come to by its end at today's pace, and what the plan admits.",
        [query(f'SELECT {CALLS} WHERE {HOURS} GROUP BY "app"')],
        COUNT,
        NOT_YET,
        decimals=0,
    )
    complete = stat(
        LEAST,
        "Share of what is wanted that has been read: of the worst source of all systems. The same on the board Fleet.",
        [query(f'SELECT min("ratio") FROM ({ratio})', LEAST)],
        SHARE,
        NOT_YET,
        [of(LEAST, **READ_AS)],
        text="value",
    )
    consent = stat(
        "Consent lasts, days",
        "Days until the refresh token of each account lapses, if it is not renewed before. It renews itself while the "
        "pipeline runs; below a week somebody must look.",
        [
            query(
                f'SELECT last("token_days_left") FROM "ingest" WHERE "account" =~ /./ AND {DAYS} GROUP BY "account"',
                "$tag_account",
            )
        ],
        COUNT,
        "Not authorized, or no consent is needed.",
        steps=((None, BAD), (3, WARN), (7, GOOD)),
        decimals=0,
    )
    waiting = stat(
        "Values not yet stored, overdue",
        "Values that a database should have and does not accept: it is down, or it refused them. They are kept on disk "
        "until it does. What is only on its way is not counted.",
        [
            query(
                f'SELECT last("sink_overdue") FROM "ingest" WHERE "sink" =~ /./ AND {KEPT} GROUP BY "sink"', "$tag_sink"
            )
        ],
        COUNT,
        NOT_YET,
        steps=((None, GOOD), (1, BAD)),
        decimals=0,
    )
    return [(6, 4, complete), (8, 4, waiting), (10, 4, used)], [(10, 7, consent), (14, 7, audit())]


def audit() -> Json:
    """The days that do not add up."""
    which = 'last("audit_differences") AS "Days", last("audit_days") AS "Which days"'
    return table(
        "Days that do not add up",
        "Days of each system whose intervals do not add up to the vendor's daily total, even after they were read "
        "again. The pipeline's page shows both numbers.",
        [rows(f'SELECT {which} FROM "ingest" WHERE {ALL_SYSTEMS} AND {KEPT} GROUP BY "system"', "A"), names("B")],
        COUNT,
        "No day is known that does not add up.",
        [
            called(custom__minWidth=112),
            of("Days", custom__width=50),
            of("Which days", unit=TEXT, custom__minWidth=112, custom__wrapText=True),
        ],
        [
            joined("system", "outerTabular"),
            organized(("Name", "Days", "Which days"), HEADS, (*UNSEEN, "system")),
            above("Days", 0),
            ordered("Days", desc=True),
        ],
    )


def streams() -> Json:
    """What is missing and what it costs, by system and stream, worst first."""
    said = (("coverage_ratio", READ), ("missing_days", MISSING), ("calls_month", "Calls"))
    return table(
        "Data read of each source, least first",
        "What was last said of each source of each system. Read: the share of what is wanted that has been read. "
        "Missing: how many days of it are missing; which, stands beside. Calls: those made for it this month.",
        [rows(last_said(*said), "A"), names("B")],
        COUNT,
        NOT_YET,
        [
            *WORDS,
            of(
                READ,
                **READ_AS,
                custom__cellOptions={"type": "color-text"},
                custom__width=62,
            ),
            of(MISSING, custom__width=62),
            of("Calls", custom__width=48),
        ],
        [
            joined("system", "outerTabular"),
            organized(("Name", "stream", READ, MISSING, "Calls"), HEADS, (*UNSEEN, "system")),
            known(SOURCE_HEAD),
            ordered(READ),
        ],
    )


def last_said(*fields: tuple[str, str]) -> str:
    """A query of fields, each with its name, that the pipeline said last of each stream."""
    columns = ", ".join(f'last("{field}") AS "{name}"' for field, name in fields)
    return f'SELECT {columns} FROM "ingest" WHERE {ALL_SYSTEMS} AND {KEPT} GROUP BY "system", "stream"'


def timeline() -> Json:
    """When each stream was complete."""
    return states(
        "Read, ${system:text}",
        "A row a source of the system that is chosen at the top of the board: the share of what was wanted that had "
        "been read, by the colours below. A backfill makes it fall and then climb again. What was said last holds "
        "until something else is said; before the first word nothing is known.",
        [
            query(
                f'SELECT last("coverage_ratio") FROM "ingest" WHERE {OF_SYSTEM} AND "stream" =~ /./ AND {SAID} '
                'GROUP BY time($__interval), "stream" fill(previous)',
                "$tag_stream",
            )
        ],
        SHARE,
        NOT_YET,
        LEVELS,
        interval="1h",
        overrides=named_series(),
        decimals=1,
        mappings=[UNKNOWN, *ALMOST_ALL],
    )


def board() -> Json:
    """The board."""
    calls = curves(
        "Calls over the month",
        "Calls made, and where the month will end at today's pace, under what the plan admits.",
        [query(f'SELECT {CALLS} WHERE $timeFilter GROUP BY time($__interval), "app" fill(none)')],
        COUNT,
        NOT_YET,
        [
            of("Used", color=fixed("#5794F2"), custom__fillOpacity=15),
            of("Forecast", color=fixed("#B877D9")),
            of("Limit", color=fixed("#F2495C")),
        ],
        interval="5m",
        decimals=0,
    )
    backlog = curves(
        "Values not yet stored",
        "Values not yet taken by each database, those on their way too. A slope that does not end: it is down or "
        "refuses them, and they are overdue; see the errors above.",
        [
            query(
                f'SELECT max("sink_backlog") FROM "ingest" WHERE "sink" =~ /./ AND {SAID} '
                'GROUP BY time($__interval), "sink" fill(none)',
                "$tag_sink",
            )
        ],
        COUNT,
        NOT_YET,
        interval="5m",
        draw={"lineInterpolation": "stepAfter"},
        decimals=0,
        color={"mode": "shades", "fixedColor": "#7A8B99"},
    )
    errors = troubles("Last errors, in words", "$timeFilter", "Nothing went wrong in the time shown.")
    first, second = numbers()
    return dashboard(
        "pipeline",
        "Is everything read and delivered, and what does it cost in calls?",
        f"All systems · {CLOCKS} · data source: **${{datasource:text}}**",
        [
            first,
            [(24, 8, errors)],
            [(12, 11, streams()), (12, 11, holes())],
            [(24, 4, meaning(" · ${system:text} is wanted from ${wanted_from:text} on: before it nothing is missing"))],
            second,
            [(24, 8, timeline())],
            [(12, 8, calls), (12, 8, backlog)],
        ],
        [system(), wanted_from()],
        time="now-7d/d",
        notes=annotations(ALL_SYSTEMS),
    )
