"""The first version of the API, below /api/systems: as v2, with times in words. No document of it is left."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ingest.simulator.answers import Json

NAMED = {"start": "start_at", "end": "end_at"}
"""What it calls the ends of a span, and what v2 does."""


def asked(params: Mapping[str, str]) -> dict[str, str]:
    """The parameters as v2 has them; what it does not know is left out."""
    found = {name: value for name, value in params.items() if name not in NAMED.values()}
    for name, other in NAMED.items():
        if name in found:
            found[other] = str(_epoch(found.pop(name)))
    return found


def _epoch(words: str) -> int:
    return int(datetime.strptime(words, "%Y-%m-%dT%H:%M:%S%z").timestamp())


def told(document: Json, zone: ZoneInfo) -> Json:
    """A reply of v2 in its words: an interval ends at a date and time of the site, beside its offset from UTC."""
    if not isinstance(document, dict) or "intervals" not in document:
        return document
    return {**document, "intervals": [_row(row, zone) for row in document["intervals"]]}


def _row(row: Json, zone: ZoneInfo) -> Json:
    words = datetime.fromtimestamp(row["end_at"], UTC).astimezone(zone).isoformat()
    return {"end_date": words, **{key: value for key, value in row.items() if key != "end_at"}}
