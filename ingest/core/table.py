"""Points side by side: nearly all of a reply have the same fields, and are handled by the column."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from ingest.core.point import Point, Tags, Value

Names = tuple[str, ...]
"""Those of the fields of a point."""


class Table(NamedTuple):
    """Points of one series with the same fields: their times (epoch s), and each field's values in that order."""

    measurement: str
    tags: Tags
    times: Sequence[int]
    columns: Mapping[str, Sequence[Value]]


class Tabled(Sequence[Point]):
    """Tables as the points that they hold, each of which is made when it is asked for."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self.tables = tuple(table for table in tables if table.times)

    def __len__(self) -> int:
        return sum(len(table.times) for table in self.tables)

    def __iter__(self) -> Iterator[Point]:
        for measurement, tags, times, columns in self.tables:
            for time, values in zip(times, zip(*columns.values(), strict=True), strict=True):
                yield Point(measurement, tags, time, dict(zip(columns, values, strict=True)))

    def __getitem__(self, at: Any) -> Any:
        return list(self)[at]


def tables_of(points: Iterable[Point]) -> Sequence[Table]:
    """Points as tables, one of all of a series that have the same fields; those of the same moment stay in order."""
    if isinstance(points, Tabled):
        return points.tables
    found: list[tuple[str, Tags, list[int], Names, list[Iterable[Value]]]] = []
    begun: dict[tuple[str, Tags], tuple[dict[int, Names], dict[Names, tuple[list[int], list[Iterable[Value]]]]]] = {}
    for measurement, tags, time, fields in points:
        names, (told, tables) = tuple(fields), begun.setdefault((measurement, tags), ({}, {}))
        if told.setdefault(time, names) != names:  # the moment has other fields now, which come after those it had
            told.clear()
            tables.clear()
        if names not in tables:
            tables[names] = [], []
            found.append((measurement, tags, tables[names][0], names, tables[names][1]))
        times, rows = tables[names]
        times.append(time)
        rows.append(fields.values())
    return [
        Table(measurement, tags, times, dict(zip(names, zip(*rows, strict=True), strict=True)))
        for measurement, tags, times, names, rows in found
    ]


def times_of(points: Sequence[Point]) -> list[int]:
    """The times of points."""
    if isinstance(points, Tabled):
        return [*chain.from_iterable(table.times for table in points.tables)]
    return [point.time for point in points]


def extent_of(points: Sequence[Point]) -> tuple[int, int] | None:
    """The first and the last of the times of points."""
    times = sorted(times_of(points))  # they rise, nearly always: quicker than looking at all for either
    return (times[0], times[-1]) if times else None


def joined(parts: Sequence[Iterable[Any]]) -> Iterable[Any]:
    """The points of several parts of a reply, and what is odd of it; tables where all of them are."""
    tabled = [part for part in parts if isinstance(part, Tabled)]
    if len(tabled) < len(parts):
        return chain.from_iterable(parts)
    return Tabled(chain.from_iterable(part.tables for part in tabled))
