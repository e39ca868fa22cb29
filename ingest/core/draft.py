"""Rows of the archive by series and time, merged as the databases merge."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ingest.core.point import Point, Tags, decode_fields, encode_fields, merge_fields, series_key

Rows = dict[int, str]
"""Rows of one series, by time."""
Touched = dict[str, set[int]]
"""Times that something changed at, by measurement."""


RowsBySeries = Mapping[tuple[str, Tags], Rows]
"""Rows by measurement and tags."""


def by_series(points: Iterable[Point]) -> RowsBySeries:
    """Points as rows, by measurement and tags; points of the same moment are merged, the later wins."""
    found: dict[tuple[str, Tags], Rows] = defaultdict(dict)
    at: tuple[str, Tags] | None = None
    rows: Rows = {}
    for measurement, tags, time, fields in points:
        if at is None or at[1] is not tags or at[0] is not measurement:
            at = measurement, tags
            rows = found[at]
        text = encode_fields(fields)
        rows[time] = merge_fields(rows[time], text) if time in rows else text
    return found


def differing(rows: Mapping[int, str], held: Mapping[int, str]) -> tuple[Rows, int]:
    """The rows that are new or change something, as they are to be, and how many of them change something."""
    if not held:
        return dict(rows), 0
    fresh: Rows = {}
    changed = 0
    for time, text in rows.items():
        old = held.get(time)
        if old == text:
            continue
        if old is not None:
            merged = merge_fields(old, text)  # what the reply omits stays
            if merged == old:
                continue
            changed += 1
            fresh[time] = merged
        else:
            fresh[time] = text
    return fresh, changed


def keeps(old: str, new: str) -> bool:
    """Whether the new row keeps every value of the old."""
    return decode_fields(old).items() <= decode_fields(new).items()


ENERGY = ("energy_wh", "imported_wh", "exported_wh", "charged_wh", "discharged_wh")
"""What an interval of a stream is about, Wh."""


def gained(old: str, new: str) -> float:
    """By how much (Wh) the energies of a row differ from those of the row whose place it took; 0 where one has none."""
    before, after = decode_fields(old), decode_fields(new)
    return sum(float(after[name]) - float(before[name]) for name in ENERGY if name in before and name in after)


def numbers(rows: Mapping[int, str], name: str) -> dict[int, float]:
    """One numeric field by time, where it is there."""
    found: dict[int, float] = {}
    names, begin, place = ":", 0, -1  # those of the row before: most rows have the same as it
    for time, row in rows.items():
        if not row.startswith(names):
            if "=" in row or not row:
                if number := _in_line(row, name):
                    found[time] = float(number)
                continue
            begin = row.find(":") + 1
            names, listed = row[:begin], row[: begin - 1].split(",")
            place = listed.index(name) if name in listed else -1
        if place >= 0:
            found[time] = float(row[begin:].replace(";", ",").split(",", place + 1)[place])
    return found


def _in_line(row: str, name: str) -> str:
    """The number of a field in a field set of line protocol; empty where it is not there."""
    first, later = f"{name}=", f",{name}="
    if row.startswith(first):
        begin = len(first)
    elif (at := row.find(later)) >= 0:
        begin = at + len(later)
    else:
        return ""
    stop = row.find(",", begin)
    return row[begin:] if stop < 0 else row[begin:stop]


@dataclass
class Draft:
    """Part of the archive, and what is to change in it: rows by series key. `held` is left as it is.

    `added` and `revised` count the rows that are new, and those whose fields change, `completed` of these those that
    get more fields and keep every value they had, `retired` those that lose all of them (less those that get some
    again). `revised_wh` is by how much (Wh) the energy of revised rows differs in all. `withdrawn` are the times, by
    series, at which something is no longer true: a row without that field, or without any.
    """

    held: Mapping[str, Rows] = field(default_factory=dict)
    changed_rows: dict[str, Rows] = field(default_factory=dict)
    added: int = 0
    revised: int = 0
    completed: int = 0
    retired: int = 0
    revised_wh: float = 0.0
    withdrawn: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _parsed: dict[str, dict[str, dict[int, float]]] = field(default_factory=lambda: defaultdict(dict))

    def merge(self, points: Iterable[Point]) -> Touched:
        """Merge points in; a row counts as changed only where something really differs."""
        return self.merge_rows(by_series(points))

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
                old = fresh.keys() & held.keys() - before.keys() if changed > again else ()
                self.completed += sum(keeps(held[time], fresh[time]) for time in old)
                if not measurement.endswith("_channel"):  # the parts of what is counted already
                    self.revised_wh += sum(gained(held[time], fresh[time]) for time in old)
                self.changed_rows[key] = {**before, **fresh} if before else fresh
                self._parsed.pop(key, None)
                touched[measurement].update(fresh)
        return touched

    def replace(self, points: Iterable[Point]) -> Touched:
        """Make rows what some points say and no more: what they omit is withdrawn, all of it where they are empty."""
        touched: Touched = defaultdict(set)
        at: tuple[str, Tags] | None = None
        for measurement, tags, time, fields in points:
            if at is None or at[1] is not tags or at[0] is not measurement:
                at, key = (measurement, tags), series_key(measurement, tags)
                held, fresh, changed = (
                    self.held.get(key, {}),
                    self.changed_rows.setdefault(key, {}),
                    touched[measurement],
                )
            old = fresh[time] if time in fresh else held.get(time)
            text = encode_fields(fields) if fields else ""
            if (old or "") == text:
                continue
            if old is None:
                self.added += 1
            else:
                self.retired += bool(old) - bool(text)
                self.revised += time not in fresh
                if old and decode_fields(old).keys() - fields.keys():
                    self.withdrawn[key].add(time)
            fresh[time] = text
            changed.add(time)
            self._parsed.pop(key, None)
        self.changed_rows = {key: rows for key, rows in self.changed_rows.items() if rows}
        return {name: times for name, times in touched.items() if times}

    def rows(self, key: str) -> Mapping[int, str]:
        """The rows of a series as they are to be."""
        held, fresh = self.held.get(key, {}), self.changed_rows.get(key)
        return {**held, **fresh} if held and fresh else fresh or held

    def numbers(self, measurement: str, system: str, name: str) -> Mapping[int, float]:
        """One numeric field of a measurement that has one series a system, by time; parsed once until rows change."""
        key = series_key(measurement, (("system", system),))
        parsed = self._parsed[key]
        if name not in parsed:
            parsed[name] = numbers(self.rows(key), name)
        return parsed[name]
