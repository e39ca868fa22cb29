"""What outlives a restart of those who are told: one small document, and how each receiver stands."""

import json
import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from ingest.store import meta

DOCUMENT, RECEIVERS = "notify.memory", "notify.receivers"


@dataclass(frozen=True)
class Outage:
    """A receiver that could not be reached: why, and since when. `error` is empty while it can."""

    error: str
    since: int


def document(db: sqlite3.Connection) -> dict[str, Any]:
    """What was told; empty at the beginning."""
    found: dict[str, Any] = json.loads(meta.read(db, DOCUMENT) or "{}")
    return found


def receivers(db: sqlite3.Connection) -> dict[str, Outage]:
    """The receivers that were tried, by name."""
    return {name: Outage(**row) for name, row in json.loads(meta.read(db, RECEIVERS) or "{}").items()}


def save(db: sqlite3.Connection, told: dict[str, Any], outages: dict[str, Outage]) -> None:
    """Remember both, inside the caller's transaction."""
    meta.write(db, DOCUMENT, json.dumps(told, ensure_ascii=False, sort_keys=True))
    rows = {name: asdict(row) for name, row in outages.items()}
    meta.write(db, RECEIVERS, json.dumps(rows, ensure_ascii=False, sort_keys=True))
