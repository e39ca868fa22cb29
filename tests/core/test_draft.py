"""Part of the archive and what changes in it: each row is counted once, as what it is."""

import pytest

from ingest.core.draft import Draft, gained
from ingest.core.point import Point


def test_a_row_that_is_merged_twice_is_counted_once() -> None:
    draft = Draft({"grid": {900: "imported_wh=1.0", 1800: "imported_wh=2.0"}})
    draft.merge([Point("grid", (), 900, {"exported_wh": 5.0}), Point("grid", (), 1800, {"imported_wh": 3.0})])
    draft.merge([Point("grid", (), at, {"net_wh": 4.0}) for at in (900, 1800, 2700)])
    assert (draft.added, draft.revised, draft.completed) == (1, 2, 1)


@pytest.mark.parametrize(
    ("old", "new", "gain"),
    [
        ("energy_wh=5.0,power_w=1.0", "energy_wh=9.0,power_w=2.0", 4.0),
        ("imported_wh=1.0,exported_wh=5.0", "imported_wh=1.0,exported_wh=9.0", 4.0),
        ("charged_wh=0.0,discharged_wh=5.0", "charged_wh=0.0,discharged_wh=9.0", 4.0),
        ("soc_percent=5.0", "soc_percent=9.0", 0.0),
    ],
)
def test_what_a_row_gains_is_that_of_all_its_energies(old: str, new: str, gain: float) -> None:
    assert gained(old, new) == gain
