"""What a report asks of every system, read of all of them by one statement: one for each of thousands takes seconds."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from ingest.core.draft import Columns
from ingest.store.packing import Unpacker


def newest_times(
    db: sqlite3.Connection, measurements: Collection[str], systems: Collection[str]
) -> dict[tuple[str, str], int]:
    """The newest time by measurement and system."""
    rows = db.execute(
        "SELECT measurement, system, (SELECT max(time) FROM points WHERE series = id) AS newest FROM series "
        "WHERE measurement IN (SELECT value FROM json_each(?)) AND system IN (SELECT value FROM json_each(?)) "
        "AND newest IS NOT NULL ORDER BY newest",
        (json.dumps([*measurements]), json.dumps([*systems])),
    )
    return {(name, system): time for name, system, time in rows}


def newest_rows(
    db: sqlite3.Connection, measurements: Collection[str], systems: Collection[str]
) -> dict[tuple[str, str], tuple[int, str]]:
    """(time, fields) of the newest point by measurement and system."""
    rows = db.execute(
        "SELECT measurement, system, time, fields FROM series JOIN points ON series = id AND time = "
        "(SELECT time FROM points WHERE series = id AND fields != '' ORDER BY time DESC LIMIT 1) "
        "WHERE measurement IN (SELECT value FROM json_each(?)) AND system IN (SELECT value FROM json_each(?)) "
        "ORDER BY time",
        (json.dumps([*measurements]), json.dumps([*systems])),
    )
    unpack = Unpacker(db)
    return {(name, system): (time, unpack(kept)) for name, system, time, kept in rows}


def sums_since(
    db: sqlite3.Connection, measurement: str, field: str, begins: Mapping[str, int], end: int
) -> dict[str, float]:
    """The sum of a field by system, each from its own moment on and before `end` (epoch s); none without a value."""
    alike: defaultdict[int, list[str]] = defaultdict(list)
    for system, begin in begins.items():
        alike[begin].append(system)
    unpack = Unpacker(db)
    found: defaultdict[str, list[float]] = defaultdict(list)
    for begin, systems in alike.items():
        rows = db.execute(
            "SELECT system, id, (SELECT group_concat(fields, char(10)) FROM (SELECT fields FROM points "
            "WHERE series = id AND time >= ? AND time < ? AND fields != '' ORDER BY time)) AS kept FROM series "
            "WHERE measurement = ? AND system IN (SELECT value FROM json_each(?)) AND kept IS NOT NULL",
            (begin, end, measurement, json.dumps(systems)),
        ).fetchall()
        for system, series, kept in rows:
            values = _alike(kept, field, unpack)
            found[system] += _each(db, series, field, begin, end) if values is None else values
    return {system: sum(values) for system, values in found.items() if values}


def _alike(kept: str, field: str, unpack: Unpacker) -> Iterable[float] | None:
    """A field of some rows as they are kept, one a line, read at once; None where they have several lists of
    names, or may be lines.
    """
    number = kept[: kept.find(":") + 1]
    if not number[:-1].isdigit() or kept.count("\n") != kept.count(f"\n{number}"):
        return None
    names = unpack(number)[:-1].split(",")
    if field not in names:
        return ()
    values = kept[len(number) : -1].replace(f"\n{number}", "").replace(";", ",").split(",")
    return map(float, values[names.index(field) :: len(names)])


def _each(db: sqlite3.Connection, series: int, field: str, begin: int, end: int) -> Iterable[float]:
    """The same, row by row."""
    rows = db.execute(
        "SELECT time, fields FROM points WHERE series = ? AND time >= ? AND time < ? AND fields != '' ORDER BY time",
        (series, begin, end),
    )
    unpack = Unpacker(db)
    return Columns({time: unpack(kept) for time, kept in rows}).numbers(field).values()
