"""Many rows of a series at once: made of columns, compared with others, and read by field."""

from collections import defaultdict
from collections.abc import Collection, ItemsView, Iterable, Iterator, KeysView, Mapping, Sequence, ValuesView
from functools import cached_property
from itertools import chain, compress, groupby, repeat, starmap
from operator import itemgetter, lt
from typing import Any

from ingest.core import quick_json
from ingest.core.point import (
    Tags,
    Value,
    encode_alike,
    encode_columns,
    is_line,
    line_fields,
    line_form,
    merge_fields,
    omits,
)
from ingest.core.table import Table

Rows = Mapping[int, str]
"""Rows of one series, by time."""
RowsBySeries = Mapping[tuple[str, Tags], Rows]
"""Rows by measurement and tags."""


class AlikeRows(Mapping[int, str]):
    """Rows that all have the same names, in order of time; they are put together when any is asked for.

    `names` stand before the values of each (`energy_wh,power_w:`), which are `texts`: nobody need look for them again.
    """

    def __init__(self, names: str, times: Sequence[int], texts: Sequence[str]) -> None:
        self.names, self.texts = names, texts
        self._times = times

    @cached_property
    def _rows(self) -> dict[int, str]:
        return dict(zip(self._times, [self.names + text for text in self.texts], strict=True))

    def __len__(self) -> int:
        return len(self._times)

    def __iter__(self) -> Iterator[int]:
        return iter(self._times)

    def __contains__(self, time: object) -> bool:
        return time in self._rows

    def __getitem__(self, time: int) -> str:
        return self._rows[time]

    def keys(self) -> KeysView[int]:
        """The times."""
        return self._rows.keys()

    def values(self) -> ValuesView[str]:
        """The rows."""
        return self._rows.values()

    def items(self) -> ItemsView[int, str]:
        """The times and the rows."""
        return self._rows.items()


def of_columns(times: Sequence[int], columns: Mapping[str, Sequence[Value]]) -> Rows:
    """Rows at times that rise, of columns that hold a value each for every one of them."""
    names, texts = encode_alike(columns)
    return AlikeRows(names, times, texts) if names else dict(zip(times, texts, strict=True))


def by_series(tables: Iterable[Table]) -> RowsBySeries:
    """Points as rows, by measurement, tags and time; points of the same moment are merged, the later wins."""
    found: dict[tuple[str, Tags], list[Table]] = defaultdict(list)
    for table in tables:
        found[table.measurement, table.tags].append(table)
    return {series: _rows(some) for series, some in found.items()}


def _rows(tables: Sequence[Table]) -> Rows:
    if len(tables) == 1:
        times = tables[0].times
        if all(map(lt, times, times[1:])):
            return of_columns(times, tables[0].columns)
    times = [time for table in tables for time in table.times]
    texts = [text for table in tables for text in encode_columns(table.columns)]
    merged: dict[int, str] = {}
    for time, text in zip(times, texts, strict=True):
        merged[time] = merge_fields(merged[time], text) if time in merged else text
    return dict(sorted(merged.items()))


def differing(rows: Rows, held: Mapping[int, str]) -> tuple[Rows, int]:
    """The rows that are new or change something, as they are to be, and how many of them change something."""
    if not held:
        return rows, 0
    fresh: dict[int, str] = {}
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


def omitting(times: Collection[int], news: Sequence[str], olds: Sequence[str]) -> Iterable[int]:
    """Those of some times at which a row has not every field of the one before; quick where none has not."""
    if "=" not in "".join(chain(olds, news)):  # there are no lines
        kinds = dict(zip(zip(_names_in(olds), _names_in(news), strict=True), zip(news, olds, strict=True), strict=True))
        if not any(starmap(omits, kinds.values())):
            return ()
    return compress(times, map(omits, news, olds))


def _names_in(rows: Iterable[str]) -> Iterator[str]:
    return map(itemgetter(0), map(str.partition, rows, repeat(":")))


def first_names(rows: Iterable[str]) -> str:
    """What the first of some rows begins with (`energy_wh,power_w:`); empty where it is a line, or there is none."""
    first = next(iter(rows), "")
    return "" if is_line(first) else first[: first.find(":") + 1]


def exchanged(rows: Collection[str], names: str, others: str) -> list[str] | None:
    """Rows, each after the same `names` (`energy_wh,power_w:`), in whose place `others` stand; None where one has other
    names, or may be a line.
    """
    joined, found = "".join(rows), [others + row.removeprefix(names) for row in rows]
    is_same = len("".join(found)) == len(joined) + (len(others) - len(names)) * len(found)
    return found if is_same and "=" not in joined else None


def encode_lines(rows: Iterable[tuple[str, int, str]]) -> list[str]:
    """A line for each of some rows (series key, time, row); quick where many in a row are of one series and alike."""
    lines: list[str] = []
    for series, some in groupby(rows, key=itemgetter(0)):
        _, times, texts = zip(*some, strict=True)
        names, values = _apart(texts)
        if values is None:
            lines += [f"{series} {line_fields(text)} {time}" for time, text in zip(times, texts, strict=True)]
        else:
            listed, width = "".join(values).replace(";", ".0,").split(","), names.count(",") + 1
            columns = [listed[at:-1:width] for at in range(width)]
            form = f"{series.replace('%', '%%')} {line_form(names[:-1])} %d"
            lines += map(form.__mod__, zip(*columns, repeat(""), times, strict=False))
    return lines


class Columns:
    """The rows of one series by field: all numbers of a field are read at once, when it is asked for."""

    def __init__(self, rows: Mapping[int, str]) -> None:
        self._parsed: dict[str, dict[int, float]] = {}
        self._runs: list[tuple[Sequence[str], list[int], list[Any]]] = []
        """Of rows with the same names: these, the times, and the values row by row. Of lines, which have no such
        names, the lines.
        """
        names, values = (rows.names, rows.texts) if isinstance(rows, AlikeRows) else _apart(rows.values())
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


def _apart(rows: Collection[str]) -> tuple[str, Sequence[str] | None]:
    """The names that all of some rows have, and the values of each; None where there is no such."""
    names = first_names(rows)
    return names, exchanged(rows, names, "") if names else None


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
