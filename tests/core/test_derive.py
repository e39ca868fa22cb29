"""Derived energy: only where its inputs are complete."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from ingest.core.derive import Quarters, energy, quarters

quarter_starts = st.integers(0, 20).map(lambda index: index * 900)
amounts = st.dictionaries(quarter_starts, st.floats(0, 1e6))


def by_time(found: Iterable[Quarters]) -> dict[int, dict[str, float]]:
    return {
        time: {name: values[at] for name, values in quarters.fields.items()}
        for quarters in found
        for at, time in enumerate(quarters.times)
    }


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
    found = by_time(energy(times, {"produced_wh": produced, "consumed_wh": consumed}))
    assert times & (produced.keys() | consumed.keys()) == found.keys()
    for time, fields in found.items():
        names = {"produced_wh"} if time in produced else set()
        names |= {"consumed_wh"} if time in consumed else set()
        names |= {"net_wh", "self_consumed_wh"} if time in produced and time in consumed else set()
        assert names == fields.keys()


def test_self_consumption_is_what_was_made_and_used_within_the_quarter() -> None:
    found = energy([900, 0], {"produced_wh": {0: 300.0, 900: 0.0}, "consumed_wh": {0: 100.0, 900: 50.0}})
    first = {"produced_wh": 300.0, "consumed_wh": 100.0, "net_wh": 200.0, "self_consumed_wh": 100.0}
    second = {"produced_wh": 0.0, "consumed_wh": 50.0, "net_wh": -50.0, "self_consumed_wh": 0.0}
    assert {0: first, 900: second} == by_time(found)


ALL = {"produced_wh": 500.0, "consumed_wh": 450.0, "imported_wh": 50.0, "exported_wh": 100.0}
BATTERY = {"charged_wh": 30.0, "discharged_wh": 80.0}


def at_noon(flows: dict[str, float], *, has_battery: bool = False) -> dict[str, object]:
    found = by_time(energy([0], {name: {0: wh} for name, wh in flows.items()}, has_battery=has_battery))
    return dict(found[0])


def test_what_is_not_exported_is_used_by_the_home_itself() -> None:
    assert 400.0 == at_noon(ALL)["self_consumed_wh"]
    assert 0.0 == at_noon(ALL | {"exported_wh": 600.0})["self_consumed_wh"], "a battery may export too"


def test_the_balance_is_what_came_in_less_what_went_out() -> None:
    assert 0.0 == at_noon(ALL)["balance_wh"]
    assert 7.0 == at_noon(ALL | {"imported_wh": 57.0})["balance_wh"]


def test_with_a_battery_consumption_is_what_the_home_uses_without_it() -> None:
    metered = ALL | BATTERY  # the meter counts the battery: 500 + 50 - 100
    fields = at_noon(metered, has_battery=True)
    assert (500.0, 0.0) == (fields["consumed_wh"], fields["balance_wh"])


def test_without_the_battery_of_an_interval_its_consumption_is_not_known() -> None:
    fields = at_noon(ALL, has_battery=True)
    assert not {"consumed_wh", "net_wh", "balance_wh"} & fields.keys()
    assert 400.0 == fields["self_consumed_wh"]
