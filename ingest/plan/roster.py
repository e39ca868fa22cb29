"""The systems to poll, and the streams of each: kept up one system at a time, for there may be thousands of them."""

import copy
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from ingest.core.days import zone
from ingest.core.units import DAY
from ingest.core.when import When
from ingest.enphase import catalogue
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Scope
from ingest.plan import parts
from ingest.plan.pacing import Group
from ingest.plan.polling import Polling, SystemEntry
from ingest.plan.state import SystemRow
from ingest.plan.stream_choice import ASSUMED_KINDS, AUTO, Chosen, Kinds, SystemsByKind, always_asked, choose
from ingest.plan.work import Wanted

DEFAULT_SINCE = When(age=7 * DAY)


class Roster:
    """The systems to poll: `wanted` says what of each, `chosen` what those get whose owner leaves it to the program."""

    def __init__(self, settings: Polling, systems: Mapping[str, SystemRow]) -> None:
        self._settings, self._systems = settings, systems
        self._entries = None if settings.systems is None else {str(entry.id): entry for entry in settings.systems}
        self._routes = parts.with_parts(settings.version)
        self._asked: dict[str, Wanted] = {}
        self._counted: dict[str, list[tuple[Counter[Any], Hashable]]] = {}
        self._kinds: Counter[Kinds] = Counter()
        self._calls: Counter[tuple[int, ...]] = Counter()
        self._others: Counter[Group] = Counter()
        self._given: dict[Kinds | None, tuple[tuple[str, ...], Mapping[str, int]]] = {}
        self.chosen = Chosen()
        self.wanted: dict[str, Wanted] = {}
        self._with_events: Counter[str] = Counter()
        self.follow(systems if self._entries is None else self._entries)

    def copy(self, systems: Mapping[str, SystemRow]) -> "Roster":
        """The same, to be looked at and not to follow anything; `systems` are as they are now."""
        other = copy.copy(self)
        other._systems, other.wanted = systems, dict(self.wanted)
        other._with_events = Counter(self._with_events)
        return other

    def follow(self, changed: Iterable[str]) -> None:
        """Go on after some systems appeared, or changed account, zone or devices. The others are looked at again only
        where another choice of streams follows from it.
        """
        again = list(changed)
        for system in again:
            self._count(system)
        before, self.chosen = self.chosen, self._choose()
        self._given.clear()
        if not self.chosen.is_alike(before):
            again = [*self.wanted.keys() - self._asked.keys(), *self._asked]
        for system in again:
            asked, old = self._asked.get(system), self.wanted.get(system)
            self._read_events(old, -1)
            if asked is not None:
                self.wanted[system] = self._with_streams(asked)
                self._read_events(self.wanted[system], 1)
            elif old:
                del self.wanted[system]

    def has_events(self, account: str) -> bool:
        """Whether the events of any system of an account are read."""
        return self._with_events[account] > 0

    def _read_events(self, wanted: Wanted | None, many: int) -> None:
        if wanted and any("event" in BY_NAME[name].fields for name in wanted.streams):
            self._with_events[wanted.account] += many

    def kinds(self, system: str) -> Kinds | None:
        """The kinds of device of a system that measure; None while these are not known."""
        row = self._systems.get(system)
        return row.profile.meters if row else None

    def _count(self, system: str) -> None:
        """Take in what is asked of a system, in place of what was before."""
        for counter, key in self._counted.pop(system, ()):
            counter[key] -= 1
        self._asked.pop(system, None)
        row = self._systems.get(system)
        asked = self._of_configuration(system, row)
        if asked is None:
            return
        self._asked[system] = asked
        self._counted[system] = counted = [*self._places(asked, row)]
        for counter, key in counted:
            counter[key] += 1

    def _places(self, asked: Wanted, row: SystemRow | None) -> Iterator[tuple[Counter[Any], Hashable]]:
        if asked.streams != AUTO:
            yield from ((self._others, Group(self._settings.every(name))) for name in asked.streams)
            return
        kinds = row.profile.meters if row else None
        yield self._kinds, ASSUMED_KINDS if kinds is None else kinds
        if row:
            yield self._calls, tuple([parts.calls(route, row) for route in self._routes.values()])

    def _of_configuration(self, system: str, row: SystemRow | None) -> Wanted | None:
        """What the owner wants of a system: one that is configured, or any that the accounts can see."""
        if self._entries is not None:
            entry = self._entries.get(system)
            return None if entry is None else _wanted(entry, row.timezone if row else "")
        if row is None or row.account not in self._settings.accounts:
            return None
        return Wanted(system, row.account, self._settings.default_streams, DEFAULT_SINCE, None, row.timezone)

    def _choose(self) -> Chosen:
        """What systems get whose owner leaves it to the program."""
        counts = +self._kinds
        if not counts:
            return Chosen()
        others = always_asked(Scope.EVERY_SYSTEM, len(self._asked)) + self._others
        others += always_asked(Scope.ACCOUNT, len(self._settings.accounts))
        every = {name: self._settings.every(name) for name in catalogue.CADENCES}
        known = self._calls.total()
        looks = {
            name: sum(calls[place] * many for calls, many in self._calls.items()) / known
            for place, name in enumerate(self._routes)
            if known
        }
        return choose(SystemsByKind(counts, self._settings.rules, every, self._settings.version, others, looks))

    def _with_streams(self, wanted: Wanted) -> Wanted:
        if wanted.streams != AUTO:
            return wanted
        kinds = self.kinds(wanted.system)
        if kinds not in self._given:
            self._given[kinds] = self.chosen.streams(kinds), self.chosen.slow(kinds)
        streams, slow = self._given[kinds]
        return Wanted(wanted.system, wanted.account, streams, wanted.since, wanted.until, wanted.timezone, slow)


def _wanted(entry: SystemEntry, timezone: str) -> Wanted:
    until = None
    if entry.until is not None:
        night = datetime.combine(entry.until + timedelta(days=1), time(), zone(timezone))
        until = int(night.astimezone(UTC).timestamp())
    return Wanted(str(entry.id), entry.account, entry.streams, entry.since, until, timezone)
