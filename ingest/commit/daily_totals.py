"""What a reply of daily totals does: charts of the whole life, and days read again that do not agree with it."""

import sqlite3
from collections.abc import Mapping, Sequence

from ingest.commit.context import CommitContext
from ingest.commit.derived import own_sums, settled, write_days, zone_of
from ingest.core import audit
from ingest.core.audit import Total
from ingest.core.days import LocalDay, date_at, days_between
from ingest.core.point import Point
from ingest.core.units import DAY
from ingest.enphase.catalogue import DAILY, SERIES, measured_by
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Stream
from ingest.fetch.worker import Outcome
from ingest.plan import coverage
from ingest.store import archive, daily_totals, progress
from ingest.store.archive import Written

Said = Sequence[tuple[LocalDay, float]]


def record(db: sqlite3.Connection, outcome: Outcome, at: CommitContext) -> None:
    """Write the daily totals of a reply, and take the days that it gives reason to doubt out of the coverage."""
    life, system = outcome.lifetime, outcome.task.system
    local = zone_of(db, system)
    if life is None or life.start is None or local is None:
        return
    log = progress.log_of(db, system)
    reported_at = outcome.reported_at or (log[-1].reported_at if log else 0)
    final_until = coverage.edge(log, at.now, at.classes.settle) or 0
    until = at.now if at.until is None else min(at.now, at.until)
    days = list(days_between(life.start, max(map(len, life.series.values())), local))
    for name, values in life.series.items():
        said = audit.without_unknown(list(audit.dated(values, days, until)), reported_at)
        oldest = still_served_from(outcome.task.stream, at)
        recent = [entry for entry in said if entry[0].start >= oldest]
        fresh = _remember(db, system, name, recent, final_until)
        daily_totals.forget(db, system, name, date_at(oldest, local).isoformat())
        if name in DAILY:
            news = [*_of_old(db, system, DAILY[name], said, oldest), *(day for day in recent if _iso(day[0]) in fresh)]
            write_days(db, system, _daily(db, system, DAILY[name], news, final_until, at), local)
        since = life.since.get(name)
        _audit(db, system, name, [day for day, _ in recent if since is None or day.date >= since], at)


def _iso(day: LocalDay) -> str:
    return day.date.isoformat()


def still_served_from(totals: Stream, at: CommitContext) -> int:
    """From when on the cloud surely still serves the intervals of daily totals: with a day to spare."""
    return at.now - BY_NAME[totals.audited[0]].route(at.version).history + DAY


def _remember(db: sqlite3.Connection, system: str, series: str, said: Said, final_until: int) -> Mapping[str, Total]:
    """Keep what the vendor says; returns the days of which it is news, by ISO date."""
    if not said:
        return {}
    old = daily_totals.held(db, system, series, _iso(said[0][0]))
    fresh: dict[str, Total] = {}
    for day, wh in said:
        name = _iso(day)
        total = audit.seen(old.get(name), wh, final=day.end <= final_until)
        if total is not old.get(name):
            fresh[name] = total
    daily_totals.save(db, system, series, fresh)
    return fresh


def _of_old(db: sqlite3.Connection, system: str, field: str, said: Said, oldest: int) -> list[tuple[LocalDay, float]]:
    """The days before those that the cloud still serves whose total is not what we have of them."""
    held = archive.numbers(db, "energy_daily", system, field, 0, oldest)
    return [(day, wh) for day, wh in said if day.start < oldest and held.get(day.start) != wh]


def _daily(
    db: sqlite3.Connection, system: str, field: str, said: Said, final_until: int, at: CommitContext
) -> list[Point]:
    """The vendor's totals as points; while one is not final, our own sum of the whole day may be better."""
    young = [day for day, _ in said if day.end > final_until]
    ours = own_sums(db, system, young, at.classes.settle)
    tags = (("system", system),)
    return [
        Point("energy_daily", tags, day.start, {field: max(wh, ours.get(day.start, {}).get(field, wh))})
        for day, wh in said
    ]


def _audit(db: sqlite3.Connection, system: str, series: str, days: Sequence[LocalDay], at: CommitContext) -> None:
    measured = measured_by(SERIES[series])
    if not days or measured is None:
        return
    stream, (measurement, field) = SERIES[series].stream, measured
    read = settled(db, system, stream, at.classes.settle)
    begin = progress.pair(db, system, stream).first_at or 0
    known = daily_totals.held(db, system, series, _iso(days[0]))
    judged: dict[str, Total] = {}
    for day in days:
        total = known[_iso(day)]
        if not total.open or day.start < begin or not audit.is_covered(day, read):
            continue
        held = archive.numbers(db, measurement, system, field, day.start, day.end)
        total, doubted = audit.judge(total, sum(held.values()), len(held))
        judged[_iso(day)] = total
        if doubted:
            progress.uncover(db, system, stream, day.span)
    daily_totals.save(db, system, series, judged)


def reopen(db: sqlite3.Connection, system: str, written: Written, now: int) -> None:
    """Days whose intervals have changed are judged again by the next reply."""
    for key, series in SERIES.items():
        measured = measured_by(series)
        times = written.touched.get(measured[0]) if measured else None
        local = zone_of(db, system) if times else None
        if times and local:
            first, last = date_at(min(times), local), date_at(max(times), local)
            if first < date_at(now, local):
                daily_totals.reopen(db, system, key, first.isoformat(), last.isoformat())
