"""Rows of the archive by series and time, merged as the databases merge."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from ingest.core.point import Point, Tags, Value, decode_fields, parse_series, series_key
from ingest.core.series_rows import Columns, Rows, RowsBySeries, by_series, differing, omitting
from ingest.core.table import tables_of

Touched = dict[str, set[int]]
"""Times that something changed at, by measurement."""


ENERGY = ("energy_wh", "imported_wh", "exported_wh", "charged_wh", "discharged_wh")
"""What an interval of a stream is about, Wh."""


def gained(old: Mapping[str, Value], new: Mapping[str, Value]) -> float:
    """By how much (Wh) the energies of a row differ from those of the row whose place it took; 0 where one has none."""
    return sum(float(new[name]) - float(old[name]) for name in ENERGY if name in old and name in new)


@dataclass
class Draft:
    """Part of the archive, and what is to change in it: rows by series key. `held` is left as it is.

    `added` and `revised` count the rows that are new, and those whose fields change, `retired` those that lose all of
    them (less those that get some again). `withdrawn` are the times, by series, at which something is no longer true:
    a row without that field, or without any. `columns` are the rows of series of which a field was asked for.
    """

    held: Mapping[str, Rows] = field(default_factory=dict)
    changed_rows: dict[str, Rows] = field(default_factory=dict)
    added: int = 0
    revised: int = 0
    retired: int = 0
    withdrawn: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    columns: dict[str, Columns] = field(default_factory=dict)

    def merge(self, points: Iterable[Point]) -> Touched:
        """Merge points in; a row counts as changed only where something really differs."""
        return self.merge_rows(by_series(tables_of(points)))

    def merge_rows(self, fresh_rows: RowsBySeries) -> Touched:
        """The same, of points that are rows already."""
        touched: Touched = defaultdict(set)
        for (measurement, tags), rows in fresh_rows.items():
            key = series_key(measurement, tags)
            before, held = self.changed_rows.get(key, {}), self.rows(key)
            fresh, changed = differing(rows, held)
            if "" in held.values():
                self.retired -= sum(held.get(time) == "" for time in fresh)
            again = sum(time in before for time in fresh) if before else 0
            if fresh:
                self.added += len(fresh) - changed
                self.revised += changed - again
                self.changed_rows[key] = {**before, **fresh} if before else fresh
                self.columns.pop(key, None)
                touched[measurement].update(fresh)
        return touched

    def corrections(self) -> tuple[int, float]:
        """How many rows lost or changed a value that they had, and by how much (Wh) the energy of all that were there
        differs.
        """
        corrected, gain = 0, 0.0
        for key, rows in self.changed_rows.items():
            if not (held := self.held.get(key)):
                continue
            is_part = parse_series(key)[0].endswith("_channel")  # of what is counted already
            for time in rows.keys() & held.keys():
                old, new = decode_fields(held[time]), decode_fields(rows[time])
                corrected += not old.items() <= new.items()
                gain += 0.0 if is_part else gained(old, new)
        return corrected, gain

    def replace(self, points: Iterable[Point]) -> Touched:
        """Make rows what some points say and no more: what they omit is withdrawn, all of it where they are empty."""
        touched: Touched = defaultdict(set)
        for (measurement, tags), run in groupby(points, key=itemgetter(0, 1)):
            listed = list(run)
            told = by_series(tables_of(point for point in listed if point.fields)).get((measurement, tags), {})
            rows = {time: told[time] if fields else "" for _, _, time, fields in listed}
            touched[measurement].update(self.replace_rows(measurement, tags, rows))
        return {name: times for name, times in touched.items() if times}

    def replace_rows(self, measurement: str, tags: Tags, rows: Rows) -> Collection[int]:
        """The same of rows of one series; an empty one withdraws what stands. Returns when any changes."""
        key = series_key(measurement, tags)
        held, before = self.rows(key), self.changed_rows.get(key, {})
        others = {time: text for time, text in rows.items() if held.get(time, "") != text}
        fresh = rows if len(others) == len(rows) else others
        revised = fresh.keys() & held.keys()
        self.added += len(fresh) - len(revised)
        self.revised += len(revised - before.keys())
        olds, news = [*map(held.__getitem__, revised)], [*map(fresh.__getitem__, revised)]
        self.retired += news.count("") - olds.count("")
        if omitted := {*omitting(revised, news, olds)}:
            self.withdrawn[key] |= omitted
        if fresh:
            self.changed_rows[key] = {**before, **fresh} if before else fresh
            self.columns.pop(key, None)
        return fresh.keys()

    def rows(self, key: str) -> Mapping[int, str]:
        """The rows of a series as they are to be."""
        held, fresh = self.held.get(key, {}), self.changed_rows.get(key)
        return {**held, **fresh} if held and fresh else fresh or held

    def numbers(self, measurement: str, system: str, name: str) -> Mapping[int, float]:
        """One numeric field of a measurement that has one series a system, by time; parsed once until rows change."""
        key = series_key(measurement, (("system", system),))
        if key not in self.columns:
            self.columns[key] = Columns(self.rows(key))
        return self.columns[key].numbers(name)
