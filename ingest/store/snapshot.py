"""What planning needs of the state, read as a whole or for what one commit may have changed."""

import sqlite3
from collections.abc import Iterable

from ingest.enphase.streams import BY_NAME
from ingest.plan.state import Snapshot
from ingest.store import backfills, progress


def load(db: sqlite3.Connection) -> Snapshot:
    """Everything, read afresh."""
    return Snapshot(
        pairs=progress.pairs(db),
        coverage=dict(progress.coverage(db)),
        logs=progress.advances(db),
        systems=progress.systems(db),
        reaches=progress.reaches(db),
        unwanted=backfills.unwanted(db),
    )


def refresh(db: sqlite3.Connection, known: Snapshot, system: str, stream: str, listed: Iterable[str] = ()) -> bool:
    """Read again what one outcome may have changed; `listed` are the systems that it names.

    True when a system appeared, or changed its account or zone: what is wanted must then be worked out again.
    """
    known.pairs[system, stream] = progress.pair(db, system, stream)
    for name in (stream, *BY_NAME[stream].audited):
        known.coverage[system, name] = progress.coverage_of(db, system, name)
    if BY_NAME[stream].meters:
        known.pairs |= {(system, name): progress.pair(db, system, name) for name in BY_NAME}
    known.reaches = progress.reaches(db)
    changed = False
    for name in {system, *listed}:
        known.logs[name] = progress.log_of(db, name)
        if (row := progress.system(db, name)) is not None:
            old = known.systems.get(name)
            known.systems[name] = row
            changed |= old is None or (old.account, old.timezone) != (row.account, row.timezone)
    return changed
