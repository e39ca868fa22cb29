"""Energies of a system over a span of time, for tiles, tables and files."""

import sqlite3
from collections.abc import Mapping

from ingest.core.derive import QUANTITIES, grid_exchange
from ingest.core.series_rows import Columns
from ingest.store import archive

Flows = Mapping[str, float]
"""Wh by the names of `QUANTITIES`; what is not known is not there."""


def by_quarter(db: sqlite3.Connection, system: str, begin: int, end: int) -> dict[int, dict[str, float]]:
    """The energies of every quarter of an hour of which something is known; the grid where it follows from the rest."""
    found = Columns(dict(archive.values(db, "energy", system, begin, end))).by_time(QUANTITIES)
    for row in found.values():
        row.update(grid_exchange(row))
    return found


def of_span(db: sqlite3.Connection, system: str, begin: int, end: int) -> dict[str, float]:
    """The sums of a span, each over what is known of it."""
    sums: dict[str, float] = {}
    for row in by_quarter(db, system, begin, end).values():
        for name, value in row.items():
            sums[name] = sums.get(name, 0.0) + value
    return sums
