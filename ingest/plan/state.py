"""What is remembered of a system and of a pair of system and stream: what the planner is handed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from ingest.core.point import Value
from ingest.core.span import Span, Spans
from ingest.plan.coverage import Log
from ingest.plan.profile import NEW_PROFILE, Profile

NO_POINTS = "no_points"
"""State of a pair that never had a point, while the list of devices has not been asked."""
NO_METER = "no_meter"
"""State of a pair whose meter is not among the system's devices."""
EMPTY = (NO_POINTS, NO_METER)


@dataclass(slots=True)
class Pair:
    """The state of one (system, stream). Times are epoch seconds.

    `floor` is the oldest time wanted, `first_at` the oldest the cloud says it has, `asked_at` the last answered live
    call. `state` is the kind of the last verdict that was not `ok`, with its `reason`; nothing is asked before
    `rest_until`, and no history before `history_from`, after `history_fails` calls for it in vain. `revised` counts the
    points that changed later, `revised_wh` is by how much (Wh) their energy did in all.
    """

    system: str
    stream: str
    floor: int | None = None
    first_at: int | None = None
    asked_at: int | None = None
    fails: int = 0
    rest_until: int = 0
    history_from: int = 0
    state: str = ""
    reason: str = ""
    cursor: str = ""
    revised: int = 0
    history_fails: int = 0
    revised_wh: float = 0.0


@dataclass(slots=True)
class SystemRow:
    """What is remembered of a system; `probes` counts the calls in vain since its gateway last reported, `profile` are
    what was learned in passing.
    """

    system: str
    account: str
    name: str = ""
    timezone: str = ""
    operational_at: int | None = None
    info: dict[str, Value] = field(default_factory=dict)
    probes: int = 0
    probed_at: int | None = None
    profile: Profile = NEW_PROFILE

    @property
    def size_w(self) -> float:
        """The size (W) that decides how much energy is likely; 0 where none is known. That of `info` is the one said
        last, which is too small while a new gateway has found few of its panels.
        """
        size_w = self.info.get("size_w") if self.profile.size_w is None else self.profile.size_w
        return size_w if isinstance(size_w, float) else 0.0


@dataclass(frozen=True, slots=True)
class OddRow:
    """A part of a reply that could not be read: why, a piece of it, and when it was first and last seen (epoch s)."""

    reason: str
    sample: str
    first_at: int
    last_at: int


OddRows = Mapping[tuple[int, str], OddRow]
"""By the start (epoch s) of the interval that it is about, 0 where that is not known, and by reason."""


@dataclass(frozen=True, slots=True)
class Deferral:
    """A span of a pair that is not asked for before `until` (epoch s): the cloud refused it `fails` times in a row, the
    last time with the words `reason`, or (`fails` 0) its values were still changing when they were last read.
    """

    span: Span
    until: int
    fails: int = 0
    reason: str = ""


@dataclass
class Snapshot:
    """Everything that is remembered and that planning needs, held in memory.

    `pairs`, `coverage` (by age class) and `unwanted` (history that nobody asked for) are by (system, stream), `logs`
    (the reports of each gateway) and `systems` by system, `reaches` (longest window that was honoured, s) by stream.
    `trials` are reaches that one reply honoured and another must confirm, `odd` what could not be read of replies,
    `deferred` what is asked for later.
    """

    pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)
    coverage: dict[tuple[str, str], Mapping[int, Spans]] = field(default_factory=dict)
    logs: dict[str, Log] = field(default_factory=dict)
    systems: dict[str, SystemRow] = field(default_factory=dict)
    reaches: dict[str, int] = field(default_factory=dict)
    unwanted: dict[tuple[str, str], Spans] = field(default_factory=dict)
    trials: dict[str, int] = field(default_factory=dict)
    odd: dict[tuple[str, str], OddRows] = field(default_factory=dict)
    deferred: dict[tuple[str, str], tuple[Deferral, ...]] = field(default_factory=dict)

    def copy(self) -> "Snapshot":
        """The same, which later changes of this one do not reach."""
        return Snapshot(**{entry.name: dict(getattr(self, entry.name)) for entry in fields(self)})
