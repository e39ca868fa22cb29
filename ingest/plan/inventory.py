"""Who is to be polled: the settings and the state of every pair, as the planner's work."""

import copy
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from ingest.core.backoff import LONGEST_PAUSE, backoff
from ingest.core.days import zone
from ingest.core.span import Span, Spans, intersect, union
from ingest.core.units import DAY, MINUTE, WEEK
from ingest.enphase import catalogue
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Scope, Stream
from ingest.enphase.streams.installed import STREAM as DEVICES
from ingest.enphase.streams.site import SYSTEMS
from ingest.plan import parts
from ingest.plan.coverage import NO_LOG, Log
from ingest.plan.pacing import Daylight
from ingest.plan.polling import Polling
from ingest.plan.profile import NEW_PROFILE, Profile
from ingest.plan.roster import Roster
from ingest.plan.state import EMPTY, NO_METER, Pair, Snapshot, SystemRow
from ingest.plan.stream_choice import Chosen, Kinds
from ingest.plan.way import Way, way
from ingest.plan.work import NOT_READ, Wanted, Work

FIRST_PROBE = 15 * MINUTE


def listing(account: str) -> str:
    """The name under which the systems list of an account is kept as a pair; no system can be called so."""
    return f"@{account}"


class Inventory:
    """The pairs of an installation. `state` is updated by commits; `follow` says which systems have changed by it.

    `patience` is how long a pair of each stream may go unasked before it is late (s), where the pace is known. Whoever
    changes it or its state holds `guard`; other threads look at what is `frozen`.
    """

    def __init__(self, settings: Polling, state: Snapshot) -> None:
        self.settings = settings
        self.version = settings.version
        self.generation = 0
        self.guard = threading.Lock()
        self._ways: dict[tuple[str, int | None], Way] = {}
        self._alike: dict[tuple[tuple[str, ...], bool], tuple[Stream, ...]] = {}
        self.patience: Mapping[str, int] = {}
        self.replace(state)

    def replace(self, state: Snapshot) -> None:
        """Go on from another state; `generation` counts how often."""
        with self.guard:
            self.state = state
            self.generation += 1
            self._roster = Roster(self.settings, state.systems)

    def frozen(self) -> "Inventory":
        """As it is now, for another thread, while its owner goes on."""
        other = copy.copy(self)
        with self.guard:
            other.state = self.state.copy()
            other._roster = self._roster.copy(other.state.systems)
        other._alike, other._ways = {}, {}
        return other

    def follow(self, changed: Collection[str]) -> None:
        """Go on after some systems appeared, or changed account, zone or devices."""
        if changed:
            self._roster.follow(changed)

    @property
    def chosen(self) -> Chosen:
        """What systems get whose owner leaves it to the program."""
        return self._roster.chosen

    @property
    def pairs(self) -> dict[tuple[str, str], Pair]:
        """What is remembered of each pair."""
        return self.state.pairs

    @property
    def systems(self) -> dict[str, SystemRow]:
        """What is remembered of each system."""
        return self.state.systems

    def assume(self, row: SystemRow) -> None:
        """Take a system as listed that nobody has listed yet, to say what its polling would be like."""
        self.systems[row.system] = row
        self.follow([row.system])

    def wanted_of(self, system: str) -> Wanted | None:
        """What is wanted of one system; None when it is not to be polled."""
        return self._roster.wanted.get(system)

    def wanted(self) -> Iterator[Wanted]:
        """The systems to poll."""
        yield from self._roster.wanted.values()

    def kinds(self, system: str) -> Kinds | None:
        """The kinds of device of a system that measure; None while these are not known."""
        return self._roster.kinds(system)

    def works(self, now: int) -> list[Work]:
        """Everything that may be asked for, one entry a pair."""
        works = [work for account in self.settings.accounts for work in self._of_account(account)]
        for wanted in self._roster.wanted.values():
            works += self._works(wanted, self._streams(wanted), now)
        return works

    def works_of(self, system: str, now: int) -> list[Work]:
        """The same of one system, or of the list of an account (`listing`)."""
        if system.startswith("@"):
            return self._of_account(system[1:])
        wanted = self._roster.wanted.get(system)
        return self._works(wanted, self._streams(wanted), now) if wanted else []

    def work(self, system: str, stream: str, now: int) -> Work | None:
        """One pair; None when it is not asked any more."""
        if system.startswith("@"):
            return next((one for one in self._of_account(system[1:]) if one.stream.name == stream), None)
        wanted = self._roster.wanted.get(system)
        found = next((one for one in self._streams(wanted) if one.name == stream), None) if wanted else None
        return self._works(wanted, [found], now)[0] if wanted and found else None

    def streams_of(self, system: str) -> Sequence[Stream]:
        """What is asked of a system."""
        wanted = self._roster.wanted.get(system)
        return self._streams(wanted) if wanted else ()

    def _streams(self, wanted: Wanted) -> Sequence[Stream]:
        """What is asked of a system. Daily totals are of local days, so the zone must be known first."""
        alike = wanted.streams, bool(wanted.timezone)
        if alike not in self._alike:
            names = [name for name in wanted.streams if BY_NAME[name].is_served(self.version)]
            totals = catalogue.totals_of(names) if wanted.timezone else ()
            served = (stream for stream in totals if stream.is_served(self.version))
            each = catalogue.of_scope(Scope.EVERY_SYSTEM)
            self._alike[alike] = (*served, *(BY_NAME[name] for name in names), *each)
        return self._alike[alike]

    @staticmethod
    def floor(wanted: Wanted, pair: Pair, now: int) -> int:
        """The oldest instant wanted of a pair: as configured, or lower where history was asked for."""
        return _floor(_since(wanted, now), pair)

    def _of_account(self, account: str) -> list[Work]:
        """What is asked of an account: the list of its systems, and the names of events where any are read."""
        wanted = Wanted(listing(account), account)
        named = catalogue.of_scope(Scope.NAMES) if self._roster.has_events(account) else ()
        streams = [SYSTEMS, *named]
        return [
            Work(wanted, stream, stream.route(self.version), stream.every, self._pair((wanted.system, stream.name)))
            for stream in streams
            if stream.is_served(self.version)
        ]

    def _works(self, wanted: Wanted, streams: Iterable[Stream], now: int) -> list[Work]:
        """Some streams of a system. What is the same for all of them is found once: there may be thousands."""
        row = self.systems.get(wanted.system)
        profile = row.profile if row else NEW_PROFILE
        site = _Site(
            wanted,
            row,
            _since(wanted, now),
            self.state.logs.get(wanted.system, NO_LOG),
            profile,
            self._probe_at(row, now) if row else None,
            profile.daylight(now, utc_offset(wanted.timezone, now)) if profile.days else None,
        )
        return [self._work(site, stream) for stream in streams]

    def _work(self, site: "_Site", stream: Stream) -> Work:
        wanted, row = site.wanted, site.row
        key, how = (wanted.system, stream.name), self._way(stream)
        pair, route = self._pair(key), how.route
        if how.has_parts:
            pair = parts.lacking(pair, route, row)
        if stream.tells_of:
            pair = parts.untold(pair, stream, wanted.streams, row)
        every = max(how.every, wanted.slow.get(stream.name, 0)) if wanted.slow else how.every
        is_timed = stream.grain > 0
        return Work(
            wanted,
            stream,
            route,
            max(every, WEEK) if self._has_no_meter(pair, stream) else every,
            pair,
            floor=_begin(site, pair),
            read=self._read(key, site.since),
            log=site.log,
            profile=site.profile if is_timed else NEW_PROFILE,
            daylight=site.daylight if how.is_sunlit else None,
            probe_at=site.probe_at if is_timed else None,
            trial_reach=how.trial_reach,
            is_empty=self._is_empty(pair),
            deferred=self.state.deferred.get(key, ()),
            calls=parts.calls(route, row) if how.has_parts else 1,
            devices=parts.devices(route, row) if how.has_parts else (),
        )

    def _way(self, stream: Stream) -> Way:
        """How a stream is asked at present."""
        key = stream.name, self.state.reaches.get(stream.name)
        if (known := self._ways.get(key)) is None:
            known = self._ways[key] = way(stream, self.settings, key[1])
        return known

    def _read(self, key: tuple[str, str], since: int) -> Mapping[int, Spans]:
        """What was read of a pair; what nobody wants is as good as read. What is configured is wanted always."""
        read, unwanted = self.state.coverage.get(key, NOT_READ), self.state.unwanted.get(key)
        if not unwanted:
            return read
        oldest = self.settings.look_again
        return {**read, oldest: union(read.get(oldest, ()), intersect(unwanted, Span(0, since)))}

    def _probe_at(self, row: SystemRow, now: int) -> int | None:
        """When a silent gateway is asked again, by one probe, at growing intervals; None while it is not silent."""
        log = self.state.logs.get(row.system)
        if not row.probes or not log or now - log.reported[-1] <= row.profile.rhythm.silent_after:
            return None
        return (row.probed_at or 0) + backoff(FIRST_PROBE, LONGEST_PAUSE, row.probes + 1)

    def _has_no_meter(self, pair: Pair, stream: Stream) -> bool:
        """Whether the meter of a stream, or of all that its daily totals are about, is known not to exist."""
        about = stream.audited
        if not about:
            return pair.state == NO_METER
        known = False
        for name in about:
            if other := self.state.pairs.get((pair.system, name)):
                known = True
                if other.state != NO_METER:
                    return False
        return known

    def _is_empty(self, pair: Pair) -> bool:
        """Whether history would be asked in vain: the meter does not exist, or that is about to be known."""
        if pair.state not in EMPTY:
            return False
        devices = self.pairs.get((pair.system, DEVICES.name))
        return pair.state == NO_METER or not (devices and devices.fails)

    def _pair(self, key: tuple[str, str]) -> Pair:
        """What is remembered of a pair."""
        return self.state.pairs.get(key) or Pair(*key)


class _Site(NamedTuple):
    """What is the same for all streams of a system; `since` is when begins what is configured (epoch s)."""

    wanted: Wanted
    row: SystemRow | None
    since: int
    log: Log
    profile: Profile
    probe_at: int | None
    daylight: Daylight | None


def _since(wanted: Wanted, now: int) -> int:
    """When begins what is configured of a system (epoch s)."""
    return wanted.since.at(now, zone(wanted.timezone).key)


def _floor(since: int, pair: Pair) -> int:
    return since if pair.floor is None else min(pair.floor, since)


def _begin(site: _Site, pair: Pair) -> int:
    """The floor, raised to where the cloud says that the system begins; a day of grace for its own word."""
    began = site.row.operational_at if site.row else None
    return max(_floor(site.since, pair), pair.first_at or 0, began - DAY if began else 0)


def utc_offset(timezone: str, now: int) -> int:
    """Seconds by which the clocks of a zone are ahead of UTC."""
    offset = datetime.fromtimestamp(now, zone(timezone)).utcoffset()
    return int(offset.total_seconds()) if offset else 0
