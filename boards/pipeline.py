"""Pipeline: what is missing and why, what is being done about it, how much quota is left."""

from boards.frame import (
    ALL_SYSTEMS,
    CLOCKS,
    OF_SYSTEM,
    Json,
    annotations,
    dashboard,
    system,
)
from boards.panels import (
    BAD,
    COUNT,
    GOOD,
    SHARE,
    WARN,
    curves,
    fixed,
    of,
    query,
    rows,
    stat,
    states,
    table,
    thresholds,
)
from boards.sources import SOURCE_HEAD, named_series
from boards.steps import joined, known, ordered, organized
from boards.troubles import HEADS, KEPT, READ, UNSEEN, WORDS, holes, names, troubles

HOURS = "time >= now() - 3h AND time <= now()"
DAYS = "time >= now() - 3d AND time <= now()"
SAID = "time >= ${__from:raw}ms - 1d AND time <= ${__to:raw}ms"
"""With the day before: what has not changed was said then."""
CALLS = (
    'max("calls_month") AS "Used", max("calls_month_forecast") AS "Forecast", max("calls_month_limit") AS "Limit" '
    'FROM "ingest"'
)
LEVELS = ((None, BAD), (0.9, WARN), (0.99, GOOD))
NOT_YET = "The pipeline has not said anything yet."


def numbers() -> tuple[list[tuple[int, int, Json]], list[tuple[int, int, Json]]]:
    """Completeness and quota; consent, delivery and sums."""
    of_streams = f'FROM "ingest" WHERE {ALL_SYSTEMS} AND {KEPT} GROUP BY "system", "stream"'
    ratio = f'SELECT last("coverage_ratio") AS "ratio" {of_streams}'
    days = f'SELECT last("audit_differences") AS "days" FROM "ingest" WHERE {ALL_SYSTEMS} AND {KEPT} GROUP BY "system"'
    used = stat(
        "Calls this month",
        "Calls made this month, what they will come to by its end at today's pace, and what the plan admits.",
        [query(f'SELECT {CALLS} WHERE {HOURS} GROUP BY "app"')],
        COUNT,
        NOT_YET,
        decimals=0,
    )
    complete = stat(
        "Read of what is wanted, of the worst source",
        "Share of what is wanted that has been read: of the worst source of all systems.",
        [query(f'SELECT min("ratio") FROM ({ratio})', "Coverage")],
        SHARE,
        NOT_YET,
        steps=LEVELS,
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
        "Points that a database should have and has not",
        "Points that a database does not accept: it is down, or it refused them. They are kept on disk until it does. "
        "What is only on its way is not counted.",
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
    audit = stat(
        "Days that do not add up",
        "Days whose intervals do not add up to the vendor's daily total, even after they were read again.",
        [query(f'SELECT sum("days") FROM ({days})', "Days")],
        COUNT,
        "Nothing was audited yet.",
        steps=((None, GOOD), (1, WARN)),
        decimals=0,
        text="value",
    )
    return [(6, 4, complete), (8, 4, waiting), (10, 4, used)], [(12, 4, consent), (12, 4, audit)]


def streams() -> Json:
    """What is missing, by system and stream, worst first."""
    return table(
        "Least read of what is wanted, first",
        "What was last said of each source of each system. Read: the share of what is wanted that has been read. Gaps: "
        "holes, which are asked for again by themselves as the quota allows; their days are below.",
        [rows(last_said(("coverage_ratio", READ), ("gaps", "Gaps")), "A"), names("B")],
        COUNT,
        NOT_YET,
        [
            *WORDS,
            of(
                READ,
                unit=SHARE,
                thresholds=thresholds(*LEVELS),
                custom__cellOptions={"type": "color-text"},
                custom__width=64,
            ),
            of("Gaps", custom__width=50),
        ],
        [
            joined("system", "outerTabular"),
            organized(("Name", "stream", READ, "Gaps"), HEADS, (*UNSEEN, "system")),
            known(SOURCE_HEAD),
            ordered(READ),
        ],
    )


def last_said(*fields: tuple[str, str]) -> str:
    """A query of fields, each with its name, that the pipeline said last of each stream."""
    columns = ", ".join(f'last("{field}") AS "{name}"' for field, name in fields)
    return f'SELECT {columns} FROM "ingest" WHERE {ALL_SYSTEMS} AND {KEPT} GROUP BY "system", "stream"'


def spent() -> Json:
    """What each stream costs."""
    return table(
        "Calls this month, by source",
        "Calls that were made this month for each source of each system, most first.",
        [rows(last_said(("calls_month", "Calls")), "A"), names("B")],
        COUNT,
        NOT_YET,
        [*WORDS, of("Calls", custom__width=60)],
        [
            joined("system", "outerTabular"),
            organized(("Name", "stream", "Calls"), HEADS, (*UNSEEN, "system")),
            known("Calls"),
            ordered("Calls", desc=True),
        ],
    )


def timeline() -> Json:
    """When each stream was complete."""
    return states(
        "Read over time, ${system:text}",
        "A row a source of the system that is chosen at the top of the board: the share of what was wanted that had "
        "been read, by the colours below. A backfill makes it fall and then climb again.",
        [
            query(
                f'SELECT last("coverage_ratio") FROM "ingest" WHERE {OF_SYSTEM} AND "stream" =~ /./ AND {SAID} '
                'GROUP BY time($__interval), "stream" fill(none)',
                "$tag_stream",
            )
        ],
        SHARE,
        NOT_YET,
        LEVELS,
        interval="1h",
        overrides=named_series(),
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
        "Points that wait, over time",
        "Points not yet taken by each database. A slope that does not end: it is down or refuses them; see the errors "
        "above.",
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
            [(12, 9, streams()), (12, 9, holes())],
            second,
            [(24, 8, timeline())],
            [(12, 8, calls), (12, 8, backlog)],
            [(24, 8, spent())],
        ],
        [system()],
        time="now-7d/d",
        notes=annotations(ALL_SYSTEMS),
    )
