"""What the pipeline says of its parts, in tables: systems by name, and what went wrong in words."""

from boards.frame import ALL_SYSTEMS, Json
from boards.panels import COUNT, GOOD, PLAIN, TEXT, called, of, rows, table, unseen
from boards.sources import SOURCE_HEAD, named_sources
from boards.steps import above, joined, ordered, organized

KEPT = "time >= now() - 90d AND time <= now()"
"""How long the pipeline's word stays; it says something again when something changed."""

HEADS = {
    "Time ingest": "When",
    "Name": "System",
    "stream": SOURCE_HEAD,
}
"""The heads of the columns that queries give."""
UNSEEN = ("Time", "Time ingest", "Time system_info")
"""Times that say nothing."""
WORDS = [called(custom__minWidth=112), named_sources()]
"""The columns of words of a table of systems and streams."""
READ = "Read"
"""The heading of a share: the title says of what."""
LEAST = "Data read, worst source"
"""The same of the worst source, on each board that says it."""
PROGRESS = ((None, PLAIN), (0.99, GOOD))
"""What is not read yet is no trouble: a history is read for days. What is wrong has a sentence; lost days are red."""
GAP_DAYS = "Missing days"
NO_GAP = "No gap waits to be filled."


def names(ref: str) -> Json:
    """The name of each system, to be joined by its number."""
    return rows('SELECT last("label") AS "Name" FROM "system_info" GROUP BY "system"', ref)


def troubles(title: str, window: str, nothing: str) -> Json:
    """The newest sentence of each part that went wrong within a condition on time."""
    return table(
        title,
        "The newest sentence of each part of the pipeline, and when it was noted: what was refused, silent or late. "
        "What is older than the newest points elsewhere has passed.",
        [
            rows(
                f'SELECT last("last_error") AS "What happened" FROM "ingest" WHERE "last_error" != \'\' AND {window} '
                'GROUP BY "account", "system", "stream", "sink"',
            ),
        ],
        TEXT,
        nothing,
        [
            of("When", unit="dateTimeFromNow", custom__width=114),
            of("What happened", custom__minWidth=236, custom__wrapText=True),
        ],
        [
            organized(("Time", "What happened"), {"Time": "When"}, ("account", "system", "stream", "sink")),
            ordered("When", desc=True),
        ],
    )


def holes() -> Json:
    """The gaps of each stream, with the days that they are of."""
    said = 'last("gaps") AS "Gaps", last("gap_days") AS "Days"'
    return table(
        "Missing days",
        "Spans of each source of each system that should have been read by now and were not, and their days by the "
        "system's own calendar. They are asked for again by themselves as the quota allows.",
        [
            rows(f'SELECT {said} FROM "ingest" WHERE {ALL_SYSTEMS} AND {KEPT} GROUP BY "system", "stream"', "A"),
            names("B"),
        ],
        COUNT,
        NO_GAP,
        [
            called(custom__minWidth=112),
            of(GAP_DAYS, unit=TEXT, custom__minWidth=112, custom__wrapText=True),
            named_sources(130),
            *unseen("Gaps"),
        ],
        [
            joined("system", "outerTabular"),
            organized(("Name", "Days", "stream", "Gaps"), {**HEADS, "Days": GAP_DAYS}, (*UNSEEN, "system")),
            above("Gaps", 0),
            ordered("Gaps", desc=True),
        ],
    )
