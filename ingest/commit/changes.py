"""What a decision works on: the part of the state that was loaded, and laid over it what is to change."""

from collections import ChainMap, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cached_property
from typing import Any, TypeVar, overload

from ingest.core.audit import Total, TotalKey
from ingest.core.days import zone
from ingest.core.draft import Draft, Touched
from ingest.core.point import parse_series
from ingest.core.series_rows import Columns, Rows, RowsBySeries
from ingest.core.span import Spans
from ingest.plan import coverage
from ingest.plan.coverage import NO_LOG, Covered, Log
from ingest.plan.deferrals import Deferrals
from ingest.plan.state import OddRows, Pair, Snapshot, SystemRow

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


@dataclass(frozen=True)
class Loaded:
    """What a decision needs: `known` is all that planning knows, `rows` the part of the archive that may be touched,
    `ids` the numbers of the series that have points, both by series key. `oldest` is the oldest point (epoch s) of the
    stream that was asked, where the cloud says that it has none so old; `fixed` the local day (ISO date) by system
    before which all stays as it is, since intervals have left the archive. `columns` are rows that were looked at by
    field already, with the outcome taken in.
    """

    known: Snapshot
    rows: Mapping[str, Rows] = field(default_factory=dict)
    ids: Mapping[str, int] = field(default_factory=dict)
    totals: Mapping[TotalKey, Total] = field(default_factory=dict)
    oldest: int | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Columns] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """A reply that could not be read, kept for a person to look at."""

    system: str
    stream: str
    at: int
    reason: str
    body: bytes = field(repr=False)


class Overlay(ChainMap[K, V]):
    """A map laid over another one: of two maps a look at each is enough, where `ChainMap.get` loops over any number."""

    def __contains__(self, key: object) -> bool:
        fresh, held = self.maps
        return key in fresh or key in held

    def __getitem__(self, key: K) -> V:
        fresh, held = self.maps
        return fresh[key] if key in fresh else held[key]

    @overload
    def get(self, key: K, default: None = None, /) -> V | None: ...
    @overload
    def get(self, key: K, default: V | T, /) -> V | T: ...
    def get(self, key: K, default: Any = None, /) -> Any:
        """The value of a key, or what is to stand in its place."""
        fresh, held = self.maps
        return fresh[key] if key in fresh else held.get(key, default)

    def others(self) -> list[V]:
        """The values that differ from those underneath."""
        fresh, held = self.maps
        return [value for key, value in fresh.items() if value != held.get(key)]


class Changes:
    """The state as a decision leaves it. Each map reads through to what was loaded; its first part is what changes.

    `moved` are systems all of whose totals are void, `dropped` the days (ISO date, by system and series) before which
    totals are not needed any more.
    """

    def __init__(self, loaded: Loaded) -> None:
        known = loaded.known
        self.loaded = loaded
        self.pairs: Overlay[tuple[str, str], Pair] = Overlay({}, known.pairs)
        self.systems: Overlay[str, SystemRow] = Overlay({}, known.systems)
        self.logs: Overlay[str, Log] = Overlay({}, known.logs)
        self.coverage: Overlay[tuple[str, str], Covered] = Overlay({}, known.coverage)
        self.reaches: Overlay[str, int] = Overlay({}, known.reaches)
        self.trials: Overlay[str, int] = Overlay({}, known.trials)
        self.odd: Overlay[tuple[str, str], OddRows] = Overlay({}, known.odd)
        self.deferred: Overlay[tuple[str, str], Deferrals] = Overlay({}, known.deferred)
        self.totals: Overlay[TotalKey, Total] = Overlay({}, dict(loaded.totals))
        self.moved: set[str] = set()
        self.dropped: dict[tuple[str, str], str] = {}
        self.points = Draft(loaded.rows)
        self.sample: Sample | None = None

    def take_in(self, rows: RowsBySeries) -> Touched:
        """Merge the rows of the outcome in; returns what changed."""
        touched = self.points.merge_rows(rows)
        self.points.columns.update(self.loaded.columns)
        return touched

    def pair(self, system: str, stream: str) -> Pair:
        """One pair, fresh when it is not known yet."""
        return self.pairs.get((system, stream)) or Pair(system, stream)

    def log(self, system: str) -> Log:
        """The reports of a gateway."""
        return self.logs.get(system, NO_LOG)

    def settled(self, system: str, stream: str, age: int) -> Spans:
        """What was read of a stream for an age class."""
        return coverage.covered(self.coverage.get((system, stream), {}), age)

    def zone(self, system: str) -> tzinfo | None:
        """The zone of a system; None until the cloud has told it: without it there are no local days."""
        row = self.systems.get(system)
        return zone(row.timezone) if row and row.timezone else None

    def has_points(self, system: str, measurements: Sequence[str]) -> bool:
        """Whether the archive has any point of some measurements of a system."""
        held = self._held.get(system, ())
        if any(measurement in held for measurement in measurements):
            return True
        fresh = map(parse_series, self.points.changed_rows)
        return any(measurement in measurements and ("system", system) in tags for measurement, tags in fresh)

    def had_points(self, system: str) -> bool:
        """Whether the archive had any point of a system already."""
        return system in self._held

    @cached_property
    def _held(self) -> Mapping[str, set[str]]:
        """The measurements of each system of which there were points already."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for measurement, tags in map(parse_series, self.loaded.ids):
            found[dict(tags).get("system", "")].add(measurement)
        return found

    def forget_totals(self, system: str) -> None:
        """The days of a system have moved: what was said of the old ones is void."""
        self.moved.add(system)
        self.totals = Overlay({}, {key: total for key, total in self.totals.items() if key[0] != system})

    def totals_of(self, system: str, series: str) -> dict[str, Total]:
        """The daily totals of a series by ISO date."""
        return {day: total for (of, name, day), total in self.totals.items() if (of, name) == (system, series)}

    def apply(self, known: Snapshot) -> list[str]:
        """Bring what planning knows up to date, once the changes are on the disk.

        Returns the systems that appeared, or of which anything changed that says what is asked of them: what is wanted
        must then be worked out again.
        """
        systems = self.systems.maps[0]
        moved = [
            name
            for name, row in systems.items()
            if (old := known.systems.get(name)) is None or _what_decides(old) != _what_decides(row)
        ]
        known.pairs.update(self.pairs.maps[0])
        known.systems.update(systems)
        known.logs.update(self.logs.maps[0])
        known.coverage.update(self.coverage.maps[0])
        known.reaches.update(self.reaches.maps[0])
        known.trials.update(self.trials.maps[0])
        known.odd.update(self.odd.maps[0])
        known.deferred.update(self.deferred.maps[0])
        for key in [key for key, later in self.deferred.maps[0].items() if not later]:
            known.deferred.pop(key)
        return moved


def _what_decides(row: SystemRow) -> tuple[object, ...]:
    """What the streams of a system follow from, and the calls that they take."""
    return row.account, row.timezone, row.profile.meters, row.profile.serials, row.info.get("modules")
