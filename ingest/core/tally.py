"""Counts and sums of points, by which an archive and a database are held against each other."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ingest.core.point import decode_fields


class MeasuredSystem(NamedTuple):
    """A measurement of a system; points that belong to no system have an empty one."""

    measurement: str
    system: str


class FieldTotal(NamedTuple):
    """How often a field is there, and what its numbers sum to; texts count, and sum to nothing."""

    number: int
    sum: float


NOTHING = FieldTotal(0, 0.0)
Totals = Mapping[str, FieldTotal]
"""By field."""
Tally = Mapping[MeasuredSystem, Totals]
"""What one stretch of time holds."""


def totals(rows: Iterable[str]) -> dict[str, FieldTotal]:
    """The totals of encoded field sets."""
    counts: dict[str, int] = {}
    sums: dict[str, float] = {}
    for text in rows:
        for name, value in decode_fields(text).items():
            counts[name] = counts.get(name, 0) + 1
            sums[name] = sums.get(name, 0.0) + (value if isinstance(value, float) else 0.0)
    return {name: FieldTotal(count, sums[name]) for name, count in counts.items()}


def is_equal(one: Totals, two: Totals) -> bool:
    """Whether two totals say the same; sums of floats may differ by the order in which they were added."""
    return one.keys() == two.keys() and all(
        total.number == two[name].number and math.isclose(total.sum, two[name].sum, rel_tol=1e-9, abs_tol=1e-6)
        for name, total in one.items()
    )
