"""The archive: every point ever read, merged as the databases merge, with a number for each change."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, repeat
from typing import NamedTuple

from ingest.core.point import Point, encode_fields, merge_fields, series_key

Row = tuple[int, int, str, int]
"""series, time, fields, seq"""


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
    by_series: dict[tuple[str, tuple[tuple[str, str], ...]], dict[int, str]] = defaultdict(dict)
    series_at: tuple[str, tuple[tuple[str, str], ...]] | None = None
    rows: dict[int, str] = {}
    for measurement, tags, time, fields in points:
        if series_at is None or series_at[1] is not tags or series_at[0] is not measurement:
            series_at = measurement, tags
            rows = by_series[series_at]
        text = encode_fields(fields)
        rows[time] = merge_fields(rows[time], text) if time in rows else text
    seq = start = next_seq(db)
    added = revised = 0
    touched: dict[str, set[int]] = defaultdict(set)
    for (measurement, tags), rows in by_series.items():
        series = series_id(db, measurement, tags)
        news, changed = _news(rows, _held(db, series, min(rows), max(rows)))
        if not news:
            continue
        added += len(news) - changed
        revised += changed
        numbered = zip(repeat(series), news, news.values(), count(seq), strict=False)
        db.executemany(f"INSERT{' OR REPLACE' if changed else ''} INTO points VALUES (?, ?, ?, ?)", numbered)
        seq += len(news)
        touched[measurement].update(news)
    if seq != start:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('seq', ?)", (str(seq),))
    if added and not db.execute("UPDATE meta SET value = value + ? WHERE key = 'points'", (added,)).rowcount:
        db.execute("INSERT INTO meta SELECT 'points', count(*) FROM points")
    return Written(added, revised, touched)


def _news(rows: dict[int, str], held: Mapping[int, str]) -> tuple[dict[int, str], int]:
    """The rows that are new or change something, as they are to be, and how many of them change something."""
    if not held:
        return rows, 0
    news: dict[int, str] = {}
    changed = 0
    for time, text in rows.items():
        old = held.get(time)
        if old == text:
            continue
        if old is not None:
            merged = merge_fields(old, text)  # what the reply omits stays
            if merged == old:
                continue
            changed += 1
            news[time] = merged
        else:
            news[time] = text
    return news, changed


def _held(db: sqlite3.Connection, series: int, first: int, last: int) -> dict[int, str]:
    rows = db.execute(
        "SELECT time, fields FROM points WHERE series = ? AND time BETWEEN ? AND ?", (series, first, last)
    )
    return dict(rows.fetchall())


def next_seq(db: sqlite3.Connection) -> int:
    """The number that the next changed row gets; it never goes back, also not when rows go."""
    row = db.execute("SELECT value FROM meta WHERE key = 'seq'").fetchone()
    return int(row[0]) if row else 1


def series_id(db: sqlite3.Connection, measurement: str, tags: tuple[tuple[str, str], ...]) -> int:
    """The number of a series, which is made when it is new."""
    key = series_key(measurement, tags)
    row = db.execute("SELECT id FROM series WHERE key = ?", (key,)).fetchone()
    if row:
        return int(row[0])
    system = dict(tags).get("system", "")
    made = db.execute("INSERT INTO series (key, measurement, system) VALUES (?, ?, ?)", (key, measurement, system))
    return int(made.lastrowid or 0)


def values(db: sqlite3.Connection, measurement: str, system: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    """(time, fields) of one measurement of one system with `start <= time < end`, by time."""
    return db.execute(
        "SELECT time, fields FROM points WHERE series IN "
        "(SELECT id FROM series WHERE system = ? AND measurement = ?) AND time >= ? AND time < ? ORDER BY time",
        (system, measurement, start, end),
    )


def numbers(
    db: sqlite3.Connection, measurement: str, system: str, field: str, start: int, end: int
) -> dict[int, float]:
    """One numeric field by time, where it is there, with `start <= time < end`."""
    first, later = f"{field}=", f",{field}="
    found: dict[int, float] = {}
    for time, fields in values(db, measurement, system, start, end):
        if fields.startswith(first):
            begin = len(first)
        elif (at := fields.find(later)) >= 0:
            begin = at + len(later)
        else:
            continue
        stop = fields.find(",", begin)
        found[time] = float(fields[begin:] if stop < 0 else fields[begin:stop])
    return found


def extent(db: sqlite3.Connection, measurement: str, system: str) -> tuple[int, int] | None:
    """The oldest and newest time of a measurement of a system; None without points."""
    oldest, newest = db.execute(
        "SELECT min(first), max(last) FROM (SELECT (SELECT min(time) FROM points WHERE series = id) AS first, "
        "(SELECT max(time) FROM points WHERE series = id) AS last FROM series WHERE system = ? AND measurement = ?)",
        (system, measurement),
    ).fetchone()
    return None if oldest is None else (oldest, newest)


def rows_of(db: sqlite3.Connection, series: int, wanted: Filter) -> Iterator[tuple[int, str]]:
    """(time, fields) of one series within the times of a filter, by time."""
    return db.execute(
        "SELECT time, fields FROM points WHERE series = ? AND time >= ? AND time < ? ORDER BY time",
        (series, *_bounds(wanted)),
    )


def select(db: sqlite3.Connection, wanted: Filter) -> Iterator[tuple[str, int, str]]:
    """(series key, time, fields) of the wanted points, sorted by measurement, tags, time."""
    for series, key in wanted_series(db, wanted):
        for time, fields in rows_of(db, series, wanted):
            yield key, time, fields


def wanted_series(db: sqlite3.Connection, wanted: Filter) -> list[tuple[int, str]]:
    """(number, key) of the series that a filter names, sorted by measurement and tags."""
    rows = db.execute("SELECT id, key, measurement, system FROM series ORDER BY measurement, key").fetchall()
    return [
        (series, key)
        for series, key, measurement, system in rows
        if (wanted.measurements is None or measurement in wanted.measurements)
        and (wanted.system is None or system == wanted.system)
    ]


def _bounds(wanted: Filter) -> tuple[int, int]:
    since = -(2**62) if wanted.since is None else wanted.since
    return since, 2**62 if wanted.until is None else wanted.until


def after(db: sqlite3.Connection, wanted: Filter, series: int, time: int, limit: int) -> list[Row]:
    """The next wanted rows after (series, time) in the order of the key, for a replay."""
    since, until = _bounds(wanted)
    found: list[Row] = []
    for number, _ in sorted(wanted_series(db, wanted)):
        if number < series:
            continue
        begin = max(since, time + 1) if number == series else since
        found += db.execute(
            "SELECT series, time, fields, seq FROM points WHERE series = ? AND time >= ? AND time < ? "
            "ORDER BY time LIMIT ?",
            (number, begin, until, limit - len(found)),
        ).fetchall()
        if len(found) >= limit:
            break
    return found


def changes(db: sqlite3.Connection, cursor: int, limit: int) -> list[Row]:
    """The next rows in the order in which they last changed, after the number `cursor`."""
    return db.execute(
        "SELECT series, time, fields, seq FROM points WHERE seq > ? ORDER BY seq LIMIT ?", (cursor, limit)
    ).fetchall()


def series_keys(db: sqlite3.Connection) -> dict[int, str]:
    """The key of every series by its number."""
    return dict(db.execute("SELECT id, key FROM series").fetchall())


def backlog(db: sqlite3.Connection, cursor: int) -> int:
    """How many rows changed after the number `cursor`."""
    return int(db.execute("SELECT count(*) FROM points WHERE seq > ?", (cursor,)).fetchone()[0])


def size(db: sqlite3.Connection) -> int:
    """How many points there are: a number that is kept, since counting millions takes a second."""
    row = db.execute("SELECT value FROM meta WHERE key = 'points'").fetchone()
    return int(row[0] if row else db.execute("SELECT count(*) FROM points").fetchone()[0])
