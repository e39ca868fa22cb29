"""What the planner works on: a pair of system and stream as it stands, and the calls that come of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import NamedTuple

from ingest.core.units import DAY, NEVER
from ingest.core.when import When
from ingest.enphase.streams.base import Route, Stream
from ingest.plan.coverage import NO_LOG, Covered, Log
from ingest.plan.pacing import Daylight, Group, awake_seconds
from ingest.plan.profile import NEW_PROFILE, Profile
from ingest.plan.rhythm import Rhythm
from ingest.plan.state import Deferral, Pair


@dataclass(frozen=True, slots=True)
class Wanted:
    """A system to poll: what of it, how far back, and until when (epoch seconds; None: for good). `slow` says which
    streams are asked so seldom (s), although the owner would have them more often.
    """

    system: str
    account: str
    streams: tuple[str, ...] = ()
    since: When = When()  # noqa: RUF009 - a value that cannot be changed
    until: int | None = None
    timezone: str = ""
    slow: Mapping[str, int] = field(default_factory=dict)


NOT_READ: Covered = MappingProxyType({})
"""Of a pair of which nothing was read."""


class Work(NamedTuple):
    """A pair of system and stream, as the planner sees it: what is wanted, and what is known of it. It is a tuple, for
    a report makes tens of thousands.

    `floor` is the oldest time wanted of the pair (epoch s), `log` the advances of its gateway, `profile` what they and
    the readings teach. `daylight` is that of a recent day, of streams which have nothing to say at night; `probe_at`
    when a silent gateway is asked again, None while it reports; `trial_reach` a window longer than `route.reach` that
    may be tried (s; 0: none). The history of a pair that `is_empty` would be asked in vain, `deferred` is asked for
    later. A look takes `calls` calls: of `devices` one each, else of pages.
    """

    wanted: Wanted
    stream: Stream
    route: Route
    every: int
    pair: Pair
    floor: int = 0
    read: Covered = NOT_READ
    log: Log = NO_LOG
    profile: Profile = NEW_PROFILE
    daylight: Daylight | None = None
    probe_at: int | None = None
    trial_reach: int = 0
    is_empty: bool = False
    deferred: Sequence[Deferral] = ()
    calls: int = 1
    devices: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """The (system, stream) of the work."""
        return self.wanted.system, self.stream.name

    @property
    def system(self) -> str:
        """The system, or the list of an account."""
        return self.wanted.system

    @property
    def account(self) -> str:
        """The account through which it is asked."""
        return self.wanted.account

    @property
    def until(self) -> int | None:
        """The end of what is wanted (epoch s); None: for good."""
        return self.wanted.until

    @property
    def asked_at(self) -> int | None:
        """The last answered live call (epoch s)."""
        return self.pair.asked_at

    @property
    def lacks_devices(self) -> bool:
        """Whether it is asked of one device after the other, and none is known."""
        return bool(self.route.asks_each) and not self.devices

    @property
    def is_silent(self) -> bool:
        """Whether its gateway has stopped reporting."""
        return self.probe_at is not None

    @property
    def live_from(self) -> int:
        """Before this nothing new is asked."""
        return max(self.pair.rest_until, self.probe_at or 0)

    @property
    def history_from(self) -> int:
        """Before this no history is asked."""
        return NEVER if self.is_empty else max(self.pair.rest_until, self.pair.history_from)

    @property
    def rhythm(self) -> Rhythm:
        """When the gateway speaks."""
        return self.profile.rhythm

    def is_finished(self, now: int) -> bool:
        """Whether nothing newer is wanted: the house was sold."""
        return self.until is not None and self.until <= now

    @property
    def reported_at(self) -> int | None:
        """The newest report of the gateway, None before the first."""
        return self.log.newest

    @property
    def group(self) -> Group:
        """What its live calls cost, with all pairs alike."""
        if self.every >= DAY:
            return _group(self.every)
        return _group(self.every, self.profile.rhythm.period, awake_seconds(self.daylight) // 60 * 60)

    def group_at(self, now: int) -> Group | None:
        """The same; None when nothing newer is wanted, or nobody can be asked."""
        return None if self.is_finished(now) or self.lacks_devices else self.group


_group = lru_cache(maxsize=4096)(Group)
"""Thousands of pairs cost the same: their group is held once."""


@dataclass(frozen=True)
class Classes:
    """The two age classes in seconds: when data are settled, and when they are looked at again."""

    settle: int
    look_again: int

    @cached_property
    def ages(self) -> tuple[int, ...]:
        """Both, youngest first."""
        return tuple(sorted({self.settle, self.look_again}))
