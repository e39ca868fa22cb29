"""The oldest and the newest of what the archive holds, found without counting."""

import sqlite3
from collections.abc import Collection, Iterator


def bounds(db: sqlite3.Connection) -> tuple[int, int] | None:
    """The oldest and the newest time of all; None without points."""
    return _extent(db, "measurement != 'ingest'", ())


def extent(db: sqlite3.Connection, measurement: str, system: str) -> tuple[int, int] | None:
    """The oldest and newest time of a measurement of a system; None without points."""
    return _extent(db, "system = ? AND measurement = ?", (system, measurement))


def times(db: sqlite3.Connection, measurement: str, system: str, begin: int, end: int) -> Iterator[int]:
    """When a measurement of a system has any row with `begin <= time < end`, be it one that was withdrawn; by time."""
    rows = db.execute(
        "SELECT DISTINCT time FROM points WHERE series IN "
        "(SELECT id FROM series WHERE system = ? AND measurement = ?) AND time >= ? AND time < ? ORDER BY time",
        (system, measurement, begin, end),
    )
    return (time for (time,) in rows)


def of_series(db: sqlite3.Connection, numbers: Collection[int]) -> tuple[int, int] | None:
    """The oldest and newest time of some series; None without points."""
    return _extent(db, f"id IN ({', '.join('?' * len(numbers))})", tuple(numbers))


def _extent(db: sqlite3.Connection, where: str, values: tuple[str | int, ...]) -> tuple[int, int] | None:
    """That of the series for which a condition holds: two looks into the index for each of them."""
    oldest, newest = db.execute(
        "SELECT min(first), max(last) FROM (SELECT (SELECT min(time) FROM points WHERE series = id) AS first, "  # noqa: S608 - conditions of this file
        f"(SELECT max(time) FROM points WHERE series = id) AS last FROM series WHERE {where})",
        values,
    ).fetchone()
    return None if oldest is None else (oldest, newest)
