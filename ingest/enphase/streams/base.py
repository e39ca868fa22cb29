"""The description of a stream, and the request builders that streams share.

The words of the vendor's replies are those of the reference, sections 6 to 8.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import Enum, auto
from functools import cached_property
from typing import Any, NamedTuple

from ingest.core.point import Point, Value
from ingest.core.span import Span
from ingest.core.units import DAY, MINUTE, WEEK

Json = Mapping[str, Any]
Params = dict[str, str]
Ask = Callable[[Span], Params]


class Odd(NamedTuple):
    """A part of a reply that could not be read: why, a piece of it, and the start (epoch s) of the interval that it is
    about, None where that is not known. It is left out and counted; the rest of the reply stands.
    """

    reason: str
    sample: str
    time: int | None = None


Read = Callable[[str, Json], Iterable[Point | Odd]]


@dataclass(frozen=True)
class Pages:
    """How a list comes in pages: the parameters for the page that a cursor names, and the cursor that follows a reply.

    An empty cursor is the first page, or that there is none after the last. `panels` is how many of these a page
    holds, where it is a list of them.
    """

    params: Callable[[str], Params]
    following: Callable[[Json], str]
    panels: int = 0


@dataclass(frozen=True)
class Route:
    """How one API version serves a stream.

    `path` is below `/api/vN/`. `reach` is the longest span (s) that one reply is known to hold, `history` how far
    back (s) the cloud goes (where not `is_documented`, as is assumed), `step` the grid (s) to which it rounds requests
    down. `trial_reach` is a longer reach (s) that may be honoured, which is tried once; 0 where none is. `pages` is how
    a long list is read on, `names_system` the parameter that names the system, where the path does not. `asks_each` is
    the kind of device that is asked one by one, each by its `{serial}` in the path.
    """

    path: str
    ask: Ask
    reach: int = 0
    history: int = 0
    step: int = 15 * MINUTE
    trial_reach: int = 0
    is_documented: bool = True
    pages: Pages | None = None
    names_system: str = ""
    asks_each: str = ""

    @property
    def lengths(self) -> tuple[int, ...]:
        """The lengths (s) that a reply may have, shortest first, where no end can be asked for; else empty."""
        return (DAY, WEEK) if self.ask is start_granularity else ()


@dataclass(frozen=True)
class Field:
    """One field of a measurement: the vendor's key and what the number is."""

    key: str
    about: str


class Scope(Enum):
    """Of whom a stream is asked."""

    CHOSEN = auto()
    """Of a system that names it under `streams`, or by default."""
    TOTALS = auto()
    """Of a system of which a stream is asked that its daily totals are about."""
    EVERY_SYSTEM = auto()
    ACCOUNT = auto()
    NAMES = auto()
    """Of an account that reads what the reply has the names of."""


class Auto(Enum):
    """Whether a stream that is not read by default is chosen where the owner leaves that to the program."""

    NEVER = auto()
    FITS = auto()
    """Where the plan carries it."""
    PAID = auto()
    """On paid plans."""


@dataclass(frozen=True)
class EnergyFlow:
    """An energy of the home that a stream measures: its field in the measurement `energy`, and where the intervals
    (Wh) of the stream stand.
    """

    quantity: str
    measurement: str
    field: str = "energy_wh"


@dataclass(frozen=True)
class DailyDifference:
    """What becomes of the readings of two nights: the difference of a `field` of `measurement` is `made` of `daily`."""

    measurement: str
    field: str
    daily: str
    made: str


@dataclass(frozen=True)
class Series:
    """One array in a reply of daily totals, under the vendor's `key`.

    `quantity` is the field of `energy` that it adds up; `is_daily` says that it becomes the field of `energy_daily` so
    called. The intervals of `stream` are held against it; empty where the vendor merges several. `since` is the key of
    the first day for which the device counted, where that is not the first of the array.
    """

    key: str
    quantity: str
    stream: str = ""
    is_daily: bool = False
    since: str = ""


@dataclass(frozen=True)
class Lifetime:
    """Daily totals (Wh) of a system's whole life, as arrays by the key of the series; the first element is that of day
    `start`.

    `start` is None while there is nothing. None in an array is a day of which the cloud says nothing, or nothing that
    could be read: `odd` says what. `since` is the first day that counts of those series which begin later.
    """

    start: date | None
    series: Mapping[str, Sequence[float | None]]
    since: Mapping[str, date] = field(default_factory=dict)
    odd: Sequence[Odd] = ()


@dataclass(frozen=True)
class SystemInfo:
    """What the cloud says of a system: `fields` are those of the measurement `system_info`."""

    system: str
    name: str = ""
    timezone: str = ""
    operational_at: int | None = None
    reported_at: int | None = None
    fields: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Device:
    """A device of a system: `fields` are those of the measurement `device`."""

    serial: str
    fields: Mapping[str, Value]


def no_points(_: str, __: Json) -> Iterator[Point | Odd]:
    """A reply that holds none."""
    return iter(())


@dataclass(frozen=True, eq=False)
class Stream:
    """One endpoint family, declared once: what the rest of the program knows of it, it reads here.

    `label` is what it reads in the two or three words of an owner, for boards and the sentences on them.
    `grain` (s) is the length of an interval, 0 for a snapshot: that has no history and no coverage, and is taken every
    `every` seconds. `group` is the access group of the developer portal (reference 3.2) that must be ticked; `meter`
    what must be installed for the cloud to have anything to say: a meter of production or consumption, or a battery. A
    chosen stream that `is_default` is read where the owner names none, another as `auto` says.

    `read` turns a reply into points, `systems` into what it says of systems, `devices` into its devices, `unread`
    into the kinds of which some could not be read, and `meters` into the kinds of them that measure; `series` are its
    arrays of daily totals. `flows` are the energies of the home that its intervals measure, `daily` what its readings
    of two nights make, `names` those of kinds of events, `serials` the numbers of the devices that are asked one by
    one, by kind, `tells_of` these kinds.

    A reply that `is_list` is a JSON array: it is read as the `rows` of an object that holds the `cursor`, too. Points
    of a stream that `is_stamped` are of the moment of the call, those of one that `is_of_moments` are no intervals.
    What is read `at_night` is asked before dawn.
    """

    name: str
    about: str
    every: int
    group: str
    v4: Route
    label: str = ""
    v2: Route | None = None
    read: Read = no_points
    grain: int = 0
    meter: str = ""
    scope: Scope = Scope.CHOSEN
    is_default: bool = True
    auto: Auto = Auto.NEVER
    is_list: bool = False
    is_stamped: bool = False
    is_of_moments: bool = False
    at_night: bool = False
    fields: Mapping[str, Mapping[str, Field]] = field(default_factory=dict)
    flows: tuple[EnergyFlow, ...] = ()
    series: tuple[Series, ...] = ()
    systems: Callable[[str, Json], Iterator[SystemInfo | Odd]] | None = None
    meters: Callable[[Json], tuple[str, ...]] | None = None
    devices: Callable[[Json], Iterator[Device | Odd]] | None = None
    unread: Callable[[Json], frozenset[str]] | None = None
    daily: DailyDifference | None = None
    names: Callable[[Json], Mapping[str, str]] | None = None
    serials: Callable[[Json], Mapping[str, tuple[str, ...]]] | None = None
    tells_of: tuple[str, ...] = ()

    @property
    def lasts(self) -> int:
        """How long (s) what a point tells of lasts."""
        return 0 if self.is_of_moments else self.grain

    @cached_property
    def audited(self) -> tuple[str, ...]:
        """The streams whose intervals are held against its daily totals."""
        return tuple(series.stream for series in self.series if series.stream)

    def route(self, version: str) -> Route:
        """The route of an API version, "v4", "v2" or "v1". LookupError where that does not serve it."""
        route = {"v4": self.v4, "v2": self.v2, "v1": self._v1}[version]
        if route is None:
            raise LookupError(f"API {version} has no {self.name}")
        return route

    def is_served(self, version: str) -> bool:
        """Whether an API version has it; v4 has all."""
        return version == "v4" or self.v2 is not None

    @cached_property
    def _v1(self) -> Route | None:
        """As v2's, by the same names; spans of time are named as words, too."""
        return replace(self.v2, ask=start_end_words) if self.v2 and self.v2.ask is start_end else self.v2


def numbered(size: int) -> Callable[[str], Params]:
    """The parameters of a page, the cursor being its number; `size` is how much a page holds."""
    return lambda cursor: {"page": cursor or "1", "size": str(size)}


def start_end(window: Span) -> Params:
    """Both ends, as every v2 endpoint and v4's `rgm_stats` take them."""
    return {"start_at": str(window.start), "end_at": str(window.end)}


def start_end_words(window: Span) -> Params:
    """Both ends for v1, of which no document is left: as its users named them, and as v2 does."""
    words = (datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000") for at in window)
    return {**start_end(window), **dict(zip(("start", "end"), words, strict=True))}


def start_granularity(window: Span) -> Params:
    """A start and the length of the window; v4 telemetry knows no `end_at` (reference 6)."""
    return {"start_at": str(window.start), "granularity": "day" if window.length <= DAY else "week"}


def quarters(window: Span) -> Params:
    """The same in intervals of 15 minutes, which every site serves: it may be set up for 5."""
    return {**start_granularity(window), "interval_duration": "15mins"}


def nothing(_: Span) -> Params:
    """A snapshot of now needs no parameter."""
    return {}
