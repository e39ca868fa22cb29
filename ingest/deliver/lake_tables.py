"""Tables of a Parquet data set: `time`, then the tags, then the fields, each row one point; a table is one month.

A column tells by its metadata whether it is a tag or a field. What a point has not is null.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from ingest.core.point import Point, Tags, Value
from ingest.core.tally import NOTHING, FieldTotal

TIME = "time"
RESERVED = (TIME, "measurement", "month")
"""The time, and what the folders say: a field that is called so is the column `field_month`."""
MOMENT = pa.timestamp("ms", tz="UTC")
"""Parquet has no coarser one; times are whole seconds."""
TAG, FIELD = {b"kind": b"tag"}, {b"kind": b"field"}
_ROW, _FRESH = "_row", "_fresh"


def of_points(points: Iterable[Point]) -> pa.Table:
    """The points of one measurement; of two with the same tags and time the later counts."""
    rows: dict[tuple[Tags, int], Mapping[str, Value]] = {(point.tags, point.time): point.fields for point in points}
    tags = {name for labels, _ in rows for name, _ in labels}
    texts = {name: isinstance(value, str) for fields in rows.values() for name, value in fields.items()}
    schema = widest([pa.schema([pa.field(TIME, MOMENT, nullable=False)])], tags, texts)
    labels = [dict(of) for of, _ in rows]
    columns: list[pa.Array] = []
    for column in schema:
        if column.name == TIME:
            columns.append(pa.array([time * 1000 for _, time in rows], pa.int64()).cast(MOMENT))
        else:
            source: Sequence[Mapping[str, Value]] = labels if is_tag(column) else [*rows.values()]
            name = field_name(column.name)
            columns.append(pa.array([row.get(name) for row in source], column.type))
    return pa.Table.from_arrays(columns, schema=schema)


def column_name(field: str) -> str:
    """The column of a field."""
    return f"field_{field}" if field in RESERVED else field


def field_name(column: str) -> str:
    """The reverse of `column_name`; a tag has the name of its column."""
    name = column.removeprefix("field_")
    return name if name in RESERVED else column


def is_tag(column: pa.Field) -> bool:
    """Whether a column is a tag."""
    return bool(column.metadata and column.metadata.get(b"kind") == b"tag")


def widest(
    schemas: Iterable[pa.Schema], tags: Iterable[str] = (), texts: Mapping[str, bool] | None = None
) -> pa.Schema:
    """All the columns of some schemas, with more tags and fields (True: of text), in the order of every file."""
    columns = {column.name: column for schema in schemas for column in schema}
    for name in tags:
        columns.setdefault(name, pa.field(name, pa.string(), metadata=TAG))
    for name, is_text in (texts or {}).items():
        name = column_name(name)  # noqa: PLW2901 - from here on that of the column
        columns.setdefault(name, pa.field(name, pa.string() if is_text else pa.float64(), metadata=FIELD))
    ordered = sorted(columns.values(), key=lambda column: (column.name != TIME, not is_tag(column), column.name))
    return pa.schema(ordered)


def with_columns(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table with the columns of a wider schema."""
    held = set(table.column_names)
    columns = [
        table[column.name] if column.name in held else pa.nulls(table.num_rows, column.type) for column in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def merged(held: pa.Table, fresh: pa.Table) -> pa.Table:
    """The rows of both, sorted by tags and time. Of those with the same tags and time the fields are merged: those of
    `fresh` win, what it omits stays, as in every other database.
    """
    schema = widest([held.schema, fresh.schema])
    held, fresh = with_columns(held, schema), with_columns(fresh, schema)
    keys = [column.name for column in schema if is_tag(column)]
    rows = _numbered(held, keys, _ROW).join(
        _numbered(fresh, keys, _FRESH), keys=[TIME, *keys], join_type="full outer", coalesce_keys=True
    )
    both = rows.filter(pc.and_(pc.is_valid(rows[_ROW]), pc.is_valid(rows[_FRESH])))
    old, new = held.take(both[_ROW]), fresh.take(both[_FRESH])
    mixed = [pc.coalesce(new[column.name], old[column.name]) for column in schema]
    rest = held.take(rows.filter(pc.is_null(rows[_FRESH]))[_ROW])
    more = fresh.take(rows.filter(pc.is_null(rows[_ROW]))[_FRESH])
    return in_order(pa.concat_tables([rest, more, pa.Table.from_arrays(mixed, schema=schema)]))


def _numbered(table: pa.Table, keys: Sequence[str], name: str) -> pa.Table:
    """What tells rows apart, with the number of each."""
    return _keys(table, keys).append_column(name, pa.array(range(table.num_rows), pa.int64()))


def in_order(table: pa.Table) -> pa.Table:
    """The same rows by tags and time: what is asked together lies together."""
    keys = [column.name for column in table.schema if is_tag(column)]
    return table.sort_by([(name, "ascending") for name in (*keys, TIME)])


def _keys(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """What tells rows apart, without nulls, which equal nothing."""
    columns = [table[TIME].cast(pa.int64()), *(pc.fill_null(table[name], "") for name in names)]
    return pa.table(columns, names=[TIME, *names])


def between(table: pa.Table, start: int, end: int) -> pa.Table:
    """The rows with `start <= time < end` (epoch s)."""
    return table.filter(_within(table, start, end))


def without(table: pa.Table, system: str, start: int, end: int) -> pa.Table:
    """The rows but those of a system with `start <= time < end` (epoch s)."""
    return table.filter(pc.invert(pc.and_(_within(table, start, end), pc.equal(_systems(table), system))))


def _within(table: pa.Table, start: int, end: int) -> Any:
    times = table[TIME].cast(pa.int64())
    return pc.and_(pc.greater_equal(times, start * 1000), pc.less(times, end * 1000))


def _systems(table: pa.Table) -> Any:
    if "system" in table.column_names:
        return pc.fill_null(table["system"], "")
    return pa.array([""] * table.num_rows, pa.string())


def totals(table: pa.Table) -> dict[str, dict[str, FieldTotal]]:
    """Counts and sums of the fields, by system."""
    fields = [column for column in table.schema if column.name != TIME and not is_tag(column)]
    columns = [_systems(table), *(table[column.name] for column in fields)]
    wanted = [(column.name, "count") for column in fields]
    wanted += [(column.name, "sum") for column in fields if column.type == pa.float64()]
    rows = pa.table(columns, names=["_system", *(column.name for column in fields)]).group_by("_system")
    return {
        row["_system"]: {
            field_name(column.name): FieldTotal(count, row.get(f"{column.name}_sum") or 0.0)
            for column in fields
            if (count := row[f"{column.name}_count"])
        }
        for row in rows.aggregate(wanted).to_pylist()
    }


def added(left: Mapping[str, FieldTotal], right: Mapping[str, FieldTotal]) -> dict[str, FieldTotal]:
    """The sums of both."""
    pairs = {name: (left.get(name, NOTHING), right.get(name, NOTHING)) for name in {*left, *right}}
    return {
        name: FieldTotal(first.number + second.number, first.sum + second.sum)
        for name, (first, second) in pairs.items()
    }


def store(table: pa.Table, place: Any, path: str) -> None:
    """Write a file to a file system of pyarrow."""
    parquet.write_table(table, path, filesystem=place, compression="zstd", row_group_size=500_000)


def on_disk(path: str) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
