"""How far each sink has been served: a cursor over the archive's changes, refused points, replays."""

import json
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field, replace

from ingest.core.tally import MeasuredSystem
from ingest.core.units import NEVER
from ingest.store import archive, departures, journal, meta, own
from ingest.store.archive import Filter
from ingest.store.database import Store
from ingest.store.journal import Row


@dataclass(frozen=True)
class SinkRow:
    """Where a sink stands. `too_old` counts points the database no longer keeps; `error` is why it is down."""

    name: str
    fingerprint: str
    cursor: int
    sent: int
    too_old: int
    error: str
    since: int | None


@dataclass(frozen=True)
class Replay:
    """A stored request to send archived points again, and how far it has got in the order of (series, time)."""

    id: int
    sink: str
    wanted: Filter
    series: int
    time: int


@dataclass(frozen=True)
class Verified:
    """What the last look at a sink's content found, and when the next is due. `stays`: sending again did not help.
    `forgets` is why it is not known to keep for ever what it holds, where that was asked; `ended` is how often its
    proofs had come to their end, where the look was a good one of all there is.
    """

    at: int = 0
    next_at: int = 0
    seq: int = 0
    differs: list[str] = field(default_factory=list)
    error: str = ""
    stays: bool = False
    forgets: str = ""
    ended: int = -1


def last_verification(db: sqlite3.Connection, name: str) -> Verified:
    """The last look at what a sink holds."""
    text = meta.read(db, f"verified.{name}")
    return Verified(**json.loads(text)) if text else Verified()


def save_verification(db: sqlite3.Connection, name: str, state: Verified) -> None:
    """Keep what a look at a sink found."""
    meta.write(db, f"verified.{name}", json.dumps(asdict(state)))


def sink(db: sqlite3.Connection, name: str) -> SinkRow | None:
    """A sink's row, None before it was first opened."""
    row = db.execute(
        "SELECT name, fingerprint, cursor, sent, too_old, error, since FROM sinks WHERE name = ?", (name,)
    ).fetchone()
    return SinkRow(*row) if row else None


def register(db: sqlite3.Connection, name: str, fingerprint: str) -> SinkRow:
    """The row of a sink; a new or changed target gets the whole archive."""
    row, forgotten = sink(db, name), journal.forgotten(db)
    if row is None or row.fingerprint != fingerprint:
        db.execute("DELETE FROM parked WHERE sink = ?", (name,))
        db.execute("DELETE FROM meta WHERE key = ?", (f"verified.{name}",))
        departures.end_proofs(db, name)
        db.execute("INSERT OR REPLACE INTO sinks (name, fingerprint) VALUES (?, ?)", (name, fingerprint))
        row = SinkRow(name, fingerprint, 0, 0, 0, "", None)
    if row.cursor < forgotten:
        ask_replay(db, name, Filter())
        db.execute("UPDATE sinks SET cursor = ? WHERE name = ?", (forgotten, name))
        row = replace(row, cursor=forgotten)
    return row


def record_delivered(db: sqlite3.Connection, name: str, cursor: int, sent: int, too_old: int) -> None:
    """Move a sink's cursor past what it has taken; never back to what has been forgotten since."""
    cursor = max(cursor, journal.forgotten(db))
    db.execute(
        "UPDATE sinks SET cursor = ?, sent = sent + ?, too_old = too_old + ?, error = '', since = NULL WHERE name = ?",
        (cursor, sent, too_old, name),
    )


def told(db: sqlite3.Connection, name: str) -> int:
    """Up to which number a sink has what the pipeline says of itself."""
    row = db.execute("SELECT own FROM sinks WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def record_told(db: sqlite3.Connection, name: str, seq: int) -> None:
    """Note up to which number a sink has what the pipeline says of itself."""
    db.execute("UPDATE sinks SET own = ? WHERE name = ? AND own != ?", (seq, name, seq))


def returned_at(db: sqlite3.Connection, name: str) -> int:
    """Up to which change all was sent again after the last outage of a sink; 0 before the first."""
    row = db.execute("SELECT returned FROM sinks WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def record_returned(db: sqlite3.Connection, name: str, cursor: int) -> None:
    """Note up to which change all was sent again after an outage."""
    db.execute("UPDATE sinks SET returned = ? WHERE name = ?", (cursor, name))


def record_failure(db: sqlite3.Connection, name: str, error: str, at: int) -> None:
    """Note why a sink does not accept writes, and since when."""
    departures.end_proofs(db, name)
    db.execute("UPDATE sinks SET error = ?, since = coalesce(since, ?) WHERE name = ?", (error, at, name))


def park(db: sqlite3.Connection, name: str, rows: Iterable[tuple[Row, str]]) -> None:
    """Set lines aside that the sink can never take, each with the reason."""
    db.executemany(
        "INSERT OR REPLACE INTO parked VALUES (?, ?, ?, ?, ?)",
        [(name, series, time, seq, reason) for (series, time, _, seq), reason in rows],
    )


def unpark(db: sqlite3.Connection, name: str) -> None:
    """Forget lines set aside whose row has changed since and was taken."""
    db.execute(
        "DELETE FROM parked WHERE sink = ?1 AND EXISTS (SELECT 1 FROM points JOIN sinks ON sinks.name = ?1 "
        "WHERE points.series = parked.series AND points.time = parked.time AND points.seq > parked.seq "
        "AND points.seq <= sinks.cursor)",
        (name,),
    )


def parked_lines(db: sqlite3.Connection, name: str) -> list[tuple[str, int, str]]:
    """(series key, time, reason) of the lines set aside for a sink."""
    return db.execute(
        "SELECT key, time, reason FROM parked JOIN series ON series.id = parked.series WHERE sink = ? "
        "ORDER BY key, time",
        (name,),
    ).fetchall()


def parked_rows(db: sqlite3.Connection, name: str) -> set[tuple[int, int]]:
    """(series, time) of the lines set aside for a sink."""
    return set(db.execute("SELECT series, time FROM parked WHERE sink = ?", (name,)))


def undelivered(db: sqlite3.Connection, name: str, cursor: int | None = None) -> set[MeasuredSystem]:
    """The measurements of systems of which something waits for a sink, behind `cursor` (None: the one that is recorded)
    or to be sent again.
    """
    row, again = sink(db, name), [wanted for wanted, *_ in _replays(db, name)]
    everything = archive.measured_systems(db) if again else ()
    found = {measured for measured in everything if any(_covers(wanted, measured) for wanted in again)}
    at = row.cursor if row and cursor is None else cursor
    return found if at is None else found | journal.changed_since(db, at)


def _replays(db: sqlite3.Connection, name: str) -> list[tuple[Filter, int, int]]:
    """What is still to be sent to a sink again, and after which (series, time)."""
    rows = db.execute("SELECT filter, series, time FROM replays WHERE sink = ? AND NOT done", (name,))
    return [(_filter(text), series, time) for text, series, time in rows]


def is_of_own(wanted: Filter) -> bool:
    """Whether what is to be sent again may be what the pipeline says of itself."""
    return wanted.measurements is None or own.MEASUREMENT in wanted.measurements


def _covers(wanted: Filter, measured: MeasuredSystem) -> bool:
    return wanted.system in (None, measured.system) and (
        wanted.measurements is None or measured.measurement in wanted.measurements
    )


def forget_proved(store: Store, names: Collection[str]) -> None:
    """Forget the changes that all of some sinks have taken, and hold as the last look at each has shown; of a sink that
    was never looked at, those that it has taken.
    """
    while True:
        with store.transaction() as db:
            if not journal.forget(db, _proved(db, names)):
                return


def _proved(db: sqlite3.Connection, names: Iterable[str]) -> int:
    found = [journal.next_seq(db) - 1]
    for name in names:
        row, seen = sink(db, name), last_verification(db, name)
        cursor = row.cursor if row else 0
        found.append(min(cursor, seen.seq) if seen.seq else cursor)
    return min(found)


def has_replays(db: sqlite3.Connection, name: str) -> bool:
    """Whether something is still to be sent to a sink again."""
    return bool(db.execute("SELECT 1 FROM replays WHERE sink = ? AND NOT done", (name,)).fetchone())


def to_send_again(db: sqlite3.Connection, name: str) -> int:
    """How many points the replays of a sink have still to send."""
    return sum(
        archive.size(db) if (wanted, series) == (Filter(), 0) else archive.rows_after(db, wanted, series, time)
        for wanted, series, time in _replays(db, name)
    )


def ask_replay(db: sqlite3.Connection, name: str, wanted: Filter) -> int:
    """Store a replay; the sink's own sender carries it out."""
    departures.end_proofs(db, name)
    inserted = db.execute("INSERT INTO replays (sink, filter) VALUES (?, ?)", (name, json.dumps(wanted)))
    return int(inserted.lastrowid or 0)


def replay(db: sqlite3.Connection, name: str, besides: Iterable[int] = ()) -> Replay | None:
    """The oldest replay of a sink that is not done, besides those whose end is about to be noted."""
    rows = db.execute(
        "SELECT id, sink, filter, series, time FROM replays WHERE sink = ? AND NOT done ORDER BY id", (name,)
    )
    row = next((row for row in rows if row[0] not in set(besides)), None)
    if row is None:
        return None
    return Replay(row[0], row[1], _filter(row[2]), row[3], row[4])


def _filter(text: str) -> Filter:
    measurements, system, since, until = json.loads(text)
    return Filter(None if measurements is None else tuple(measurements), system, since, until)


def record_replay_progress(db: sqlite3.Connection, job: int, series: int, time: int, *, done: bool) -> None:
    """Note how far a replay has got. What was set aside on the way has been tried again: `park` it anew after this."""
    row = db.execute("SELECT sink, filter, series, time FROM replays WHERE id = ?", (job,)).fetchone()
    if row is not None:
        sink, text, *before = row
        wanted = _filter(text)
        since = -NEVER if wanted.since is None else wanted.since
        until = NEVER if wanted.until is None else wanted.until
        where, values = archive.series_where(wanted)
        db.execute(
            "DELETE FROM parked WHERE sink = ? AND time >= ? AND time < ? AND (series, time) > (?, ?) "  # noqa: S608
            f"AND (? OR (series, time) <= (?, ?)) AND series IN (SELECT id FROM series{where})",
            (sink, since, until, *before, done, series, time, *values),
        )
    db.execute("UPDATE replays SET series = ?, time = ?, done = ? WHERE id = ?", (series, time, done, job))


def rows_to_delete(db: sqlite3.Connection, rows: Iterable[Row]) -> list[Row]:
    """Those of some rows that once said more than they do: what a database holds of them must go before they come."""
    many = list(rows)
    marks = ", ".join(map(str, {row[0] for row in many}))
    gone = set(db.execute(f"SELECT series, time FROM withdrawn WHERE series IN ({marks})"))  # noqa: S608 - numbers
    return [row for row in many if row[:2] in gone] if gone else []
