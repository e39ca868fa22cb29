"""What the pipeline says of its parts, in tables: systems by name, and what went wrong in words."""

from typing import Any

from boards.frame import ALL_SYSTEMS, Json, sentence
from boards.panels import (
    COUNT,
    GOOD,
    PLAIN,
    SHARE,
    TEXT,
    WARN,
    WITHOUT_COLOUR,
    called,
    of,
    rows,
    table,
    thresholds,
    unseen,
)
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
SLIM: dict[str, Any] = {"custom__minWidth": 84, "custom__wrapText": True}
WORDS = [called(**SLIM), named_sources(96)]
"""The columns of words of a table of systems and streams."""
READ = "Read"
"""The heading of a share: the title says of what."""
LEAST = "Data read, worst source"
"""The same of the worst source, on each board that says it."""
PROGRESS = ((None, PLAIN), (0.99, GOOD))
"""What is not read yet is no trouble: a history is read for days. What is wrong has a sentence."""
ALMOST_ALL: tuple[Json, ...] = (
    {"type": "value", "options": {"1": {"text": "100%", "index": 0}}},
    {"type": "range", "options": {"from": 0.9995, "to": 1 - 1e-9, "result": {"text": "99.9%", "index": 1}}},
)
"""A share of which one digit behind the point is shown is only then all when it is."""
READ_AS: dict[str, Any] = {
    "unit": SHARE,
    "decimals": 1,
    "mappings": [WITHOUT_COLOUR, *ALMOST_ALL],
    "thresholds": thresholds(*PROGRESS),
}
"""How this share is shown, everywhere."""
MISSING = "Missing"
GAP_DAYS = "Missing days"
REFUSED = "Refused days"
"""The headings of the days that are missing, and of those of them that the cloud refused again and again."""
NO_GAP = "No day is missing."
MEANING = (
    "**Missing**: an ended day of which something wanted and due is not read; its total may be known · **refused**: "
    "one of these that was refused more than three times · all are asked for again"
)
"""What these words mean, on each board that uses them: today, and what is not yet due or not wanted, is neither."""


def meaning(more: str = "") -> Json:
    """The line that says so."""
    return sentence(f"{MEANING}{more}", "What the words missing and refused mean on all boards.")


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
            of("When", unit="dateTimeFromNow", custom__width=118),
            of("What happened", custom__minWidth=236, custom__wrapText=True),
        ],
        [
            organized(("Time", "What happened"), {"Time": "When"}, ("account", "system", "stream", "sink")),
            ordered("When", desc=True),
        ],
    )


def holes() -> Json:
    """The days that are missing of each stream, and why."""
    said = 'last("gaps") AS "Gaps", last("gap_days") AS "Days", last("gap_why") AS "Why"'
    refused = {"pattern": "/(.*refused.*)/", "result": {"text": "$1", "color": WARN, "index": 0}}
    return table(
        "Which days are missing, and why",
        "Days of each source of each system of which something should have been read by now and was not, by the "
        "system's own calendar, and why. They are asked for again by themselves as the quota allows. In orange: what "
        "the cloud refused more than three times; if it stays so, tell the vendor.",
        [
            rows(f'SELECT {said} FROM "ingest" WHERE {ALL_SYSTEMS} AND {KEPT} GROUP BY "system", "stream"', "A"),
            names("B"),
        ],
        COUNT,
        NO_GAP,
        [
            called(custom__width=62, custom__wrapText=True),
            of(GAP_DAYS, unit=TEXT, custom__width=112, custom__wrapText=True),
            named_sources(96),
            of(
                "Why",
                unit=TEXT,
                custom__minWidth=96,
                custom__wrapText=True,
                custom__cellOptions={"type": "color-text"},
                mappings=[{"type": "regex", "options": refused}],
            ),
            *unseen("Gaps"),
        ],
        [
            joined("system", "outerTabular"),
            organized(("Name", "Days", "stream", "Why", "Gaps"), {**HEADS, "Days": GAP_DAYS}, (*UNSEEN, "system")),
            above("Gaps", 0),
            ordered("Gaps", desc=True),
        ],
    )
