"""Days and months of an older version, which did not say of how many days their sums are."""

import sqlite3

from ingest.core import derive
from ingest.core.days import date_at, midnight, month_start, next_month_start, zone
from ingest.core.draft import Draft
from ingest.core.point import Point, series_key
from ingest.core.units import NEVER
from ingest.plan.state import SystemRow
from ingest.store import archive, meta, progress

DONE = "days_counted"


def adopt(db: sqlite3.Connection) -> None:
    """Count the days of every system once, in the caller's transaction; months are summed up anew."""
    if meta.read(db, DONE):
        return
    for row in progress.systems(db).values():
        if row.timezone:
            _count(db, row)
    meta.write(db, DONE, "1")


def _count(db: sqlite3.Connection, row: SystemRow) -> None:
    tags, ids = (("system", row.system),), archive.series_of(db, [row.system])
    known = [ids[key] for name in ("energy_daily", "energy_monthly") if (key := series_key(name, tags)) in ids]
    if not known:
        return
    draft, local = Draft(archive.read(db, ids, [(known, -NEVER, NEVER)])), zone(row.timezone)
    held = {name: draft.numbers("energy_daily", row.system, name) for name in derive.QUANTITIES}
    draft.merge(
        Point("energy_daily", tags, time, {derive.days_name(name): 1.0}) for name, at in held.items() for time in at
    )
    months = sorted({month_start(date_at(time, local)) for at in held.values() for time in at})
    spans = [(midnight(month, local), midnight(next_month_start(month), local)) for month in months]
    draft.replace(derive.dated(derive.monthly(row.system, spans, held), local))
    archive.write(db, draft, ids)
