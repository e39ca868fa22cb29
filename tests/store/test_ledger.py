"""The ledger of calls: what a tick asks of it costs the same however many calls there were."""

import contextlib

from ingest.store import ledger
from ingest.store.database import in_memory

NOW, CALL = 1_784_000_000, ("1", "stats", "live")


def steps_of_usage(calls: int) -> int:
    """The steps that SQLite takes to tell the usage after so many calls of the last quarter of an hour, and two that
    are under way.
    """
    with contextlib.closing(in_memory()) as db:
        for number in range(calls):
            ledger.end(db, ledger.reserve(db, "app", NOW - 900 + number % 800, CALL), NOW - 100, "ok")
        flying = [ledger.reserve(db, "app", NOW - back, CALL) for back in (2, 1)]
        steps: list[int] = []
        db.set_progress_handler(lambda: steps.append(1), 1)
        used = ledger.usage(db, "app", NOW)
        assert (used.month, len(used.recent)) == (calls + len(flying), len(flying))
        return len(steps)


def test_calls_that_have_ended_are_not_looked_at_again() -> None:
    assert steps_of_usage(3000) <= steps_of_usage(30) + 20
