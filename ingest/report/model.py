"""The values of a report, as `status --json` prints them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Gap:
    """A span of time that was not read to stay, `(start, end]` in epoch seconds, and why. Like a stream and a system of
    a report it is not frozen, which would take three times as long: there may be tens of thousands. Nothing changes it.
    """

    start: int
    end: int
    reason: str


@dataclass(frozen=True)
class DifferenceReport:
    """A day (ISO date) that the vendor counts otherwise than its own intervals add up, in Wh, read again in vain."""

    day: str
    series: str
    vendor_wh: float
    held_wh: float


@dataclass(frozen=True)
class OddReport:
    """Parts of replies that could not be read, alike in their reason: how many, the newest of them, and since when."""

    reason: str
    count: int
    sample: str
    since: int


@dataclass(frozen=True)
class RefusedReport:
    """A span `(start, end]` (epoch s) that the cloud refused `fails` times in a row, and the `days` that it is of, in
    words; `reason` are the cloud's words, `again_at` is when it is asked for again. `is_alone` says that it lies within
    one day: what is longer is still being narrowed down.
    """

    start: int
    end: int
    days: str
    reason: str
    fails: int
    again_at: int
    is_alone: bool


@dataclass(slots=True)
class StreamReport:
    """How far one stream of one system has been read.

    `ratio` is the share of what is owed, 0 to 1; `lag_s` the age of the newest interval; `state` the kind of the last
    verdict that was not good, with its `reason` and the calls in vain since; `calls_month` those of this month.
    `revised` counts the points that changed later, `revised_wh` is by how much (Wh) their energy did in all.
    `wanted_from` is when what is wanted of it begins (epoch s).
    """

    stream: str
    complete_until: int | None
    ratio: float
    gaps: Sequence[Gap]
    revised: int
    lag_s: int | None
    state: str
    reason: str
    fails: int
    calls_month: int
    odd: Sequence[OddReport] = ()
    refused: Sequence[RefusedReport] = ()
    revised_wh: float = 0.0
    wanted_from: int | None = None


@dataclass(slots=True)
class SystemReport:
    """One system: its newest power (W), energy of its local day so far (Wh), and the age (s) of the newest interval.

    `reported_at` is the newest report of its gateway, `looked_at` when the cloud was last asked for it. `behind` says
    that it makes less than it should on clear days, and by how much; empty as a rule. `size_w` is what its panels can
    make, where the cloud says so. A home has the systems that are its `members`, and says what its sums are `lacking`.
    `owed_s` are the seconds of all its streams that should have been read by now, `read_s` those of them that were.
    `no_meters` are the kinds of meter (production, consumption) that the cloud does not list and that were never read.
    """

    system: str
    name: str
    account: str
    timezone: str
    reported_at: int | None
    looked_at: int | None
    power_w: float | None
    today_wh: float | None
    age_s: int | None
    streams: Sequence[StreamReport]
    differences: Sequence[DifferenceReport]
    behind: str = ""
    size_w: float | None = None
    members: tuple[str, ...] = ()
    lacking: str = ""
    owed_s: int = 0
    read_s: int = 0
    no_meters: tuple[str, ...] = ()

    @property
    def read(self) -> float:
        """The share of what should have been read by now that was, of all its streams, 0 to 1."""
        return self.read_s / self.owed_s if self.owed_s else min((stream.ratio for stream in self.streams), default=1.0)

    @property
    def specific_yield(self) -> float | None:
        """Energy of its day so far by its size (kWh/kW), which makes large and small systems comparable."""
        return None if self.today_wh is None or not self.size_w else self.today_wh / self.size_w


@dataclass(frozen=True)
class QuotaReport:
    """Calls of this calendar month (UTC) and of the last minute.

    `forecast_month` is what the month will come to at the present pace, `runs_out_at` when that would use it up (None:
    not this month), `paused_until` the end of a pause of everything: the cloud asked for it, or has the trouble that
    `weather` names until it answers again.
    """

    used_month: int
    per_month: int
    reserve: int
    left: int
    used_minute: int
    per_minute: int
    history_month: int
    month_ends_at: int
    forecast_month: int
    runs_out_at: int | None
    paused_until: int | None
    weather: str


@dataclass(frozen=True)
class BackfillReport:
    """History that is wanted and not read yet: seconds of it, the share that is read, and when it will be done.

    `since` is when what is wanted begins (epoch s), `goes_on_at` the next month where this one has no calls for it.
    """

    owed_s: int
    ratio: float
    calls: int
    done_at: int | None
    since: int | None = None
    goes_on_at: int | None = None


@dataclass(frozen=True)
class TokenReport:
    """The authorization of an account: `state` is ok, missing, dead, login or user; `days_left` until it lapses.

    `access_ends_at` is the end of the access token (epoch s), `renewal` why it cannot be renewed at present, since
    `renewal_since`.
    """

    account: str
    state: str
    days_left: float | None
    lapses_at: int | None
    reason: str
    access_ends_at: int | None = None
    renewal: str = ""
    renewal_since: int | None = None


@dataclass(frozen=True)
class SinkReport:
    """A sink: points that wait for it, and what it could not take. `verified_at` is when its content was last held
    against the archive, `differs` what sending again did not mend; `again` are points that replays have still to send.
    `forgets` is why nothing leaves the archive for it, where that keeps intervals for a time only.
    """

    sink: str
    backlog: int
    sent: int
    too_old: int
    error: str
    since: int | None
    parked: int
    parked_why: str
    verified_at: int | None = None
    differs: str = ""
    again: int = 0
    forgets: str = ""


@dataclass(frozen=True)
class ReceiverReport:
    """Somebody who is told: `error` is why that fails, `since` when it began; empty and None while it works."""

    receiver: str
    error: str
    since: int | None


@dataclass(frozen=True)
class Problem:
    """Something wrong: a kind and what it concerns, one sentence, and what to do about it.

    `since` is when it began (epoch s), where that is known; `explains` are the keys of what follows from it and is
    therefore not reported beside it.
    """

    kind: str
    subject: str
    sentence: str
    remedy: str
    since: int | None = None
    explains: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Both sentences."""
        return f"{self.sentence}. {self.remedy}" if self.remedy else self.sentence

    @property
    def key(self) -> str:
        """A name by which the log knows it; the pipeline calls a pair by its system and stream."""
        return ".".join(part for part in ("" if self.kind in ("denied", "stream") else self.kind, self.subject) if part)


@dataclass(frozen=True)
class Report:
    """Everything that `status --json` prints. `seen_at` is when a runner last reported, `runner` its kind (`run` or
    `once`), `runner_due_at` when one should have by now (None while one is at work), `fatal` why the application is
    refused.
    """

    now: int
    simulated: bool
    state_dir: str
    points: int
    disk_free: int | None
    clock_wrong_by: int
    seen_at: int | None
    runner: str
    runner_due_at: int | None
    fatal: str
    systems: list[SystemReport]
    quota: QuotaReport
    backfill: BackfillReport
    tokens: list[TokenReport]
    sinks: list[SinkReport]
    receivers: list[ReceiverReport] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    homes: list[SystemReport] = field(default_factory=list)

    @property
    def places(self) -> list[SystemReport]:
        """The homes and the systems."""
        return [*self.homes, *self.systems]

    @property
    def households(self) -> list[SystemReport]:
        """The homes, and the systems that are part of none: of each there is one contract."""
        parts = {member for home in self.homes for member in home.members}
        return [*self.homes, *(row for row in self.systems if row.system not in parts)]

    def document(self) -> dict[str, Any]:
        """As plain values for JSON."""
        found = asdict(self)
        for row in [*found["systems"], *found["homes"]]:
            del row["owed_s"], row["read_s"], row["no_meters"]
        for row in found["systems"]:
            del row["members"], row["lacking"]
        for stream in (stream for row in found["systems"] for stream in row["streams"]):
            del stream["wanted_from"]
        del found["backfill"]["since"], found["backfill"]["goes_on_at"]
        for row in found["homes"]:
            del row["streams"], row["differences"], row["behind"]  # those are of its systems
        return found
