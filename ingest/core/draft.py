"""Rows of the archive by series and time, merged as the databases merge."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from ingest.core import quick_json
from ingest.core.point import (
    Point,
    Tags,
    Value,
    decode_fields,
    encode_columns,
    exchanged,
    is_line,
    merge_fields,
    omits,
    parse_series,
    series_key,
)
from ingest.core.table import Table, tables_of

Rows = dict[int, str]
"""Rows of one series, by time."""
Touched = dict[str, set[int]]
"""Times that something changed at, by measurement."""


RowsBySeries = Mapping[tuple[str, Tags], Rows]
"""Rows by measurement and tags."""


def by_series(tables: Iterable[Table]) -> RowsBySeries:
    """Points as rows, by measurement, tags and time; points of the same moment are merged, the later wins."""
    found: dict[tuple[str, Tags], tuple[list[int], list[str]]] = defaultdict(lambda: ([], []))
    for measurement, tags, at, columns in tables:
        times, texts = found[measurement, tags]
        times += at
        texts += encode_columns(columns)
    return {at: _merged(times, texts) for at, (times, texts) in found.items()}


def _merged(times: list[int], texts: Sequence[str]) -> Rows:
    rows = dict(zip(times, texts, strict=True))
    if len(rows) < len(times):
        rows.clear()
        for time, text in zip(times, texts, strict=True):
            rows[time] = merge_fields(rows[time], text) if time in rows else text
    return rows if times == sorted(times) else dict(sorted(rows.items()))


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


ENERGY = ("energy_wh", "imported_wh", "exported_wh", "charged_wh", "discharged_wh")
"""What an interval of a stream is about, Wh."""


def gained(old: Mapping[str, Value], new: Mapping[str, Value]) -> float:
    """By how much (Wh) the energies of a row differ from those of the row whose place it took; 0 where one has none."""
    return sum(float(new[name]) - float(old[name]) for name in ENERGY if name in old and name in new)


class Columns:
    """The rows of one series by field: all numbers of a field are read at once, when it is asked for."""

    def __init__(self, rows: Mapping[int, str]) -> None:
        self._parsed: dict[str, dict[int, float]] = {}
        self._runs: list[tuple[Sequence[str], list[int], list[Any]]] = []
        """Of rows with the same names: these, the times, and the values row by row. Of lines, which have no such
        names, the lines.
        """
        first = next(iter(rows.values()), "")
        names = "" if is_line(first) else first[: first.find(":") + 1]
        values = exchanged(rows.values(), names, "") if names else None
        if values is not None:
            self._runs.append((names[:-1].split(","), [*rows], _values("".join(values))))
        else:
            self._split(rows)

    def _split(self, rows: Mapping[int, str]) -> None:
        """The same of rows with several lists of names."""
        names = "?"
        texts: list[str] = []
        for time, row in rows.items():
            if not names or not row.startswith(names):
                begin = 0 if is_line(row) else row.find(":") + 1
                if row[:begin] != names:
                    names, times, texts = row[:begin], list[int](), []
                    self._runs.append((names[:-1].split(",") if names else (), times, texts))
            times.append(time)
            texts.append(row[begin:])
        for listed, _, texts in self._runs:
            if listed:
                texts[:] = _values("".join(texts))

    def numbers(self, name: str) -> dict[int, float]:
        """One field by time, where it is there."""
        if name not in self._parsed:
            found: dict[int, float] = {}
            for names, times, texts in self._runs:
                if name in names:
                    found.update(zip(times, map(float, texts[names.index(name) :: len(names)]), strict=True))
                elif not names:
                    in_lines = ((at, _in_line(line, name)) for at, line in zip(times, texts, strict=True))
                    found.update((at, float(number)) for at, number in in_lines if number)
            self._parsed[name] = found
        return self._parsed[name]

    def by_time(self, names: Iterable[str]) -> dict[int, dict[str, float]]:
        """Some fields of each row, those that it has."""
        found: dict[int, dict[str, float]] = {at: {} for _, times, _ in self._runs for at in times}
        for name in names:
            for at, value in self.numbers(name).items():
                found[at][name] = value
        return found


def _values(joined: str) -> list[Any]:
    """Values, each of which a comma ends, or a semicolon where it is whole; where there are words, all as text."""
    values = joined.replace(";", ",")
    return values.split(",")[:-1] if '"' in values else [*quick_json.read(f"[{values[:-1]}]")]


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
            held = self.held.get(key, {})
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
            touched[measurement] |= self.replace_rows(measurement, tags, rows)
        return {name: times for name, times in touched.items() if times}

    def replace_rows(self, measurement: str, tags: Tags, rows: Rows) -> set[int]:
        """The same of rows of one series; an empty one withdraws what stands. Returns when any changes."""
        key = series_key(measurement, tags)
        held, before = self.rows(key), self.changed_rows.get(key, {})
        fresh = {time: text for time, text in rows.items() if held.get(time, "") != text}
        revised = fresh.keys() & held.keys()
        self.added += len(fresh) - len(revised)
        self.revised += len(revised - before.keys())
        for time in revised:
            old, text = held[time], fresh[time]
            self.retired += bool(old) - bool(text)
            if old and omits(text, old):
                self.withdrawn[key].add(time)
        if fresh:
            self.changed_rows[key] = {**before, **fresh}
            self.columns.pop(key, None)
        return {*fresh}

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
