"""What changed in the archive, in order: what a sink has not taken yet, and what was not proved to have arrived."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, pairwise
from operator import itemgetter, sub

from ingest.core.tally import MeasuredSystem
from ingest.core.units import DAY, HOUR
from ingest.store import bulk, meta
from ingest.store.packing import Unpacker

Row = tuple[int, int, str, int]
"""series, time, row, and the number of its last change"""
FORGOTTEN = "changes_forgotten"
MAX_FORGOTTEN = 50_000
"""How many changes are forgotten at once, which takes some hundredths of a second."""
LONGEST_GAP = HOUR
"""How far apart (s) the rows of a run may lie: those in between, which did not change, are looked at with it."""
LONGEST_RUN = 5_000
"""How many rows a run may have: who has taken a part of it passes by these again."""

_INTO, _WIDTH = "INSERT INTO runs", 5
_AFTER = "runs.seq >= coalesce((SELECT max(seq) FROM runs WHERE seq <= :cursor + 1), 0) AND until > :cursor"
# A change that the row has seen a later one of is none any more.
_LATEST = f"""FROM runs CROSS JOIN points ON points.series = runs.series AND time BETWEEN first AND last
    AND points.seq BETWEEN runs.seq AND until WHERE {_AFTER} AND points.seq > :cursor"""


def note(db: sqlite3.Connection, seq: int, changed: Iterable[tuple[int, Sequence[int]]]) -> None:
    """Enter changes: rows by series, each with times that rise, numbered one after another from `seq` on."""
    bulk.insert(db, _INTO, _WIDTH, _runs(seq, changed))


def note_rows(db: sqlite3.Connection, rows: Iterable[tuple[int, int, int]]) -> None:
    """Enter changes: (number, series, time), by their numbers."""
    bulk.insert(db, _INTO, _WIDTH, chain.from_iterable(_runs(seq, [(of, at)]) for seq, of, at in _in_order(rows)))


def _runs(seq: int, changed: Iterable[tuple[int, Sequence[int]]]) -> Iterator[tuple[int, int, int, int, int]]:
    for series, times in changed:
        gaps = [*map(sub, times[1:], times)]
        breaks = {*range(LONGEST_RUN, len(times), LONGEST_RUN)}
        if gaps and max(gaps) > LONGEST_GAP:
            breaks |= {at for at, gap in enumerate(gaps, 1) if gap > LONGEST_GAP}
        for begin, end in pairwise([0, *sorted(breaks), len(times)]):
            yield seq + begin, seq + end - 1, series, times[begin], times[end - 1]
        seq += len(times)


def _in_order(rows: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int, list[int]]]:
    """Rows of one series, numbered one after another, whose times rise: number of the first, series, times."""
    begun, of, times = 0, 0, list[int]()
    for seq, series, time in rows:
        if times and ((seq, series) != (begun + len(times), of) or time <= times[-1]):
            yield begun, of, times
            times = []
        if not times:
            begun, of = seq, series
        times.append(time)
    if times:
        yield begun, of, times


def next_seq(db: sqlite3.Connection) -> int:
    """The number that the next changed row gets; it never goes back, also not when rows go."""
    return int(meta.read(db, "seq") or 1)


def changes(db: sqlite3.Connection, cursor: int, limit: int) -> list[Row]:
    """The next rows in the order in which they last changed, after the number `cursor`."""
    rows = db.execute(
        f"SELECT points.series, time, fields, points.seq {_LATEST} ORDER BY runs.seq, time LIMIT :limit",
        {"cursor": cursor, "limit": limit},
    ).fetchall()
    unpack, found = Unpacker(db), list[Row]()
    for _, run in groupby(rows, key=itemgetter(0)):
        series, times, kept, numbers = zip(*run, strict=True)
        found += zip(series, times, unpack.all(kept), numbers, strict=True)
    return found


def backlog(db: sqlite3.Connection, cursor: int) -> int:
    """How many rows changed after the number `cursor`."""
    return int(db.execute(f"SELECT count(*) {_LATEST}", {"cursor": cursor}).fetchone()[0])


def changed_since(db: sqlite3.Connection, cursor: int) -> set[MeasuredSystem]:
    """The measurements of systems of which something changed after the number `cursor`."""
    rows = db.execute(
        f"SELECT DISTINCT measurement, system FROM series WHERE id IN (SELECT series FROM runs WHERE {_AFTER})",  # noqa: S608
        {"cursor": cursor},
    )
    return {MeasuredSystem(*row) for row in rows}


def changed_days(db: sqlite3.Connection, seq: int) -> set[int] | None:
    """The days since 1970 (UTC) of what changed after the number `seq`; None where that is forgotten."""
    if seq < forgotten(db):
        return None
    rows = db.execute(f"SELECT DISTINCT first / {DAY}, last / {DAY} FROM runs WHERE {_AFTER}", {"cursor": seq})  # noqa: S608
    return {day for first, last in rows for day in range(first, last + 1)}


def forgotten(db: sqlite3.Connection) -> int:
    """Up to which number changes are forgotten: what changed until then is read by series and time only."""
    return int(meta.read(db, FORGOTTEN) or 0)


def forget(db: sqlite3.Connection, until: int) -> bool:
    """Forget the oldest changes up to a number, `MAX_FORGOTTEN` at once; returns whether there were any."""
    before = forgotten(db)
    until = min(until, before + MAX_FORGOTTEN)
    if until <= before:
        return False
    db.execute("DELETE FROM runs WHERE seq <= ? AND until <= ?", (until, until))
    db.execute("UPDATE runs SET seq = ? + 1 WHERE seq <= ?", (until, until))
    meta.write(db, FORGOTTEN, str(until))
    return True
