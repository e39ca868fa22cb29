"""What a report asks of every system, read of all of them by one statement: one for each of thousands takes seconds."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping

from ingest.core.series_rows import Columns
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
            "SELECT system, json_group_array(time), json_group_array(fields) FROM series JOIN points ON series = id "
            "AND time >= ? AND time < ? WHERE measurement = ? AND system IN (SELECT value FROM json_each(?)) "
            "AND fields != '' GROUP BY id",
            (begin, end, measurement, json.dumps(systems)),
        )
        for system, times, kept in rows:
            found[system] += Columns(dict(unpack.rows(times, kept))).numbers(field).values()
    return {system: sum(values) for system, values in found.items() if values}
