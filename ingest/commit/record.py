"""The way of an outcome into the state: load once, decide, save once, all in the caller's transaction."""

import sqlite3

from ingest.commit.changes import Changes
from ingest.commit.context import CommitContext
from ingest.commit.decide import decide
from ingest.commit.load import life_of, load
from ingest.commit.plausible import drop_far_intervals
from ingest.commit.prepare import stamp_and_name
from ingest.commit.save import save
from ingest.commit.unfinished import skip_failed_device
from ingest.fetch.worker import Outcome
from ingest.plan.state import Pair, Snapshot
from ingest.store import ledger, meta

EVENT_TYPE = "event_type."
"""Before the number of a kind of events, under which its name is kept."""


def record(db: sqlite3.Connection, known: Snapshot, outcome: Outcome, context: CommitContext) -> Changes:
    """Write what an outcome changes. `known` is left as it is: `Changes.apply` brings it up to date afterwards."""
    if outcome.sent:
        ledger.end(db, outcome.call, context.now, outcome.verdict.kind.value)
    else:
        ledger.release(db, outcome.call)
    names = meta.read_all(db, EVENT_TYPE) if "event" in outcome.task.stream.fields else {}
    pair = known.pairs.get(outcome.task.pair) or Pair(*outcome.task.pair)
    outcome = drop_far_intervals(stamp_and_name(outcome, context.now, names), context.version)
    outcome = skip_failed_device(outcome, pair, life_of(db, outcome))
    changes = decide(load(db, known, outcome, context), outcome, context)
    for number, name in outcome.names.items():
        meta.write(db, f"{EVENT_TYPE}{number}", name)
    save(db, changes)
    return changes
