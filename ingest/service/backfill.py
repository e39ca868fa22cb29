"""Requests of history, carried out by the runner: a lower floor of some pairs, for a while a larger share of calls."""

from collections.abc import Iterator
from dataclasses import replace

from ingest.core.days import zone
from ingest.core.span import Span, Spans, intersect, subtract, union
from ingest.enphase.streams import BY_NAME
from ingest.plan.inventory import Inventory
from ingest.plan.state import Pair
from ingest.store import backfills, deferred, meta, progress, snapshot
from ingest.store.backfills import StoredRequest
from ingest.store.database import Store

Key = tuple[str, str]


def take_up(store: Store, inventory: Inventory, now: int) -> set[str]:
    """Carry out what is newly asked for and what was cancelled; returns the systems concerned. Makes no call."""
    new = [stored for stored in backfills.active(store.db) if stored.taken_at is None]
    back = backfills.cancelled_requests(store.db)
    if not new and not back:
        return set()
    systems: set[str] = set()
    with store.transaction() as db:
        for stored in new:
            added = {key: _want(store, inventory, key, stored, now) for key in _of(inventory, stored)}
            backfills.mark_taken_up(db, replace(stored, taken_at=now, added=added))
            systems |= {system for system, _ in added}
            if stored.request.share is not None:
                meta.write(db, backfills.SHARE, str(stored.request.share))
        for number, stored in back:
            systems |= _take_back(store, inventory, stored)
            backfills.mark_cancelled(db, number, now)
        if back and meta.read(db, backfills.SHARE):
            shares = [stored.request.share for stored in backfills.active(db) if stored.request.share is not None]
            meta.write(db, backfills.SHARE, str(max(shares)) if shares else "")
    inventory.replace(snapshot.load(store.db))
    return systems


def _span(stored: StoredRequest, now: int) -> Span:
    return Span(stored.request.since, now if stored.request.until is None else stored.request.until)


def _of(inventory: Inventory, stored: StoredRequest) -> Iterator[Key]:
    """The pairs that a request names; only streams of intervals have history."""
    request = stored.request
    for wanted in inventory.wanted():
        for name in wanted.streams:
            if BY_NAME[name].grain and request.system in (None, wanted.system) and request.stream in (None, name):
                yield wanted.system, name


def _want(store: Store, inventory: Inventory, key: Key, stored: StoredRequest, now: int) -> Spans:
    """Make what a request asks for wanted of a pair; returns what of it was not wanted before."""
    wanted, pair, span = inventory.wanted_of(key[0]), inventory.pairs.get(key) or Pair(*key), _span(stored, now)
    if wanted is None:
        return ()
    floor = inventory.floor(wanted, pair, now)
    added = intersect(union((Span(0, floor),), backfills.unwanted(store.db).get(key, ())), span)
    pair = replace(pair, floor=backfills.want(store.db, *key, span, floor), history_from=0, history_fails=0)
    progress.save_pair(store.db, pair)
    inventory.pairs[key] = pair
    later = inventory.state.deferred.get(key, ())
    soon = tuple(replace(entry, until=min(entry.until, now)) if entry.fails else entry for entry in later)
    deferred.save(store.db, *key, later, soon)
    inventory.state.deferred |= {key: soon} if soon else {}
    return added


def _take_back(store: Store, inventory: Inventory, stored: StoredRequest) -> set[str]:
    """Make unwanted what a request alone asked for; what others ask for too is theirs from now on."""
    if stored.taken_at is None:
        return set()
    added = _added(inventory, stored)
    for other in backfills.active(store.db):
        if other.taken_at is None:
            continue
        keys = added.keys() & set(_of(inventory, other))
        shared = {key: intersect(added[key], _span(other, other.taken_at)) for key in keys}
        if any(shared.values()):
            theirs = other.added or {}
            merged = {key: union(theirs.get(key, ()), shared.get(key, ())) for key in {*theirs, *shared}}
            backfills.mark_taken_up(store.db, replace(other, added=merged))
            added |= {key: subtract(added[key], spans) for key, spans in shared.items()}
    for key, spans in added.items():
        backfills.unwant(store.db, *key, spans)
    return {system for system, _ in added}


def _added(inventory: Inventory, stored: StoredRequest) -> dict[Key, Spans]:
    """What a request added; where that was not noted, all of it that the configuration does not ask for."""
    if stored.added is not None:
        return dict(stored.added)
    span, found = _span(stored, stored.made_at), {}
    for key in _of(inventory, stored):
        if wanted := inventory.wanted_of(key[0]):
            since = wanted.since.at(stored.made_at, zone(wanted.timezone).key)
            found[key] = intersect((span,), Span(0, since))
    return found


def end_larger_share(store: Store) -> None:
    """All the history wanted has been read: a larger share that was asked for it ends."""
    if meta.read(store.db, backfills.SHARE):
        with store.transaction() as db:
            meta.write(db, backfills.SHARE, "")
