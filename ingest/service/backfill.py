"""Wishes of history, taken up by the runner: a lower floor of some pairs, and for a while a larger share of calls."""

from ingest.core.span import Span
from ingest.enphase.streams import BY_NAME
from ingest.plan.inventory import Inventory
from ingest.plan.state import Pair
from ingest.store import backfills, meta, progress, snapshot
from ingest.store.backfills import BackfillRequest
from ingest.store.database import Store


def take_up(store: Store, inventory: Inventory, now: int) -> set[str]:
    """Make the waiting wishes part of what is wanted; returns the systems they concern. Asks for nothing itself."""
    waiting = backfills.waiting(store.db)
    if not waiting:
        return set()
    systems: set[str] = set()
    with store.transaction() as db:
        for number, wish in waiting:
            for pair in _pairs(inventory, wish):
                wanted = inventory.wanted_of(pair.system)
                if wanted is None:
                    continue
                span = Span(wish.since, now if wish.until is None else wish.until)
                pair.floor = backfills.want(db, pair.system, pair.stream, span, inventory.floor(wanted, pair, now))
                pair.history_from = pair.history_fails = 0
                progress.save_pair(db, pair)
                systems.add(pair.system)
            if wish.share is not None:
                meta.write(db, backfills.SHARE, str(wish.share))
            backfills.taken_up(db, number, now)
    inventory.replace(snapshot.load(store.db))
    return systems


def _pairs(inventory: Inventory, wish: BackfillRequest) -> list[Pair]:
    """The pairs that a wish names; only streams of intervals have history."""
    return [
        inventory.pairs.get((wanted.system, name)) or Pair(wanted.system, name)
        for wanted in inventory.wanted()
        for name in wanted.streams
        if BY_NAME[name].grain and wish.system in (None, wanted.system) and wish.stream in (None, name)
    ]


def is_there(store: Store) -> None:
    """All the history wanted has been read: a wish for a larger share is over."""
    if meta.read(store.db, backfills.SHARE):
        with store.transaction() as db:
            meta.write(db, backfills.SHARE, "")
