"""What has left the archive, in a sentence for whoever asks for it."""

import sqlite3
from collections.abc import Collection
from datetime import UTC, datetime

from ingest.core.words import many
from ingest.store import departures

NO_CURVE = "The intervals of this day have left the archive; the databases have them, and its sums are below"


def departed(
    db: sqlite3.Connection, sinks: Collection[str], since: int | None = None, system: str | None = None
) -> str:
    """Which intervals the archive has no more, of those since a moment (None: ever) and of one system (None: all), and
    where they are; empty where it has all.
    """
    left = {
        name: until
        for name, until in departures.untils(db).items()
        if system in (None, name) and (since is None or since < until)
    }
    if not left:
        return ""
    what = f"of {system}" if system is not None else f"of {many(len(left), 'system')}, homes included,"
    places = f"the databases have them ({', '.join(sinks)})" if sinks else "the databases of that time have them"
    return f"Intervals {what} from before {day(max(left.values()))} have left the archive: {places}"


def day(at: int) -> str:
    """A day (UTC) such as 2024-05-30."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
