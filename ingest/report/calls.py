"""Calls: used so far, forecast for the month, and needed for history."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from ingest.config import Settings
from ingest.core.units import DAY, HOUR
from ingest.plan import quota
from ingest.plan.demand import Demand, demands, heard
from ingest.plan.timetable import Timetable, timetable
from ingest.plan.windows import history_count, narrowed
from ingest.plan.work import Work
from ingest.report.gaps import Standings, rounded
from ingest.report.model import BackfillReport, QuotaReport
from ingest.store import backfills, ledger, meta


def spending(
    settings: Settings, stands: Standings, table: Timetable, db: sqlite3.Connection, now: int
) -> tuple[QuotaReport, BackfillReport]:
    """The calls of this month, and those that history still needs; `stands` are all pairs of intervals, `table` is
    their outlook.
    """
    plan, name = settings.plan, settings.ledger_name
    usage = ledger.usage(db, name, now)
    left = quota.left_of_month(plan, usage, settings.api.reserve)
    _, ends_at = quota.month_bounds(now)
    rate = _rate(db, name, now)
    live = rate * (ends_at - now) / DAY if rate else min(left, table.ahead)
    ahead = live + min(table.backfill.calls, table.backfill.this_month, max(0, left - live))
    paused_until = int(meta.read(db, "paused_until") or 0)
    calls = QuotaReport(
        used_month=usage.month,
        per_month=plan.per_month,
        reserve=table.reserve,
        left=left,
        used_minute=len(usage.recent),
        per_minute=plan.per_minute,
        history_month=usage.history,
        month_ends_at=ends_at,
        forecast_month=usage.month + round(ahead),
        runs_out_at=_runs_out(left, rate, now, ends_at),
        paused_until=paused_until if paused_until > now else None,
        weather=meta.read(db, "weather") or "",
    )
    return calls, _backfill(stands, table, now)


def outlook(
    settings: Settings,
    works: Sequence[Work],
    db: sqlite3.Connection,
    now: int,
    wanted: Sequence[Demand] | None = None,
) -> Timetable:
    """What the plan admits from now on, as the calls spent so far leave it; `wanted` are their demands, if known."""
    wanted = demands(works, now, settings.ages) if wanted is None else wanted
    rules, usage = backfills.rules(db, settings.rules), ledger.usage(db, settings.ledger_name, now)
    found = timetable(rules, wanted, usage, now)
    waits = [entry.until for work in works if work.deferred for entry in narrowed(work, now, settings.ages)]
    waits += [
        at
        for work in works
        if work.route.reach and (at := _rests_until(work)) > now and history_count(heard(work, now), now, settings.ages)
    ]
    if found.backfill.done_at is None or not waits:
        return found
    # nothing is done before what was refused or is being narrowed down has been asked for again
    return replace(found, backfill=replace(found.backfill, done_at=max(found.backfill.done_at, *waits)))


def _rests_until(work: Work) -> int:
    """Before when no history of a pair is asked, after calls in vain (epoch s)."""
    return 0 if work.is_empty else max(work.pair.rest_until, work.pair.history_from)


def _rate(db: sqlite3.Connection, name: str, now: int) -> float:
    """Calls a day without history, as of the last day; 0 where the ledger is younger."""
    begun = ledger.first_at(db, name)
    known = begun is not None and now - begun >= DAY - HOUR
    return float(ledger.count_since(db, name, now - DAY, without="history")) if known else 0.0


def _runs_out(left: int, rate: float, now: int, ends_at: int) -> int | None:
    if left <= 0:
        return now
    at = now + int(left / rate * DAY) if rate > 0 else ends_at
    return at if at < ends_at else None


def _backfill(stands: Standings, table: Timetable, now: int) -> BackfillReport:
    """The history that is still owed, and when it will have been read."""
    known = [standing for entries in stands.values() for _, standing in entries]
    length, read = sum(standing.owed_s for standing in known), sum(standing.read_s for standing in known)
    calls = table.backfill.calls
    waits = bool(calls) and table.backfill.this_month <= 0
    return BackfillReport(
        owed_s=length - read,
        ratio=rounded(read, length, 4) if length else float(not calls),
        calls=calls,
        done_at=table.backfill.done_at if calls else None,
        since=min((standing.wanted.start for standing in known), default=None),
        goes_on_at=quota.month_bounds(now)[1] if waits else None,
    )
