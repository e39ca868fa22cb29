"""What an installation holds, read from outside: its state file, and the real database behind it."""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingest.core.point import decode_fields, parse_series
from ingest.store import archive
from ingest.store.archive import Filter
from tests.influxd import Influxd
from tests.influxd2 import ReadyInfluxd2

Key = tuple[str, tuple[tuple[str, str], ...], int]
Rows = dict[Key, dict[str, Any]]
"""Points by measurement, tags and time."""


def ask(state: Path, statement: str, *values: object) -> list[Any]:
    """Rows of a query to `state.db`, which a runner may be using."""
    with contextlib.closing(sqlite3.connect(state / "state.db", timeout=30)) as db:
        return db.execute(statement, values).fetchall()


def archive_rows(state: Path) -> Rows:
    """Every archived point."""
    found: Rows = {}
    with contextlib.closing(sqlite3.connect(state / "state.db", timeout=30)) as db:
        for key, time, row in archive.select(db, Filter()):
            measurement, tags = parse_series(key)
            found[measurement, tags, time] = decode_fields(row)
    return found


def database_rows(server: Influxd | ReadyInfluxd2, database: str) -> Rows:
    """Every point of a database; InfluxQL groups by every tag, so each row knows its series."""
    found: Rows = {}
    for listed in server.execute("SHOW MEASUREMENTS", database):
        for (name,) in listed["values"]:
            for series in server.execute(f'SELECT * FROM "{name}" GROUP BY *', database):  # noqa: S608
                tags = tuple(sorted((tag, value) for tag, value in series["tags"].items() if value))
                for time, *values in series["values"]:
                    pairs = zip(series["columns"][1:], values, strict=True)
                    found[name, tags, time] = {field: value for field, value in pairs if value is not None}
    return found


def differences(held: Rows, expected: Rows, *, fields: Callable[[dict[str, Any]], Any] = lambda row: row) -> list[str]:
    """The first few differences in words; empty when both are the same."""
    missing = [f"missing {key}" for key in expected if key not in held]
    extra = [f"never was {key}" for key in held if key not in expected]
    other = [
        f"differs {key}: {held[key]}, not {row}"
        for key, row in expected.items()
        if key in held and fields(held[key]) != fields(row)
    ]
    return [*missing[:3], *extra[:3], *other[:3]]


def unlike_sun(held: Rows, sun: Rows) -> list[str]:
    """Where rows differ from the sun's in any field that the sun names."""
    found = []
    for key, fields in sun.items():
        row = held.get(key)
        if row is None:
            found.append(f"missing {key}")
        elif any(abs(row.get(name, -1e9) - value) > 1e-6 for name, value in fields.items()):
            found.append(f"differs {key}: {row}, not {fields}")
    return found


def delivered(state: Path) -> bool:
    """Whether every sink holds the whole archive."""
    (waiting,) = ask(state, "SELECT count(*) FROM points WHERE seq > (SELECT coalesce(min(cursor), 0) FROM sinks)")[0]
    return bool(waiting == 0)
