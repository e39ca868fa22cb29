"""What one round of the pipeline did."""

import sqlite3
from dataclasses import dataclass

from ingest.plan.breaker import Breaker
from ingest.store import meta


@dataclass
class Tick:
    """What a tick did: calls started, outcomes recorded, and when the next one is useful (epoch seconds). `may_go_on`
    says that a call was started and another may be, beside it: that is for a tick of its own, so that none is long.
    """

    started: int = 0
    recorded: int = 0
    next_at: int = 0
    waits_for_minute: bool = False
    may_go_on: bool = False


def save_breaker(db: sqlite3.Connection, old: Breaker, new: Breaker) -> Breaker:
    """The new one, of which a restart and `status` know; inside the caller's transaction."""
    if new.to_keep != old.to_keep:
        meta.write_all(db, new.to_keep)
    return new
