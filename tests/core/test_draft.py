"""Part of the archive and what changes in it: each row is counted once, as what it is."""

import pytest

from ingest.core.draft import Draft, gained
from ingest.core.point import Point, decode_fields
from ingest.core.series_rows import Columns


def test_a_row_that_is_merged_twice_is_counted_once() -> None:
    draft = Draft({"grid": {900: "imported_wh:1;", 1800: "imported_wh:2;"}})
    draft.merge([Point("grid", (), 900, {"exported_wh": 5.0}), Point("grid", (), 1800, {"imported_wh": 3.0})])
    draft.merge([Point("grid", (), at, {"net_wh": 4.0}) for at in (900, 1800, 2700)])
    assert (draft.added, draft.revised, draft.corrections()) == (1, 2, (1, 1.0))


def test_rows_that_lose_everything_are_counted_and_those_that_get_something_again() -> None:
    draft = Draft({"energy": {0: "produced_wh:1;", 900: "produced_wh:2;", 1800: "", 2700: "produced_wh:3;"}})
    draft.replace_rows("energy", (), {0: "", 900: "produced_wh:5;", 1800: "produced_wh:4;", 2700: "consumed_wh:3;"})
    assert (draft.added, draft.revised, draft.retired, draft.withdrawn) == (0, 4, 0, {"energy": {0, 2700}})
    draft.replace_rows("energy", (), {900: "", 1800: "produced_wh:4;"})
    assert (draft.revised, draft.retired, draft.withdrawn) == (4, 1, {"energy": {0, 900, 2700}})


def test_the_parts_of_an_energy_are_corrected_but_counted_once() -> None:
    held = {name: {900: "energy_wh:1;"} for name in ("production_rgm", "production_rgm_channel")}
    draft = Draft(held)
    draft.merge([Point(name, (), 900, {"energy_wh": 3.0}) for name in held])
    assert draft.corrections() == (2, 2.0)


@pytest.mark.parametrize(
    ("old", "new", "gain"),
    [
        ("energy_wh,power_w:5;1;", "energy_wh,power_w:9;2;", 4.0),
        ("imported_wh,exported_wh:1;5;", "imported_wh,exported_wh:1;9;", 4.0),
        ("charged_wh,discharged_wh:0;5;", "charged_wh,discharged_wh:0;9;", 4.0),
        ("soc_percent:5;", "soc_percent:9;", 0.0),
    ],
)
def test_what_a_row_gains_is_that_of_all_its_energies(old: str, new: str, gain: float) -> None:
    assert gained(decode_fields(old), decode_fields(new)) == gain


def test_a_field_is_found_in_rows_of_every_kind() -> None:
    rows = ["a,b:1;2.5,", "", "a:7;", 'a=3.0,date="x"', "ab:9;", "a,b:4;5;", 'note="x"', "b,c:8;9;", "a,b:-0;1e+16,"]
    held = dict(enumerate(rows))
    assert Columns(held).numbers("a") == {0: 1.0, 2: 7.0, 3: 3.0, 5: 4.0, 8: 0.0}
    assert Columns(held).numbers("b") == {0: 2.5, 5: 5.0, 7: 8.0, 8: 1e16}
