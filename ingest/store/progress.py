"""What has been read and the state of each pair (system, stream): coverage, reports of gateways, pauses."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from sys import intern
from typing import Any

from ingest.core.span import Span, Spans, union
from ingest.enphase.streams import BY_NAME
from ingest.plan.coverage import Advance, Covered, Log
from ingest.plan.profile import Profile, from_json, to_json
from ingest.plan.state import Pair, SystemRow
from ingest.store import meta

Pairs = dict[tuple[str, str], "Pair"]
_PAIR = (
    "system, stream, floor, first_at, asked_at, fails, rest_until, history_from, state, reason, cursor, revised, "
    "history_fails, revised_wh"
)


def pairs(db: sqlite3.Connection) -> Pairs:
    """Every pair that was ever asked for."""
    rows = db.execute(f"SELECT {_PAIR} FROM pairs")  # noqa: S608 - a constant
    return {(pair.system, pair.stream): pair for pair in map(_pair, rows)}


def _pair(row: tuple[Any, ...]) -> Pair:
    """One pair; the names of systems and streams, which many have, are held once."""
    system, stream, *rest = row
    return Pair(intern(system), intern(stream), *rest)


def pair(db: sqlite3.Connection, system: str, stream: str) -> Pair:
    """One pair, fresh when it is not known yet."""
    row = db.execute(
        f"SELECT {_PAIR} FROM pairs WHERE system = ? AND stream = ?",  # noqa: S608 - a constant
        (system, stream),
    ).fetchone()
    return _pair(row) if row else Pair(system, stream)


def save_pair(db: sqlite3.Connection, pair: Pair) -> None:
    """Remember a pair."""
    row = (pair.system, pair.stream, pair.floor, pair.first_at, pair.asked_at, pair.fails)
    rest = pair.cursor, pair.revised, pair.history_fails, pair.revised_wh
    db.execute(
        "INSERT OR REPLACE INTO pairs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, pair.rest_until, pair.history_from, pair.state, pair.reason, *rest),
    )


def coverage(db: sqlite3.Connection) -> dict[tuple[str, str], dict[int, Spans]]:
    """Spans read, by pair and age class."""
    found: dict[tuple[str, str], dict[int, list[Span]]] = defaultdict(lambda: defaultdict(list))
    for system, stream, age, start, end in db.execute("SELECT system, stream, age, start, end FROM coverage"):
        found[system, stream][age].append(Span(start, end))
    return {
        (intern(system), intern(stream)): {age: union(spans) for age, spans in ages.items()}
        for (system, stream), ages in found.items()
    }


def streams_read(db: sqlite3.Connection, system: str) -> set[str]:
    """The streams of which anything was read of a system."""
    return {name for (name,) in db.execute("SELECT DISTINCT stream FROM coverage WHERE system = ?", (system,))}


def save_coverage(db: sqlite3.Connection, system: str, stream: str, old: Covered, new: Covered) -> None:
    """Replace what was read of a pair; only what differs is written."""
    key = system, stream
    before, after = ({(age, *span) for age, spans in read.items() for span in spans} for read in (old, new))
    gone = {row[:2] for row in before} - {row[:2] for row in after}
    if gone:
        db.executemany(
            "DELETE FROM coverage WHERE system = ? AND stream = ? AND age = ? AND start = ?",
            [(*key, *row) for row in gone],
        )
    if fresh := after - before:
        db.executemany("INSERT OR REPLACE INTO coverage VALUES (?, ?, ?, ?, ?)", [(*key, *row) for row in fresh])


def advances(db: sqlite3.Connection) -> dict[str, Log]:
    """The log of reports of each system's gateway, oldest first."""
    rows = db.execute(  # in the order of the key, by system and report
        "SELECT system, group_concat(seen_at), group_concat(reported_at) FROM known GROUP BY system"
    )
    return {intern(system): Log.of_columns(*map(_times, texts)) for system, *texts in rows}


def _times(text: str) -> Iterable[int]:
    return map(int, text.split(","))


def log_of(db: sqlite3.Connection, system: str) -> Log:
    """The log of one system."""
    rows = db.execute("SELECT seen_at, reported_at FROM known WHERE system = ? ORDER BY reported_at", (system,))
    return Log(rows)


def save_log(db: sqlite3.Connection, system: str, old: Sequence[Advance], new: Sequence[Advance]) -> None:
    """Replace the log of a system; only what differs is written."""
    if gone := set(old) - set(new):
        db.executemany(
            "DELETE FROM known WHERE system = ? AND reported_at = ?", [(system, entry.reported_at) for entry in gone]
        )
    if fresh := set(new) - set(old):
        db.executemany(
            "INSERT INTO known (system, seen_at, reported_at) VALUES (?, ?, ?)", [(system, *entry) for entry in fresh]
        )


def _system_row(row: tuple[Any, ...]) -> SystemRow:
    """One system; the words that many have are held once."""
    name, account, label, timezone, operational_at, kept, probes, probed_at, habits = row
    info = {intern(key): value for key, value in json.loads(kept).items()}
    known = intern(name), intern(account), label, intern(timezone), operational_at
    return SystemRow(*known, info, probes, probed_at, _learned(habits))


@lru_cache(maxsize=256)
def _learned(text: str) -> Profile:
    return from_json(json.loads(text))


def systems(db: sqlite3.Connection) -> dict[str, SystemRow]:
    """Every system that an account ever listed."""
    rows = db.execute(
        "SELECT system, account, name, timezone, operational_at, info, probes, probed_at, habits FROM systems"
    )
    return {row[0]: _system_row(row) for row in rows}


def system(db: sqlite3.Connection, name: str) -> SystemRow | None:
    """One system, None when no account listed it."""
    row = db.execute(
        "SELECT system, account, name, timezone, operational_at, info, probes, probed_at, habits FROM systems "
        "WHERE system = ?",
        (name,),
    ).fetchone()
    return _system_row(row) if row else None


def save_system(db: sqlite3.Connection, system: SystemRow) -> None:
    """Remember a system."""
    db.execute(
        "INSERT OR REPLACE INTO systems VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            system.system,
            system.account,
            system.name,
            system.timezone,
            system.operational_at,
            json.dumps(system.info, sort_keys=True),
            system.probes,
            system.probed_at,
            json.dumps(to_json(system.profile)),
        ),
    )


def keep_sample(db: sqlite3.Connection, system: str, stream: str, at: int, reason: str, body: bytes) -> None:
    """Keep the newest reply that could not be read, for a human to look at; at most 64 kB of it."""
    db.execute("INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?, ?)", (system, stream, at, reason, body[:65536]))


def samples(db: sqlite3.Connection) -> Iterable[tuple[str, str, int, str, bytes]]:
    """(system, stream, at, reason, body) of the replies that were kept."""
    return db.execute("SELECT system, stream, at, reason, body FROM samples").fetchall()


def reaches(db: sqlite3.Connection, kind: str = "reach") -> dict[str, int]:
    """The reach (s) of the streams for which a longer one was tried; it is what the cloud really honoured. Those of the
    kind "trial" were honoured once, and wait to be confirmed.
    """
    found = {name: meta.read(db, f"{kind}.{name}") for name in BY_NAME}
    return {name: int(reach) for name, reach in found.items() if reach}
