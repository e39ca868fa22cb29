"""Everything that planning needs of the state, read at once."""

import sqlite3

from ingest.plan.state import Snapshot
from ingest.store import backfills, deferred, odd_rows, progress


def load(db: sqlite3.Connection) -> Snapshot:
    """Everything, read afresh."""
    return Snapshot(
        pairs=progress.pairs(db),
        coverage=dict(progress.coverage(db)),
        logs=progress.advances(db),
        systems=progress.systems(db),
        reaches=progress.reaches(db),
        unwanted=backfills.unwanted(db),
        trials=progress.reaches(db, "trial"),
        odd=odd_rows.load(db),
        deferred=deferred.load(db),
    )
