"""Derived energy: only where its inputs are complete."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.core.derive import energy, quarters
from ingest.core.point import Point

quarter_starts = st.integers(0, 20).map(lambda index: index * 900)
amounts = st.dictionaries(quarter_starts, st.floats(0, 1e6))


@given(st.dictionaries(st.integers(0, 30).map(lambda index: index * 300), st.floats(0, 1e6)))
def test_a_quarter_is_the_sum_of_all_three_of_its_parts(parts: dict[int, float]) -> None:
    whole = {
        start: sum(parts[start + offset] for offset in (0, 300, 600))
        for start in range(0, 31 * 300, 900)
        if all(start + offset in parts for offset in (0, 300, 600))
    }
    sums = quarters(parts)
    assert whole.keys() == sums.keys()
    assert all(abs(whole[start] - sums[start]) <= 1e-6 for start in whole)


def test_a_quarter_with_a_part_missing_is_left_out() -> None:
    assert quarters({0: 1.0, 300: 1.0, 900: 1.0, 1200: 1.0, 1500: 1.0}) == {900: 3.0}


@given(st.sets(quarter_starts), amounts, amounts)
def test_each_field_is_there_only_where_its_inputs_are(
    times: set[int], produced: dict[int, float], consumed: dict[int, float]
) -> None:
    points = {point.time: point.fields for point in energy("1", times, produced, consumed)}
    assert times & (produced.keys() | consumed.keys()) == points.keys()
    for time, fields in points.items():
        names = {"produced_wh"} if time in produced else set()
        names |= {"consumed_wh"} if time in consumed else set()
        names |= {"net_wh", "self_consumed_wh"} if time in produced and time in consumed else set()
        assert names == fields.keys()


def test_self_consumption_is_what_was_made_and_used_within_the_quarter() -> None:
    (sunny, dark) = energy("1", [900, 0], {0: 300.0, 900: 0.0}, {0: 100.0, 900: 50.0})
    first = {"produced_wh": 300.0, "consumed_wh": 100.0, "net_wh": 200.0, "self_consumed_wh": 100.0}
    second = {"produced_wh": 0.0, "consumed_wh": 50.0, "net_wh": -50.0, "self_consumed_wh": 0.0}
    assert [
        Point("energy", (("system", "1"),), 0, first),
        Point("energy", (("system", "1"),), 900, second),
    ] == [sunny, dark]
