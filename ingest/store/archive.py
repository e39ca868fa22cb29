"""The archive: every point ever read, merged as the databases merge, with a number for each change."""

import sqlite3
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import NamedTuple

from ingest.core.draft import Draft
from ingest.core.point import Point, parse_series, series_key
from ingest.core.series_rows import Columns, Rows, by_series
from ingest.core.table import tables_of
from ingest.core.tally import FieldTotal, MeasuredSystem, totals
from ingest.core.units import NEVER
from ingest.store import bulk, departures, journal
from ingest.store.journal import Row
from ingest.store.packing import NAMES, Packer, Unpacker

Want = tuple[Sequence[int], int, int]
"""Numbers of series, and the times `start <= time < end` that are wanted of them."""
TERMS = 200
"""Parts of one statement; SQLite takes 500 selects and some thousand values."""


@dataclass(frozen=True)
class Written:
    """What an upsert did: rows that were new, rows whose fields changed, and the times touched by measurement."""

    added: int
    revised: int
    touched: Mapping[str, set[int]]


class Filter(NamedTuple):
    """Which points are meant: None is all. Times are `since <= time < until`, epoch seconds."""

    measurements: tuple[str, ...] | None = None
    system: str | None = None
    since: int | None = None
    until: int | None = None


def upsert(db: sqlite3.Connection, points: Iterable[Point]) -> Written:
    """Merge points into the archive; a row gets a new number only when something really changed."""
    found = by_series(tables_of(points))
    ids = series_ids(db, [series_key(*series) for series in found])
    wants = [
        ((ids[key],), min(rows), max(rows) + 1) for series, rows in found.items() if (key := series_key(*series)) in ids
    ]
    draft = Draft(read(db, ids, wants))
    touched = draft.merge_rows(found)
    write(db, draft, ids)
    return Written(draft.added, draft.revised, touched)


def write(db: sqlite3.Connection, draft: Draft, ids: Mapping[str, int]) -> None:
    """Write what changes but for what stays as it is; `ids` are the numbers of the series that there are already."""
    if not draft.changed_rows:
        return
    wanted = f"SELECT key, value FROM meta WHERE key IN ('seq', 'points', '{NAMES}', '{departures.FIXED}')"  # noqa: S608
    kept = dict(db.execute(wanted).fetchall())
    if departures.FIXED in kept:
        departures.hold(db, draft)
        if not draft.changed_rows:
            return
    seq = int(kept.get("seq", 1))
    size = int(kept["points"]) if "points" in kept else _count(db)
    packer = Packer(kept.get(NAMES, ""))
    gone: list[tuple[int, int]] = []
    numbers, rising, fields = list[int](), list[int](), list[str]()
    changed: list[tuple[int, Sequence[int]]] = []
    for key, unsorted in draft.changed_rows.items():
        number, times = ids[key] if key in ids else new_series(db, key), sorted(unsorted)
        numbers += repeat(number, len(times))
        rising += times
        fields += packer.pack_all(unsorted)
        changed.append((number, times))
        gone += ((number, time) for time in draft.withdrawn.get(key, ()))
    how = "INSERT OR REPLACE" if draft.revised else "INSERT"
    bulk.insert_columns(db, f"{how} INTO points", (numbers, rising, fields, range(seq, seq + len(rising))))
    journal.note(db, seq, changed)
    size += draft.added - draft.retired
    noted = {"seq": str(seq + len(rising)), "points": str(size)}
    if packer.names != kept.get(NAMES, ""):
        noted[NAMES] = packer.names
    marks = ", ".join(["(?, ?)"] * len(noted))
    db.execute(f"INSERT OR REPLACE INTO meta VALUES {marks}", tuple(chain.from_iterable(noted.items())))  # noqa: S608
    if gone:
        db.executemany("INSERT OR IGNORE INTO withdrawn VALUES (?, ?)", gone)


def new_series(db: sqlite3.Connection, key: str) -> int:
    """Enter a series; returns its number."""
    measurement, tags = parse_series(key)
    system = dict(tags).get("system", "")
    inserted = db.execute("INSERT INTO series (key, measurement, system) VALUES (?, ?, ?)", (key, measurement, system))
    return int(inserted.lastrowid or 0)


def series_ids(db: sqlite3.Connection, keys: Sequence[str]) -> dict[str, int]:
    """The numbers of those series that there are, by key."""
    found: dict[str, int] = {}
    for first in range(0, len(keys), TERMS):
        some = keys[first : first + TERMS]
        marks = ", ".join("?" * len(some))
        found |= db.execute(f"SELECT key, id FROM series WHERE key IN ({marks})", some).fetchall()  # noqa: S608 - marks
    return found


def series_of(db: sqlite3.Connection, systems: Sequence[str]) -> dict[str, int]:
    """The numbers of the series of some systems, by key."""
    found: dict[str, int] = {}
    for first in range(0, len(systems), TERMS):
        some = systems[first : first + TERMS]
        marks = ", ".join("?" * len(some))
        found |= db.execute(f"SELECT key, id FROM series WHERE system IN ({marks})", some).fetchall()  # noqa: S608
    return found


def read(
    db: sqlite3.Connection, ids: Mapping[str, int], wants: Sequence[Want], unpack: Unpacker | None = None
) -> dict[str, Rows]:
    """The rows of some series (numbers) with `start <= time < end`, by series key and time; several reads may share
    what unpacks them.
    """
    found: dict[int, dict[int, str]] = {}
    unpack = unpack or Unpacker(db)
    for first in range(0, len(wants), TERMS):
        some = wants[first : first + TERMS]
        parts = [
            "SELECT series, json_group_array(time), json_group_array(fields) FROM points "  # noqa: S608
            f"WHERE series IN ({', '.join(map(str, numbers))}) AND time >= ? AND time < ? GROUP BY series"
            for numbers, _, _ in some
        ]
        spans = [at for _, *span in some for at in span]
        for series, times, kept in db.execute(" UNION ALL ".join(parts), spans):
            found.setdefault(series, {}).update(unpack.rows(times, kept))
    return {key: found[number] for key, number in ids.items() if number in found}


def measured_systems(db: sqlite3.Connection) -> list[MeasuredSystem]:
    """Every measurement of every system that there is, but what the pipeline says of itself, which is not kept."""
    rows = db.execute(
        "SELECT DISTINCT measurement, system FROM series WHERE measurement != 'ingest' ORDER BY measurement, system"
    )
    return [MeasuredSystem(*row) for row in rows]


def measurements_of(db: sqlite3.Connection, system: str) -> set[str]:
    """The measurements of which a system ever had a point."""
    return {name for (name,) in db.execute("SELECT DISTINCT measurement FROM series WHERE system = ?", (system,))}


def tally(
    db: sqlite3.Connection, measured: MeasuredSystem, period: tuple[int, int], besides: Container[tuple[int, int]]
) -> dict[str, FieldTotal]:
    """Counts and sums of a measurement of a system with `start <= time < end`, besides some (series, time)."""
    rows = db.execute(
        "SELECT series, time, fields FROM points WHERE series IN "
        "(SELECT id FROM series WHERE measurement = ? AND system = ?) AND time >= ? AND time < ?",
        (*measured, *period),
    )
    unpack = Unpacker(db)
    return totals(unpack(kept) for series, time, kept in rows if (series, time) not in besides)


def values(db: sqlite3.Connection, measurement: str, system: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    """(time, fields) of one measurement of one system with `start <= time < end`, by time."""
    rows = db.execute(
        "SELECT time, fields FROM points WHERE series IN "
        "(SELECT id FROM series WHERE system = ? AND measurement = ?) AND time >= ? AND time < ? AND fields != '' "
        "ORDER BY time",
        (system, measurement, start, end),
    )
    unpack = Unpacker(db)
    return ((time, unpack(kept)) for time, kept in rows)


def numbers(
    db: sqlite3.Connection, measurement: str, system: str, field: str, start: int, end: int
) -> dict[int, float]:
    """One numeric field by time, where it is there, with `start <= time < end`."""
    return Columns(dict(values(db, measurement, system, start, end))).numbers(field)


def rows_of(db: sqlite3.Connection, series: int, wanted: Filter) -> Iterator[tuple[int, str]]:
    """(time, fields) of one series within the times of a filter, by time."""
    rows = db.execute(
        "SELECT time, fields FROM points WHERE series = ? AND time >= ? AND time < ? AND fields != '' ORDER BY time",
        (series, *bounds(wanted)),
    )
    unpack = Unpacker(db)
    return ((time, unpack(kept)) for time, kept in rows)


def select(db: sqlite3.Connection, wanted: Filter) -> Iterator[tuple[str, int, str]]:
    """(series key, time, fields) of the wanted points, sorted by measurement, tags, time."""
    for series, key in wanted_series(db, wanted):
        for time, fields in rows_of(db, series, wanted):
            yield key, time, fields


def newest(db: sqlite3.Connection, measurement: str) -> list[tuple[str, int, str]]:
    """(series key, time, fields) of the newest point of each series of a measurement."""
    rows = db.execute(
        "SELECT key, time, fields FROM series JOIN points ON series = id "
        "AND time = (SELECT max(time) FROM points WHERE series = id) WHERE measurement = ?",
        (measurement,),
    ).fetchall()
    unpack = Unpacker(db)
    return [(key, time, unpack(kept)) for key, time, kept in rows]


def wanted_series(db: sqlite3.Connection, wanted: Filter) -> list[tuple[int, str]]:
    """(number, key) of the series that a filter names, sorted by measurement and tags."""
    where, values = series_where(wanted)
    return db.execute(f"SELECT id, key FROM series{where} ORDER BY measurement, key", values).fetchall()  # noqa: S608


def series_where(wanted: Filter) -> tuple[str, list[str]]:
    """The condition on `series` that a filter stands for, and its values."""
    parts: list[str] = []
    values: list[str] = []
    if wanted.system is not None:
        parts.append("system = ?")
        values.append(wanted.system)
    if wanted.measurements is not None:
        parts.append(f"measurement IN ({', '.join('?' * len(wanted.measurements))})")
        values.extend(wanted.measurements)
    return (f" WHERE {' AND '.join(parts)}" if parts else ""), values


def bounds(wanted: Filter) -> tuple[int, int]:
    """The times of a filter, as numbers: `since <= time < until`."""
    since = -NEVER if wanted.since is None else wanted.since
    return since, NEVER if wanted.until is None else wanted.until


def after(db: sqlite3.Connection, wanted: Filter, series: int, time: int, limit: int) -> list[Row]:
    """The next wanted rows after (series, time) in the order of the key, for a replay."""
    since, until = bounds(wanted)
    found: list[Row] = []
    unpack = Unpacker(db)
    where, values = series_where(wanted)
    begins = f"{where or ' WHERE 1'} AND id >= ? ORDER BY id"
    for (number,) in db.execute(f"SELECT id FROM series{begins}", (*values, series)):  # noqa: S608
        begin = max(since, time + 1) if number == series else since
        rows = db.execute(
            "SELECT time, fields, seq FROM points WHERE series = ? AND time >= ? AND time < ? ORDER BY time LIMIT ?",
            (number, begin, until, limit - len(found)),
        )
        found += [(number, time, unpack(kept), seq) for time, kept, seq in rows.fetchall()]
        if len(found) >= limit:
            break
    return found


def rows_after(db: sqlite3.Connection, wanted: Filter, series: int = 0, time: int = -NEVER) -> int:
    """How many of the wanted rows come after (series, time) in the order of the key."""
    since, until = bounds(wanted)
    numbers = [number for number, _ in wanted_series(db, wanted) if number >= series]
    begins = [max(since, time + 1) if number == series else since for number in numbers]
    rows = "SELECT count(*) FROM points WHERE series = ? AND time >= ? AND time < ?"
    return sum(
        int(db.execute(rows, (number, begin, until)).fetchone()[0])
        for number, begin in zip(numbers, begins, strict=True)
    )


def series_keys(db: sqlite3.Connection) -> dict[int, str]:
    """The key of every series by its number."""
    return dict(db.execute("SELECT id, key FROM series").fetchall())


def size(db: sqlite3.Connection) -> int:
    """How many points there are: a number that is kept, since counting millions takes a second."""
    row = db.execute("SELECT value FROM meta WHERE key = 'points'").fetchone()
    return int(row[0]) if row else _count(db)


def _count(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM points WHERE fields != ''").fetchone()[0])
