"""Homes summed up and money computed anew, one after the other, where systems, tariffs or zones changed."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from ingest.commit.changes import Changes
from ingest.commit.home_energy import HomeEnergy
from ingest.commit.valuation import Valuation
from ingest.config import Settings
from ingest.core.errors import StateError
from ingest.logs import TransitionLog
from ingest.plan.homes import row_of, with_homes
from ingest.plan.state import SystemRow
from ingest.store.database import Store


@dataclass
class Derivation:
    """What is computed beside the replies: sums of homes, and money of systems and homes."""

    settings: Settings
    homes: HomeEnergy
    valuation: Valuation

    @property
    def waits(self) -> bool:
        """Whether anything may have to be computed anew of all that there is of a home or system."""
        return bool(self.homes.pending or self.valuation.pending)

    def is_behind(self, db: sqlite3.Connection, systems: Mapping[str, SystemRow]) -> bool:
        """Whether anything is to be computed anew; to see that takes longer than `waits`."""
        places = with_homes(systems, self.settings.home_members)
        return self.homes.is_behind(db, places) or self.valuation.is_behind(db, places)

    def follow(self, db: sqlite3.Connection, changes: Changes, now: int) -> None:
        """Compute what follows from what changes, in the caller's transaction."""
        self.valuation.follow(db, changes)
        for home, times in self.homes.follow(db, changes, now).items():
            row = row_of(home, self.settings.home_members[home], changes.systems)
            self.valuation.value(db, home, row.timezone, times)

    def next(self, store: Store, systems: Mapping[str, SystemRow], transitions: TransitionLog, now: int) -> bool:
        """Bring the next home or system up to date; False when none waits, or the disk would not take it."""
        waiting = self.homes.pending or self.valuation.pending
        if not waiting:
            return False
        name, is_home = min(waiting), bool(self.homes.pending)
        places = with_homes(systems, self.settings.home_members)
        try:
            with store.transaction() as db:
                if not is_home:
                    self.valuation.catch_up(db, places, name)
                elif self.homes.catch_up(db, places, name, now) and name in places:
                    self.valuation.value(db, name, places[name].timezone)
        except StateError as error:
            transitions.bad("state", str(error))
            return False
        if is_home:
            self.homes.advance(name)
        else:
            waiting.discard(name)
        return True


def derivation(settings: Settings, db: sqlite3.Connection, systems: Mapping[str, SystemRow]) -> Derivation:
    """What is to be computed of an archive."""
    homes = HomeEnergy(settings.home_members, db)
    return Derivation(settings, homes, Valuation(settings.contract, db, [*systems, *settings.home_members]))
