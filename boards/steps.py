"""The steps of a chain that turns what a query answers into what is shown; no chain is longer than four."""

from collections.abc import Iterable, Mapping
from typing import Any

from boards.frame import Json


def step(kind: str, **options: Any) -> Json:
    """A step of a chain."""
    return {"id": kind, "options": options}


def only(queries: str, *steps: Json) -> list[Json]:
    """Steps of the answers to these queries alone (a name, or a pattern of names); the others stay as they are."""
    return [one | {"filter": {"id": "byRefId", "options": queries}} for one in steps]


MONTH_WORDS = step("formatTime", timeField="Time", outputFormat="YYYY-MM", timezone="${zone:raw}")
"""Times become months of the system's own calendar, as words."""


def calculated(alias: str, left: str, operator: str, right: str | float, *, alone: bool = False) -> Json:
    """A column from two columns, or from one and a number; `alone`: the columns before go, but for the time."""

    def side(one: str | float) -> Json:
        return {"matcher": {"id": "byName", "options": one}} if isinstance(one, str) else {"fixed": str(one)}

    binary = {"left": side(left), "operator": operator, "right": side(right)}
    return step("calculateField", mode="binary", alias=alias, replaceFields=alone, binary=binary)


def rounded(alias: str, field: str) -> Json:
    """A column of the whole numbers of another one."""
    return step("calculateField", mode="unary", alias=alias, unary={"fieldName": field, "operator": "round"})


def first_known(alias: str, *names: str) -> Json:
    """A column that is the first of these that is known."""
    return step("calculateField", mode="reduceRow", alias=alias, reduce={"reducer": "firstNotNull", "include": names})


def organized(order: Iterable[str], names: Mapping[str, str] | None = None, without: Iterable[str] = ("Time",)) -> Json:
    """Columns in order (by their names before), some of them renamed, some left out."""
    return step(
        "organize",
        excludeByName=dict.fromkeys(without, True),
        indexByName={name: at for at, name in enumerate(order)},
        renameByName=dict(names or {}),
    )


def named_days(*before: Json) -> list[Json]:
    """The days of a query that has no name of its own for them, as the words `2026-11-05` in the system's own zone."""
    words = step("formatTime", timeField="Time", outputFormat="YYYY-MM-DD", timezone="${zone:raw}")
    return [*before, words, organized((), {"Time": "Day"}, ())]


def months_in_place(*names: str, how: str = "sum") -> list[Json]:
    """Months from several queries: A has each day of the time shown in a column `Any`, the others have what is known.

    Their sums (or means: `how`) are then in the columns of these names; a month that is wholly missing has its place,
    and no number.
    """
    heads = {"Time": "Month"} | {f"{name} ({how})": name for name in names}
    numbers = dict.fromkeys(names, (how,))
    steps = [MONTH_WORDS, grouped("Time", Any=("first",), **numbers), joined("Time")]
    return [*steps, organized(heads, heads, ("Any (first)",))]


def month_rows(*names: str) -> list[Json]:
    """Months from a query of known days, newest first: the number of days, and the sums of these names."""
    first, *others = names
    heads = {"Time": "Month", f"{first} (count)": "Days"} | {f"{name} (sum)": name for name in names}
    sums = {first: ("count", "sum")} | dict.fromkeys(others, ("sum",))
    return [MONTH_WORDS, grouped("Time", **sums), organized(heads, heads, ()), ordered("Month", desc=True)]


def above(field: str, least: float) -> Json:
    """Only the rows in which it is more than this."""
    config = {"id": "greater", "options": {"value": least}}
    return step("filterByValue", filters=[{"fieldName": field, "config": config}], type="include", match="all")


def grouped(by: str, **sums: tuple[str, ...]) -> Json:
    """Rows of one word become one row."""
    fields = {by: {"operation": "groupby", "aggregations": []}}
    fields |= {name: {"operation": "aggregate", "aggregations": list(how)} for name, how in sums.items()}
    return step("groupBy", fields=fields)


def ordered(field: str, *, desc: bool = False) -> Json:
    """Sorted by one column."""
    return step("sortBy", sort=[{"field": field, "desc": desc}])


def joined(field: str, mode: str = "outer") -> Json:
    """The tables of several queries side by side."""
    return step("joinByField", byField=field, mode=mode)


def as_words(*names: str) -> Json:
    """Columns of numbers become words, which mappings may write with a sign."""
    return step("convertFieldType", conversions=[{"targetField": name, "destinationType": "string"} for name in names])


def known(field: str) -> Json:
    """Only the rows that have this."""
    filters = [{"fieldName": field, "config": {"id": "isNotNull", "options": {}}}]
    return step("filterByValue", filters=filters, type="include", match="all")


def matrix(column: str, row: str, value: str) -> Json:
    """Two columns of words become the heads of columns and rows."""
    return step("groupingToMatrix", columnField=column, rowField=row, valueField=value, emptyValue="null")
