"""Many rows at once are the same as each by itself."""

from collections.abc import Mapping
from itertools import compress

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.core.point import Value, encode_fields, omits
from ingest.core.series_rows import AlikeRows, Columns, by_series, of_columns, omitting
from ingest.core.table import Table

numbers = st.integers(-(2**70), 2**70) | st.floats(-1e6, 1e6)
values: st.SearchStrategy[Value] = numbers | st.sampled_from(["ok", "a,b", "3.5", ""])
moments = st.tuples(st.integers(0, 5), values, values)


@given(st.lists(moments, unique_by=lambda moment: moment[0]).map(sorted), st.sampled_from(["power_w", "a b"]))
@example([(0, 1, 2), (3, 5, 7)], "power_w")
@example([(0, 1, "ok"), (3, 5, "ok")], "power_w")
def test_rows_of_columns_are_those_of_each_moment(many: list[tuple[int, Value, Value]], other: str) -> None:
    times, columns = (
        [at for at, *_ in many],
        {"energy_wh": [one for _, one, _ in many], other: [two for *_, two in many]},
    )
    rows = of_columns(times, columns)
    expected = {at: encode_fields({"energy_wh": one, other: two}) for at, one, two in many}
    assert (rows, [*rows.items()]) == (expected, [*expected.items()])
    assert ([*rows], [*rows.keys()], [*rows.values()]) == (times, times, [*expected.values()])
    assert [rows.get(at, "") for at in range(6)] == [expected.get(at, "") for at in range(6)]
    assert [at in rows for at in range(6)] == [at in expected for at in range(6)]
    assert (len(rows), bool(rows), {**rows}) == (len(expected), bool(expected), expected)


def test_whole_numbers_are_read_from_rows_as_from_text() -> None:
    rows = of_columns([0, 300], {"energy_wh": [84, 85], "power_w": [-1008, 1020]})
    assert isinstance(rows, AlikeRows)
    for held in (rows, {**rows}):
        assert Columns(held).numbers("power_w") == {0: -1008.0, 300: 1020.0}
        assert {*map(type, Columns(held).numbers("power_w").values())} == {float}


def test_a_series_whose_times_do_not_rise_is_put_in_order() -> None:
    for times in ([300, 0], [0, 300, 0]):
        table = Table("energy", (), times, {"energy_wh": [*range(len(times))]})
        expected = {at: encode_fields({"energy_wh": index}) for index, at in enumerate(times)}
        assert [*by_series([table])["energy", ()].items()] == sorted(expected.items())


fields = st.dictionaries(st.sampled_from(["a", "b", "a:b", "c d"]), st.floats(0, 9) | st.just('"a,":'), max_size=3)


@given(st.lists(st.tuples(fields, fields), max_size=5))
@example([({"a:b": 1.0}, {"a:b": 1.0, "b": 1.0}), ({"a:b": 1.0, "b": 2.0}, {"a:b": 1.0})])
@example([({"a": 1.0}, {"a": 1.0, "b": 1.0}), ({"a": 1.0, "b": 2.0}, {"a": 1.0}), ({}, {"a": 1.0}), ({"a": 1.0}, {})])
def test_what_rows_omit_is_found_as_in_each_by_itself(
    many: list[tuple[Mapping[str, Value], Mapping[str, Value]]],
) -> None:
    news, olds = (
        [encode_fields(some) if some else "" for some in row] for row in ([a for a, _ in many], [b for _, b in many])
    )
    expected = [*compress(range(len(many)), map(omits, news, olds))]
    assert [*omitting(range(len(many)), news, olds)] == expected
