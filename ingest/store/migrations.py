"""The tables of `state.db` and their numbered migrations. Each migration and its number are one transaction."""

import sqlite3
from collections.abc import Callable
from datetime import tzinfo

from ingest.core import derive
from ingest.core.days import date_at, zone
from ingest.core.point import encode_fields, line_fields, merge_fields
from ingest.store import journal, own
from ingest.store.packing import Unpacker


def name_days(
    db: sqlite3.Connection, word: str = "year", kinds: tuple[str, ...] = ("energy_daily", "energy_monthly")
) -> None:
    """Days and months that were written before they had this word get their names, and are delivered again."""
    rows = db.execute(
        "SELECT series.measurement, systems.timezone, points.series, points.time, points.fields FROM points "
        "JOIN series ON series.id = points.series JOIN systems ON systems.system = series.system "
        "WHERE series.measurement IN (?, ?) AND systems.timezone != '' "
        "AND instr(points.fields, ?) = 0 ORDER BY points.series, points.time",
        (kinds[0], kinds[-1], f"{word}="),
    ).fetchall()
    (seq,) = db.execute("SELECT coalesce(max(CAST(value AS INTEGER)), 1) FROM meta WHERE key = 'seq'").fetchone()
    zones: dict[str, tzinfo] = {name: zone(name) for _, name, *_ in rows}
    words = (encode_fields(derive.calendar(kind, date_at(time, zones[name]))) for kind, name, _, time, _ in rows)
    named = [
        (line_fields(merge_fields(fields, more)), number, series, time)
        for number, ((_, _, series, time, fields), more) in enumerate(zip(rows, words, strict=True), seq)
    ]
    db.executemany("UPDATE points SET fields = ?, seq = ? WHERE series = ? AND time = ?", named)
    if named:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('seq', ?)", (str(seq + len(named)),))


def name_weeks(db: sqlite3.Connection) -> None:
    """Days that were written before they had a week and a weekday."""
    name_days(db, "week", ("energy_daily", "money_daily"))


def note_runs(db: sqlite3.Connection) -> None:
    """What changed in a row, of one series, is one row of the journal."""
    db.execute(
        "CREATE TABLE runs (seq INTEGER PRIMARY KEY, until INTEGER NOT NULL, series INTEGER NOT NULL, "
        "first INTEGER NOT NULL, last INTEGER NOT NULL)"
    )
    journal.note_rows(db, db.execute("SELECT seq, series, time FROM changes ORDER BY seq"))
    db.execute("DROP TABLE changes")


def move_own(db: sqlite3.Connection) -> None:
    """What the pipeline said of itself stood among the data."""
    mine = "series IN (SELECT id FROM series WHERE measurement = 'ingest')"
    rows = db.execute(f"SELECT seq, series, time, fields FROM points WHERE {mine} ORDER BY seq")  # noqa: S608
    unpack = Unpacker(db)
    own.enter(db, ((seq, series, time, unpack(kept)) for seq, series, time, kept in rows))
    db.execute("UPDATE sinks SET own = min(cursor, (SELECT coalesce(max(seq), 0) FROM own))")
    for table in ("points", "parked", "withdrawn"):
        db.execute(f"DELETE FROM {table} WHERE {mine}")  # noqa: S608 - our own tables
    db.execute("UPDATE meta SET value = value - (SELECT count(*) FROM own) WHERE key = 'points'")


MIGRATIONS: tuple[str | Callable[[sqlite3.Connection], None], ...] = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE systems (
        system TEXT PRIMARY KEY, account TEXT NOT NULL, name TEXT NOT NULL, timezone TEXT NOT NULL,
        operational_at INTEGER, info TEXT NOT NULL, probes INTEGER NOT NULL DEFAULT 0, probed_at INTEGER
    ) WITHOUT ROWID;
    -- columns in the order of the key: SQLite 3.40 takes any other order for damage
    CREATE TABLE known (
        system TEXT NOT NULL, reported_at INTEGER NOT NULL, seen_at INTEGER NOT NULL,
        PRIMARY KEY (system, reported_at)
    ) WITHOUT ROWID;
    CREATE TABLE pairs (
        system TEXT NOT NULL, stream TEXT NOT NULL, floor INTEGER, first_at INTEGER, asked_at INTEGER,
        fails INTEGER NOT NULL DEFAULT 0, rest_until INTEGER NOT NULL DEFAULT 0,
        history_from INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT '',
        reason TEXT NOT NULL DEFAULT '', cursor TEXT NOT NULL DEFAULT '', revised INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (system, stream)
    ) WITHOUT ROWID;
    CREATE TABLE coverage (
        system TEXT NOT NULL, stream TEXT NOT NULL, age INTEGER NOT NULL,
        start INTEGER NOT NULL, end INTEGER NOT NULL,
        PRIMARY KEY (system, stream, age, start)
    ) WITHOUT ROWID;
    CREATE TABLE totals (
        system TEXT NOT NULL, series TEXT NOT NULL, day TEXT NOT NULL, wh REAL NOT NULL,
        final INTEGER NOT NULL, open INTEGER NOT NULL, changed INTEGER NOT NULL,
        doubts INTEGER NOT NULL, reads INTEGER NOT NULL, held REAL,
        PRIMARY KEY (system, series, day)
    ) WITHOUT ROWID;
    CREATE TABLE series (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, measurement TEXT NOT NULL, system TEXT NOT NULL
    );
    CREATE INDEX series_of_system ON series (system, measurement);
    CREATE TABLE points (
        series INTEGER NOT NULL, time INTEGER NOT NULL, fields TEXT NOT NULL, seq INTEGER NOT NULL,
        PRIMARY KEY (series, time)
    ) WITHOUT ROWID;
    CREATE INDEX points_by_seq ON points (seq);
    CREATE TABLE calls (
        id INTEGER PRIMARY KEY, app TEXT NOT NULL, at INTEGER NOT NULL, ended INTEGER,
        system TEXT NOT NULL, stream TEXT NOT NULL, purpose TEXT NOT NULL, verdict TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX calls_by_time ON calls (app, at);
    CREATE TABLE sinks (
        name TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, cursor INTEGER NOT NULL DEFAULT 0,
        sent INTEGER NOT NULL DEFAULT 0, too_old INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '',
        since INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE parked (
        sink TEXT NOT NULL, series INTEGER NOT NULL, time INTEGER NOT NULL, seq INTEGER NOT NULL,
        reason TEXT NOT NULL, PRIMARY KEY (sink, series, time)
    ) WITHOUT ROWID;
    CREATE TABLE replays (
        id INTEGER PRIMARY KEY, sink TEXT NOT NULL, filter TEXT NOT NULL,
        series INTEGER NOT NULL DEFAULT 0, time INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE wishes (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL, made_at INTEGER NOT NULL, done_at INTEGER
    );
    CREATE TABLE unwanted (
        system TEXT NOT NULL, stream TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
        PRIMARY KEY (system, stream, start)
    ) WITHOUT ROWID;
    CREATE TABLE samples (
        system TEXT NOT NULL, stream TEXT NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (system, stream)
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE systems ADD COLUMN habits TEXT NOT NULL DEFAULT '{}';
    """,
    """
    ALTER TABLE pairs ADD COLUMN history_fails INTEGER NOT NULL DEFAULT 0;
    """,
    name_days,
    """
    -- calls by calendar month (UTC), which begins at `month`: to count them anew takes long
    CREATE TABLE call_months (
        app TEXT NOT NULL, month INTEGER NOT NULL, calls INTEGER NOT NULL DEFAULT 0, history INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (app, month)
    ) WITHOUT ROWID;
    INSERT INTO call_months
        SELECT app, CAST(strftime('%s', at, 'unixepoch', 'start of month') AS INTEGER) AS month,
            count(*), sum(purpose = 'history') FROM calls GROUP BY app, month;
    CREATE INDEX calls_by_end ON calls (app, ended);
    """,
    """
    CREATE TABLE odd_rows (
        system TEXT NOT NULL, stream TEXT NOT NULL, time INTEGER NOT NULL, reason TEXT NOT NULL,
        sample TEXT NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
        PRIMARY KEY (system, stream, time, reason)
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE sinks ADD COLUMN returned INTEGER NOT NULL DEFAULT 0;
    """,
    """
    CREATE TABLE deferred (
        system TEXT NOT NULL, stream TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
        until INTEGER NOT NULL, PRIMARY KEY (system, stream, start)
    ) WITHOUT ROWID;
    """,
    name_weeks,
    """
    ALTER TABLE deferred ADD COLUMN fails INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE deferred ADD COLUMN reason TEXT NOT NULL DEFAULT '';
    """,
    """
    -- rows of the archive that once said more than they do: they are deleted in a database before they are sent
    CREATE TABLE withdrawn (series INTEGER NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (series, time)) WITHOUT ROWID;
    """,
    """
    ALTER TABLE pairs ADD COLUMN revised_wh REAL NOT NULL DEFAULT 0;
    """,
    """
    -- what no sink has to be told of any more need not be found by the order of its changes
    CREATE TABLE changes (seq INTEGER PRIMARY KEY, series INTEGER NOT NULL, time INTEGER NOT NULL);
    INSERT INTO meta SELECT 'changes_forgotten', value FROM (
        SELECT coalesce((SELECT min(cursor) FROM sinks),
            (SELECT CAST(value AS INTEGER) - 1 FROM meta WHERE key = 'seq')) AS value
    ) WHERE value > 0;
    INSERT OR REPLACE INTO changes SELECT seq, series, time FROM points
        WHERE seq > coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'changes_forgotten'), 0) ORDER BY seq;
    DROP INDEX points_by_seq;
    INSERT INTO meta SELECT 'packed', '1' WHERE NOT EXISTS (SELECT 1 FROM points);
    """,
    """
    -- what has left the archive, and is proposed to, by system; what each sink was seen to hold of it
    CREATE TABLE departures (
        system TEXT PRIMARY KEY, until INTEGER NOT NULL DEFAULT 0, day TEXT NOT NULL DEFAULT '',
        fixed INTEGER NOT NULL DEFAULT 0, first INTEGER NOT NULL DEFAULT 0, next_day TEXT NOT NULL DEFAULT '',
        next_fixed INTEGER NOT NULL DEFAULT 0, next_until INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE proofs (
        sink TEXT NOT NULL, system TEXT NOT NULL, until INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (sink, system)
    ) WITHOUT ROWID;
    """,
    """
    -- rows with words are kept without the names of their fields too, which an older program would not read
    """,
    """
    -- the few days that do not add up, which every report asks for, among the millions of a fleet
    CREATE INDEX totals_that_differ ON totals (day) WHERE held IS NOT NULL;
    """,
    note_runs,
    """
    -- what the pipeline says of itself, in the order in which it was said; how far each sink has been told
    CREATE TABLE own (seq INTEGER PRIMARY KEY, series INTEGER NOT NULL, time INTEGER NOT NULL, fields TEXT NOT NULL);
    ALTER TABLE sinks ADD COLUMN own INTEGER NOT NULL DEFAULT 0;
    """,
    move_own,
)

VERSION = len(MIGRATIONS)
LEAVING_ALL = {13, 14, 15, 16, 17, 18, 19}
"""Steps that leave every row as it is, or move it: where no other is needed, no copy of the file is made first."""


PAGE = 1024
"""Bytes of a page, of which a call changes a dozen: each is written once to the log and once to the file. With SQLite's
own 4096 a home on a large plan writes 18 MB a day, so 6 (`bench/writes.py`).
"""


def version(db: sqlite3.Connection) -> int:
    """How many migrations the file has had."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def choose_page(db: sqlite3.Connection) -> None:
    """Give an empty file pages of `PAGE` bytes; one that holds anything keeps its own."""
    if not version(db):
        db.execute(f"PRAGMA page_size = {PAGE}")


def migrate(db: sqlite3.Connection) -> None:
    """Bring the file to the newest version, one transaction a migration."""
    choose_page(db)
    for number, step in enumerate(MIGRATIONS[version(db) :], version(db) + 1):
        if isinstance(step, str):
            db.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")
        else:
            _computed(db, number, step)


def _computed(db: sqlite3.Connection, number: int, step: Callable[[sqlite3.Connection], None]) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        step(db)
        db.execute(f"PRAGMA user_version = {number}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def rows(db: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table holds, but for the points, whose number the archive keeps."""
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    count = "SELECT count(*) FROM "
    return {name: int(db.execute(f'{count}"{name}"').fetchone()[0]) for name in tables if name != "points"}
