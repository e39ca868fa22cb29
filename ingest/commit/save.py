"""Writing what was decided, inside the caller's transaction."""

import sqlite3

from ingest.commit.changes import Changes
from ingest.store import archive, daily_totals, deferred, meta, odd_rows, progress


def save(db: sqlite3.Connection, changes: Changes) -> None:
    """Write every change; nothing else is touched, nor what has come out as it was."""
    known = changes.loaded.known
    archive.write(db, changes.points, changes.loaded.ids)
    for pair in changes.pairs.others():
        progress.save_pair(db, pair)
    for row in changes.systems.others():
        progress.save_system(db, row)
    for system, log in changes.logs.maps[0].items():
        progress.save_log(db, system, known.logs.get(system, ()), log)
    for key, read in changes.coverage.maps[0].items():
        progress.save_coverage(db, *key, known.coverage.get(key, {}), read)
    for stream, reach in changes.reaches.maps[0].items():
        meta.write(db, f"reach.{stream}", str(reach))
    for stream, reach in changes.trials.maps[0].items():
        meta.write(db, f"trial.{stream}", str(reach))
    for key, odd in changes.odd.maps[0].items():
        odd_rows.save(db, *key, known.odd.get(key, {}), odd)
    for key, later in changes.deferred.maps[0].items():
        deferred.save(db, *key, known.deferred.get(key, ()), later)
    _save_totals(db, changes)
    if (sample := changes.sample) is not None:
        progress.keep_sample(db, sample.system, sample.stream, sample.at, sample.reason, sample.body)


def _save_totals(db: sqlite3.Connection, changes: Changes) -> None:
    for system in changes.moved:
        daily_totals.clear(db, system)
    for (system, series), before in changes.dropped.items():
        daily_totals.forget(db, system, series, before)
    if fresh := changes.totals.maps[0]:
        daily_totals.save(db, fresh)
