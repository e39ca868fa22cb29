"""What the pipeline says of its parts, in tables: systems by name, and what went wrong in words."""

from boards.frame import Json
from boards.panels import TEXT, called, of, rows, table
from boards.steps import joined, known, ordered, organized

HEADS = {
    "Time ingest": "When",
    "Name": "System",
    "stream": "Stream",
    "sink": "Database",
    "account": "Account",
    "system": "Number",
}
"""The heads of the columns that queries give."""
UNSEEN = ("Time", "Time ingest", "Time system_info")
"""Times that say nothing."""
WORDS = [
    called(custom__minWidth=118),
    of("Stream", unit=TEXT, custom__minWidth=104),
    of("Number", unit=TEXT, custom__width=84),
]
"""The columns of words of a table of systems and streams."""


def names(ref: str) -> Json:
    """The name of each system, to be joined by its number."""
    return rows('SELECT last("label") AS "Name" FROM "system_info" GROUP BY "system"', ref)


def troubles(title: str, window: str, nothing: str) -> Json:
    """The newest sentence of each part that went wrong within a condition on time."""
    tags = ("stream", "sink", "account")
    return table(
        title,
        "The newest sentence of each part of the pipeline, and when it was noted: what was refused, silent or late. "
        "What is older than the newest points elsewhere has passed.",
        [
            rows(
                f'SELECT last("last_error") AS "What happened" FROM "ingest" WHERE "last_error" != \'\' AND {window} '
                'GROUP BY "account", "system", "stream", "sink"',
                "A",
            ),
            names("B"),
        ],
        TEXT,
        nothing,
        [
            of("When", unit="dateTimeFromNow", custom__width=118),
            of("What happened", custom__minWidth=240, custom__wrapText=True),
            *(of(HEADS[tag], custom__width=110) for tag in tags),
            called(custom__width=150),
            of("Number", custom__width=84),
        ],
        [
            joined("system", "outerTabular"),
            organized(("Time ingest", "What happened", "Name", *tags, "system"), HEADS, ("Time system_info",)),
            known("What happened"),
            ordered("When", desc=True),
        ],
    )
