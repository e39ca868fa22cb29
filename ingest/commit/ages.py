"""Age classes that are new in the settings."""

import sqlite3

from ingest.core.span import Span, Spans, intersect, union
from ingest.plan import coverage
from ingest.plan.work import Classes
from ingest.store import meta, progress


def adopt(db: sqlite3.Connection, wanted: Classes, now: int) -> None:
    """What was read counts for an age class that is new in the settings too; else all of it would be bought again.

    Only what is younger than the old class was is owed: cut by the difference, for it was not looked at that late.
    """
    known = [int(age) for age in (meta.read(db, "classes") or "").split()]
    if known == [*wanted.ages]:
        return
    for (system, stream), read in progress.coverage(db).items() if known else ():
        log = progress.log_of(db, system)
        more: dict[int, Spans] = dict(read)
        for age in set(wanted.ages) - set(known):
            younger = max((old for old in known if old < age), default=None)
            limit = coverage.edge(log, now, age)
            if younger is not None and limit is not None:  # else a class of a greater age covers it already
                seen = intersect(coverage.covered(read, younger), Span(0, limit - (age - younger)))
                more[age] = union(read.get(age, ()), seen)
        progress.save_coverage(db, system, stream, read, more)
    meta.write(db, "classes", " ".join(map(str, wanted.ages)))
