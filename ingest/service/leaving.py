"""Where the archive keeps intervals for a time only: older ones leave, a little at a time, beside the ticks.

What may leave is proposed, the daily look at each sink proves that it holds it, and then it leaves; what holds all the
while is said in `store/departures`.
"""

import logging
import sqlite3
from collections import Counter, deque
from collections.abc import Mapping, Sequence

from ingest.config import Settings
from ingest.core.days import zone
from ingest.core.errors import StateError
from ingest.core.units import HOUR
from ingest.plan import keeping
from ingest.plan.homes import row_of
from ingest.plan.inventory import Inventory
from ingest.plan.keeping import Cut
from ingest.service.pipeline import Pipeline
from ingest.service.valuing import derivation
from ingest.store import backfills, departures, meta, removal
from ingest.store.database import plain_words

log = logging.getLogger(__name__)

NO_ZONE = "their time zone is not known, or there are several in a home"
NOT_POLLED = "they are not polled"
NOT_READ = "their history is not read yet, or was refused"
REQUESTED = "history was asked for that is not taken up yet"
OTHER_TIME = "this machine's clock is not that of the cloud"
TO_COMPUTE = "sums of homes, or money, are still to be computed of what is here"
NOT_PROVED = "not every database was seen to hold it, at two daily looks in a row between which nothing of it was sent"
"""Why nothing leaves of some systems."""
AT_ONCE = 10
"""How many systems are looked at in one go, each of which takes a millisecond or two."""


class Leaving:
    """What is to be looked at. Part of the owner of the state."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._due: deque[tuple[str, ...]] = deque()
        self._looked_at = 0
        if pipeline.settings.archive.keep is None and departures.known(pipeline.store.db):
            with pipeline.store.transaction() as db:
                departures.propose_none(db)

    def next(self) -> bool:
        """Do a little of what is to do; whether more of it waits. Each hour every system is looked at."""
        pipeline = self._pipeline
        now = pipeline.clock.now()
        if pipeline.settings.archive.keep is None or not pipeline.settings.sinks:
            return False
        if pipeline.derivation.waits:
            return False  # what is to leave is what it is computed of
        if not self._due and not 0 <= now - self._looked_at < HOUR:
            self._looked_at = now
            self._due.extend(groups(pipeline.settings, pipeline.inventory))
        for _ in range(min(AT_ONCE, len(self._due))):
            if self._due and self._leaves(self._due[0], now):
                return True
            if self._due:
                self._due.popleft()
        return bool(self._due)

    def _leaves(self, group: Sequence[str], now: int) -> bool:
        """The same of some systems; what fails of them keeps nobody else."""
        pipeline = self._pipeline
        try:
            with plain_words(pipeline.store.path):
                return self._leave(group, now)
        except StateError as error:
            pipeline.transitions.bad("state", str(error))
            self._due.clear()
        except Exception:  # a fault of ours must not keep the runner from its ticks
            log.exception("event=leaving_failed systems=%s", ",".join(group))
        return False

    def _leave(self, group: Sequence[str], now: int) -> bool:
        """Propose what may leave of some systems, and let some of it go where it is proved; whether anything went."""
        store = self._pipeline.store
        cut = self._cut(store.db, group, now)
        cuts = {name: cut if cut and self._has(store.db, name, cut) else None for name in group}
        if cut is None and not any(row.next_day for row in departures.known(store.db, group).values()):
            return False
        with store.transaction() as db:
            departures.propose(db, cuts)
            return cut is not None and self._remove(db, group, cut, now)

    @staticmethod
    def _has(db: sqlite3.Connection, system: str, cut: Cut) -> bool:
        """Whether anything of a system is to leave with a cut."""
        row = departures.known(db, [system]).get(system)
        first = removal.oldest(db, system, row.until if row else 0)
        return first is not None and first < cut.until

    def _remove(self, db: sqlite3.Connection, group: Sequence[str], cut: Cut, now: int) -> bool:
        held = departures.known(db, group).values()
        rows = [row for row in held if row.next_until > row.until]
        seq = _proved(db, self._pipeline.settings, group, cut, now)
        if seq is None:
            return False
        if not any(row.day >= cut.day for row in held) and not all(
            removal.is_unchanged(db, row.system, row.until, cut.until, seq) for row in rows
        ):
            return False  # its days follow what changes until all of the month is proved
        gone = any(removal.remove(db, row.system, cut.until, seq) for row in rows)
        if gone:
            departures.fix(db, group, cut)
        return gone

    def _cut(self, db: sqlite3.Connection, group: Sequence[str], now: int) -> Cut | None:
        """The next cut of some systems; None while none is due, or it must wait, or it is not sure what time it is."""
        cut, why = next_cut(db, self._pipeline.settings, self._pipeline.inventory, group, now)
        return cut if cut and not why and self._is_sure(db) else None

    def _is_sure(self, db: sqlite3.Connection) -> bool:
        """Whether the cloud agrees with this machine's clock, and no history was asked for that is not taken up."""
        clock = self._pipeline.clock
        agrees = clock.is_confirmed and not clock.wrong_by and meta.read(db, "clock_wrong_by") in (None, "0")
        return agrees and not backfills.waiting_requests(db)


def groups(settings: Settings, inventory: Inventory) -> list[tuple[str, ...]]:
    """What leaves together: the systems of a home, which has their sums, and every other system by itself."""
    homes = settings.home_members
    members = {member for group in homes.values() for member in group}
    alone = [(name,) for name in inventory.systems if name not in members]
    return [*((*group, home) for home, group in homes.items()), *alone]


def next_cut(
    db: sqlite3.Connection, settings: Settings, inventory: Inventory, group: Sequence[str], now: int
) -> tuple[Cut | None, str]:
    """The next cut of some systems, as far as it is known and due, and why it must wait; empty where it need not."""
    members = [name for name in group if name not in settings.home_members]
    name = row_of("", members, inventory.systems).timezone
    if not name or zone(name).key != name:
        return None, NO_ZONE
    held, logs = departures.known(db, group), [inventory.state.logs.get(member) for member in members]
    begins = [removal.oldest(db, place, held[place].until if place in held else 0) for place in group]
    found, known = [at for at in begins if at is not None], [log[-1].reported_at for log in logs if log]
    if settings.archive.keep is None or not found or len(known) < len(members):
        return None, ""
    cut = keeping.next_cut(min(found), min(now, *known), settings.archive.keep, zone(name))
    works = {member: inventory.works_of(member, now) for member in members} if cut else {}
    if cut is None or not all(works.values()):
        return cut, NOT_POLLED if cut else ""
    is_read = all(keeping.is_read(pairs, cut.until, now, settings.look_again) for pairs in works.values())
    return cut, "" if is_read else NOT_READ


def waiting(db: sqlite3.Connection, settings: Settings, inventory: Inventory, now: int) -> Mapping[str, int]:
    """Of how many systems nothing leaves now although it is due, by the reason."""
    found: Counter[str] = Counter()
    general = _held_up(db, settings, inventory)
    for group in groups(settings, inventory):
        cut, why = next_cut(db, settings, inventory, group, now)
        if cut and not why:
            why = general or ("" if _proved(db, settings, group, cut, now) else NOT_PROVED)
        if why:
            found[why] += sum(name not in settings.home_members for name in group)
    return found


def _held_up(db: sqlite3.Connection, settings: Settings, inventory: Inventory) -> str:
    """Why nothing leaves of any system, as far as it is known without the runner; empty where it is none of this."""
    if derivation(settings, db, inventory.systems).is_behind(db, inventory.systems):
        return TO_COMPUTE
    if backfills.waiting_requests(db):
        return REQUESTED
    return "" if meta.read(db, "clock_wrong_by") in (None, "0") else OTHER_TIME


def _proved(db: sqlite3.Connection, settings: Settings, group: Sequence[str], cut: Cut, now: int) -> int | None:
    """Up to which change all of a group is proved, as `removal.proved`, of those that have something to leave."""
    rows = [row for row in departures.known(db, group).values() if row.next_until > row.until]
    return removal.proved(db, settings.sinks, rows, cut.until, now) if rows else None
