"""The measurements of homes: sums over their systems, computed in the transaction in which those change."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import NamedTuple

from ingest.commit.changes import Changes
from ingest.commit.derived import MEASURED
from ingest.core import derive
from ingest.core.days import LocalDay, date_at, days_of, midnight, month_start, next_month_start, zone
from ingest.core.draft import Draft
from ingest.core.home_sums import RowsByTime, carriers, day_of_home, interval
from ingest.core.point import Point, parse_series, series_key
from ingest.core.series_rows import Columns
from ingest.core.span import Span
from ingest.plan.homes import row_of
from ingest.plan.state import SystemRow
from ingest.store import archive, extents, meta, progress

HomeMembers = Mapping[str, Sequence[str]]
"""The systems of each home, by its name."""
FORMULA = 2
"""Raised where homes are summed in another way: all of it is then computed again."""
SUMS = ("energy", "energy_daily", "energy_monthly")
INTERVALS = ("energy", "money")
BY_DAY = ("system_info", "energy_daily", "energy_monthly", "money_daily")
"""All that a home has."""
ALWAYS = Span(-(2**40), 2**40)
_PREFIX = "home."


class _Step(NamedTuple):
    """A month to compute, or to withdraw."""

    month: Span
    withdraws: bool = False


@dataclass
class _Course:
    """What is left to bring a home up to date, and what its sums then depend on: one step a transaction, since years
    take minutes on a small machine.
    """

    text: str
    steps: list[_Step]


class HomeEnergy:
    """What homes have measured. Part of the owner of the state.

    `pending` are those all of whose sums may have to be computed again, and those that are no more.
    """

    def __init__(self, homes: HomeMembers, db: sqlite3.Connection) -> None:
        self._homes = homes
        self._kept = meta.read_all(db, _PREFIX)
        self._courses: dict[str, _Course] = {}
        self._home_of = {member: home for home, members in homes.items() for member in members}
        self.pending = {*homes, *(home for home, text in self._kept.items() if text)}

    def is_behind(self, db: sqlite3.Connection, systems: Mapping[str, SystemRow]) -> bool:
        """Whether anything of a home is to be computed again, or withdrawn."""
        for home in self.pending:
            members = self._homes.get(home, ())
            if _text(db, members, row_of(home, members, systems)) != self._kept.get(home, ""):
                return True
        return False

    def follow(self, db: sqlite3.Connection, changes: Changes, now: int) -> dict[str, set[int]]:
        """Compute what follows from what changes, in the caller's transaction. Returns the times of `energy` that did,
        by home.
        """
        touched: dict[str, set[int]] = {}
        for home in self._concerned(changes):
            members = self._homes[home]
            changed = {
                name: _changed_times(changes, name, members) for name in ("energy", "energy_daily", "system_info")
            }
            if not any(changed.values()) and not {*members} & changes.systems.maps[0].keys():
                continue
            row = row_of(home, members, changes.systems)
            course = self._courses.get(home)
            text = _text(db, members, row)
            if text != (course.text if course else self._kept.get(home, "")):
                self._courses.pop(home, None)
                self.pending.add(home)
            elif text:
                work = _Work(db, home, members, zone(row.timezone))
                touched[home] = work.compute(changed["energy"], changed["energy_daily"])
                if changed["system_info"]:
                    _tell(db, row, now)
        return touched

    def _concerned(self, changes: Changes) -> list[str]:
        """The homes of the systems of which something changes."""
        named = {dict(parse_series(key)[1]).get("system", "") for key in changes.points.changed_rows}
        return sorted({self._home_of[name] for name in named | changes.systems.maps[0].keys() if name in self._home_of})

    def catch_up(self, db: sqlite3.Connection, systems: Mapping[str, SystemRow], home: str, now: int) -> bool:
        """Take the next step to bring a home up to date, in the caller's transaction; `advance` follows once that is on
        the disk. Whether it was the last one of several: all of the home is then another.
        """
        members = self._homes.get(home, ())
        row = row_of(home, members, systems)
        course = self._course(db, row, members)
        if not course.steps:
            return False
        step, is_last = course.steps[0], len(course.steps) == 1
        if step.withdraws:
            _retire(db, home, step.month)
        else:
            work = _Work(db, home, members, zone(row.timezone))
            work.compute(*(work.times(name, step.month) for name in SUMS[:2]))
            if is_last:
                _tell(db, row, now)
        if is_last:
            meta.write(db, f"{_PREFIX}{home}", course.text)
        return is_last

    def advance(self, home: str) -> None:
        """The step that was taken last is on the disk."""
        course = self._courses[home]
        course.steps = course.steps[1:]
        if not course.steps:
            self._kept[home] = self._courses.pop(home).text
            self.pending.discard(home)

    def _course(self, db: sqlite3.Connection, row: SystemRow, members: Sequence[str]) -> _Course:
        home, text = row.system, _text(db, members, row)
        course = self._courses.get(home)
        if course is None or course.text != text:
            state = self._kept.get(home, "")
            steps: list[_Step] = []
            local = zone(row.timezone)
            if text != state and (_zone(state) not in ("", row.timezone) or not text):
                steps += [_Step(month, withdraws=True) for month in (*_months(db, [home], local), ALWAYS)]
            if text not in ("", state):
                steps += [_Step(month) for month in (*_months(db, [*members, home], local), Span(0, 0))]
            course = self._courses[home] = _Course(text, steps)
        return course


def _changed_times(changes: Changes, measurement: str, members: Iterable[str]) -> set[int]:
    keys = [series_key(measurement, (("system", member),)) for member in members]
    return {at for key in keys for at in changes.points.changed_rows.get(key, ())}


def measured(db: sqlite3.Connection, member: str) -> frozenset[str]:
    """The energies of which a system has had any value. Two streams may share a measurement: what is bought and what
    is sold stand in one row, and a system may have only one of them read.
    """
    measured, read = archive.measurements_of(db, member), progress.streams_read(db, member)
    flows = [flow for name in read & MEASURED.keys() for flow in MEASURED[name] if flow.measurement in measured]
    return frozenset(flow.quantity for flow in flows)


def _text(db: sqlite3.Connection, members: Sequence[str], row: SystemRow) -> str:
    """What sums depend on besides energy; empty where there can be none."""
    if not members or not row.timezone:
        return ""
    known = {member: sorted(measured(db, member)) for member in members}
    return json.dumps({"formula": FORMULA, "zone": row.timezone, "members": known})


def _zone(text: str | None) -> str:
    return str(json.loads(text)["zone"]) if text else ""


def _months(db: sqlite3.Connection, systems: Iterable[str], local: tzinfo) -> Iterator[Span]:
    """The months in which some systems have energies, one after the other: years do not fit in memory at once."""
    found = [extents.extent(db, name, system) for system in systems for name in SUMS[:2]]
    known = [extent for extent in found if extent]
    month = month_start(date_at(min(first for first, _ in known), local)) if known else None
    while month is not None and midnight(month, local) <= max(last for _, last in known):
        after = next_month_start(month)
        yield Span(midnight(month, local), midnight(after, local))
        month = after


def _retire(db: sqlite3.Connection, home: str, month: Span) -> None:
    """Withdraw the intervals that a home has of a month; at last all that there is little of."""
    ids = archive.series_of(db, [home])
    for name in BY_DAY if month == ALWAYS else INTERVALS:
        key = series_key(name, (("system", home),))
        if key in ids:
            draft = Draft(archive.read(db, ids, [((ids[key],), *month)]))
            draft.replace([Point(name, (("system", home),), at, {}) for at in draft.rows(key)])
            archive.write(db, draft, ids)


def _tell(db: sqlite3.Connection, row: SystemRow, now: int) -> None:
    """What a home is, at a moment, at which something may have been said of it already."""
    fields = {"label": row.system, "timezone": row.timezone, **row.info}
    archive.upsert(db, [Point("system_info", (("system", row.system),), now, fields)])


class _Work:
    """One home and the part of the archive that its sums come from."""

    def __init__(self, db: sqlite3.Connection, home: str, members: Sequence[str], local: tzinfo) -> None:
        self._db, self._members, self._local = db, members, local
        self._home, self._tags = home, (("system", home),)
        self._by = carriers([measured(db, member) for member in members])
        self._ids = archive.series_of(db, [home])
        self._draft = Draft()

    def times(self, measurement: str, span: Span) -> set[int]:
        """When any of the members, or the home, has something within a span."""
        names = (*self._members, self._home)
        return {at for name in names for at, _ in archive.values(self._db, measurement, name, *span)}

    def compute(self, energy: set[int], daily: set[int]) -> set[int]:
        """The intervals at some times, the days that they or some midnights are of, and their months, one by one."""
        touched: set[int] = set()
        for month in sorted({month_start(date_at(at, self._local)) for at in energy | daily}):
            span = Span(midnight(month, self._local), midnight(next_month_start(month), self._local))
            touched |= self._month(*({at for at in times if span.start <= at < span.end} for times in (energy, daily)))
            archive.write(self._db, self._draft, archive.series_of(self._db, [self._home]))
        return touched

    def _month(self, energy: set[int], daily: set[int]) -> set[int]:
        days = self._days(energy | daily)
        span = Span(days[0].start, days[-1].end)
        quarters = [self._rows("energy", member, span) for member in self._members]
        totals = [self._rows("energy_daily", member, span) for member in self._members]
        self._load(span)
        touched = self._draft.replace(self._intervals(sorted(energy), quarters)).get("energy", set())
        self._draft.replace(derive.dated(self._of_days(days, totals, quarters), self._local))
        self._sum_months(days)
        return touched

    def _days(self, times: Iterable[int]) -> list[LocalDay]:
        dates = {date_at(at, self._local): at for at in times}
        return [days_of(Span(dates[day], dates[day] + 1), self._local)[0] for day in sorted(dates)]

    def _load(self, days: Span) -> None:
        """What the home has of some days, and of their months."""
        first, last = date_at(days.start, self._local), date_at(days.end - 1, self._local)
        months = Span(
            midnight(month_start(first), self._local), midnight(next_month_start(month_start(last)), self._local)
        )
        spans = dict.fromkeys(SUMS, months) | {"energy": days}
        keys = {series_key(name, self._tags): span for name, span in spans.items()}
        wants = [((self._ids[key],), *span) for key, span in keys.items() if key in self._ids]
        self._draft = Draft(archive.read(self._db, self._ids, wants))

    def _rows(self, measurement: str, system: str, span: Span) -> RowsByTime:
        return Columns(dict(archive.values(self._db, measurement, system, *span))).by_time(derive.FLOWS)

    def _intervals(self, times: Iterable[int], quarters: Sequence[RowsByTime]) -> Iterator[Point]:
        for at in times:
            yield Point("energy", self._tags, at, interval([rows.get(at, {}) for rows in quarters], self._by))

    def _of_days(
        self, days: Iterable[LocalDay], totals: Sequence[RowsByTime], quarters: Sequence[RowsByTime]
    ) -> Iterator[Point]:
        for day in days:
            inside = [
                {at: rows[at] for at in range(day.start, day.end, derive.QUARTER) if at in rows} for rows in quarters
            ]
            fields = day_of_home(day, [rows.get(day.start, {}) for rows in totals], inside, self._by)
            yield derive.counted(Point("energy_daily", self._tags, day.start, fields))

    def _sum_months(self, days: Iterable[LocalDay]) -> None:
        months = sorted({month_start(day.date) for day in days})
        begins = [(midnight(month, self._local), midnight(next_month_start(month), self._local)) for month in months]
        held = {name: self._draft.numbers("energy_daily", self._home, name) for name in derive.QUANTITIES}
        self._draft.replace(derive.dated(derive.monthly(self._home, begins, held), self._local))
