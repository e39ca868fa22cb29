"""The report: the one description of the state that `status`, the page and the metrics are made from.

Everything is read from the state, so that it is the same beside a runner and without one; no call is spent.
"""

import shutil
import sqlite3
from dataclasses import replace

from ingest.config import Settings
from ingest.core.words import span_words
from ingest.plan.inventory import Inventory
from ingest.plan.quota import month_bounds
from ingest.report.calls import outlook, spending
from ingest.report.gaps import Standings, gaps, patience, standing
from ingest.report.home_report import home_reports
from ingest.report.model import (
    BackfillReport,
    DifferenceReport,
    Gap,
    Problem,
    QuotaReport,
    ReceiverReport,
    Report,
    SinkReport,
    StreamReport,
    SystemReport,
    TokenReport,
)
from ingest.report.problems import problems
from ingest.report.systems import holding, system_report
from ingest.report.tokens import tokens
from ingest.report.turn import turn
from ingest.store import archive, journal, ledger, meta, notifications, outbox, runner, snapshot
from ingest.store.ownership import is_owned, last_touch

__all__ = [
    "BackfillReport",
    "DifferenceReport",
    "Gap",
    "Problem",
    "QuotaReport",
    "ReceiverReport",
    "Report",
    "SinkReport",
    "StreamReport",
    "SystemReport",
    "TokenReport",
    "gaps",
    "report",
    "span_words",
    "turn",
]

EXACT_BACKLOG = 20_000
"""A larger backlog is estimated from change numbers instead of counted."""


def build_report(
    settings: Settings, db: sqlite3.Connection, now: int, system: str | None = None, inventory: Inventory | None = None
) -> Report:
    """The state of an installation, from its `state.db`, of all systems, one or a home; `inventory` if known."""
    inventory = inventory or Inventory(settings, snapshot.load(db))
    everything = inventory.works(now)
    table = outlook(settings, everything, db, now)
    inventory.patience = patience(table)
    stands: Standings = {}
    for work in everything:
        if work.stream.grain:
            entry = work, standing(work, settings.settle, now, inventory.patience)
            stands.setdefault(work.wanted.system, []).append(entry)
    calls, history = spending(settings, stands, table, db, now)
    members = settings.home_members.get(system, ()) if system else ()
    shown = {name: stands[name] for name in sorted(stands) if not system or name == system or name in members}
    del everything, stands  # of thousands of systems each part goes as soon as it was told
    calls_by_pair = ledger.by_pair(db, settings.ledger_name, month_bounds(now)[0])
    held = holding(db, calls_by_pair, {name: entries[0][0].wanted.timezone for name, entries in shown.items()}, now)
    current = Report(
        now=now,
        simulated=settings.is_simulated,
        state_dir=str(settings.state_dir),
        points=archive.size(db),
        disk_free=disk_free(settings),
        clock_wrong_by=int(meta.read(db, "clock_wrong_by") or 0),
        seen_at=last_touch(settings.state_dir),
        runner=runner.kind_of(db),
        runner_due_at=None if is_owned(settings.state_dir) else runner.due_at(db, settings.state_dir),
        fatal=meta.read(db, "fatal") or "",
        systems=[system_report(inventory, shown.pop(name), held, now) for name in [*shown]],
        quota=calls,
        backfill=history,
        tokens=tokens(settings, db, now),
        sinks=[_sink(db, name) for name in settings.sinks],
        receivers=_receivers(settings, db),
    )
    current.homes.extend(home_reports(settings, inventory, db, current.systems, now))
    current.problems.extend(problems(current, settings, inventory))
    return current


def disk_free(settings: Settings) -> int | None:
    """Free bytes where the state is kept; None when that cannot be told."""
    try:
        return shutil.disk_usage(settings.state_dir).free
    except OSError:
        return None


def _sink(db: sqlite3.Connection, name: str) -> SinkReport:
    row = outbox.sink(db, name)
    if row is None:
        again = outbox.to_send_again(db, name)
        return SinkReport(name, backlog(db, 0), 0, 0, "", None, 0, "", again=again)
    parked = outbox.parked_lines(db, name)
    why = parked[0][2] if parked else ""
    seen = outbox.last_verification(db, name)
    sink = SinkReport(name, backlog(db, row.cursor), row.sent, row.too_old, row.error, row.since, len(parked), why)
    differs = seen.differs[0] if seen.stays else ""
    again = outbox.to_send_again(db, name)
    return replace(sink, verified_at=seen.at or None, differs=differs, again=again, forgets=seen.forgets or seen.error)


def _receivers(settings: Settings, db: sqlite3.Connection) -> list[ReceiverReport]:
    held = notifications.receivers(db)
    return [
        ReceiverReport(label, held[name].error, held[name].since) if name in held else ReceiverReport(label, "", None)
        for name, label in settings.receivers().items()
    ]


def backlog(db: sqlite3.Connection, cursor: int) -> int:
    """How many points wait behind a cursor; above `EXACT_BACKLOG` at least those, and never more than there are."""
    changes = journal.next_seq(db) - 1 - cursor
    return journal.backlog(db, cursor) if changes <= EXACT_BACKLOG else min(changes, archive.size(db))
