"""What the planner works on: a pair of system and stream as it stands, and the calls that come of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.core.units import DAY
from ingest.enphase.streams.base import Route, Stream
from ingest.plan.coverage import Advance, Covered
from ingest.plan.pacing import Daylight, Group, awake_seconds
from ingest.plan.rhythm import NO_RHYTHM, Rhythm


@dataclass(frozen=True)
class Work:
    """A pair of system and stream, as the planner sees it.

    `floor` and `until` bound the time wanted, `asked_at` is the last answered live call, `rest_until` the end of a
    pause, `probe_at` when a silent gateway is asked again, `history_from` the end of a pause of history alone, `silent`
    whether its gateway has nothing new, `log` the advances of the gateway and `rhythm` what they teach. `daylight` is
    that of a recent day, of streams which have nothing to say at night, `hope` a window longer than `route.reach` that
    may be tried (s; 0: none).
    """

    account: str
    system: str
    stream: Stream
    route: Route
    every: int
    floor: int = 0
    until: int | None = None
    read: Covered = field(default_factory=dict)
    log: Sequence[Advance] = ()
    asked_at: int | None = None
    rest_until: int = 0
    probe_at: int = 0
    history_from: int = 0
    silent: bool = False
    cursor: str = ""
    rhythm: Rhythm = NO_RHYTHM
    daylight: Daylight | None = None
    hope: int = 0

    @property
    def pair(self) -> tuple[str, str]:
        """The (system, stream) of the work."""
        return self.system, self.stream.name

    @property
    def live_from(self) -> int:
        """Before this nothing new is asked."""
        return max(self.rest_until, self.probe_at)

    def is_finished(self, now: int) -> bool:
        """Whether nothing newer is wanted: the house was sold."""
        return self.until is not None and self.until <= now

    @property
    def reported_at(self) -> int | None:
        """The newest report of the gateway, None before the first."""
        return self.log[-1].reported_at if self.log else None

    @property
    def group(self) -> Group:
        """What its live calls cost, with all pairs alike."""
        if self.every >= DAY:
            return Group(self.every)
        return Group(self.every, self.rhythm.period, awake_seconds(self.daylight) // 60 * 60)


@dataclass(frozen=True)
class Classes:
    """The two age classes in seconds: when data are settled, and when they are looked at again."""

    settle: int
    look_again: int

    @property
    def ages(self) -> tuple[int, ...]:
        """Both, youngest first."""
        return tuple(sorted({self.settle, self.look_again}))
