"""Points side by side are the same points, and merged they are the same rows."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ingest.core.point import Point, encode_fields, merge_fields
from ingest.core.series_rows import by_series
from ingest.core.table import Tabled, joined, tables_of, times_of

names = st.sampled_from(["energy_wh", "power_w", "soc_percent"])
points = st.lists(
    st.builds(
        Point,
        st.sampled_from(["battery", "energy"]),
        st.sampled_from([(), (("system", "1"),), (("system", "2"),)]),
        st.integers(0, 3),
        st.dictionaries(names, st.floats(-5, 5), min_size=1),
    ),
    max_size=12,
)


def of_moments(many: Sequence[Point]) -> dict[tuple[str, object, int], list[Point]]:
    found: dict[tuple[str, object, int], list[Point]] = {}
    for point in many:
        found.setdefault((point.measurement, point.tags, point.time), []).append(point)
    return found


@given(points)
def test_tables_hold_the_same_points_of_each_moment_in_the_same_order(many: list[Point]) -> None:
    tabled = Tabled(tables_of(many))
    assert of_moments(list(tabled)) == of_moments(many)
    assert len(tabled) == len(many)
    assert sorted(times_of(tabled)) == sorted(point.time for point in many)
    assert [tabled[at] for at in range(len(tabled))] == list(tabled)
    assert tables_of(tabled) is tabled.tables


@given(points)
def test_of_points_of_one_moment_the_later_wins(many: list[Point]) -> None:
    rows: dict[tuple[str, object], dict[int, str]] = {}
    for measurement, tags, time, fields in many:
        mine = rows.setdefault((measurement, tags), {})
        mine[time] = merge_fields(mine.get(time, ""), encode_fields(fields))
    assert by_series(tables_of(many)) == rows


def test_rows_whose_fields_come_and_go_make_few_tables_and_are_in_order_of_time() -> None:
    fields: list[dict[str, float]] = [{"energy_wh": 1.0}, {"energy_wh": 2.0, "power_w": 8.0}]
    many = [Point("energy", (), time, fields[time % 2]) for time in range(100)]
    tables = tables_of(many)
    assert [(table.times, *table.columns) for table in tables] == [
        ([*range(0, 100, 2)], "energy_wh"),
        ([*range(1, 100, 2)], "energy_wh", "power_w"),
    ]
    assert [*by_series(tables)["energy", ()]] == [*range(100)]


@given(points, points)
def test_parts_that_are_joined_hold_the_points_of_both(one: list[Point], other: list[Point]) -> None:
    tabled = Tabled(tables_of(one)), Tabled(tables_of(other))
    assert isinstance(joined(tabled), Tabled)
    assert list(joined(tabled)) == [*tabled[0], *tabled[1]]
    assert list(joined([tabled[0], other])) == [*tabled[0], *other]
