"""Money computed anew for one system after the other, where its tariffs or its zone changed."""

from collections.abc import Mapping

from ingest.commit.valuation import Valuation
from ingest.core.errors import StateError
from ingest.logs import Change
from ingest.plan.state import SystemRow
from ingest.store.database import Store


def value_next(valuation: Valuation, store: Store, systems: Mapping[str, SystemRow], changes: Change) -> bool:
    """Compute the money of the next system; False when none waits, or the disk would not take it."""
    if not valuation.pending:
        return False
    system = min(valuation.pending)
    try:
        with store.transaction() as db:
            valuation.catch_up(db, systems, system)
    except StateError as error:
        changes.bad("state", str(error))
        return False
    valuation.pending.discard(system)
    return True
