"""Part of the archive and what changes in it: each row is counted once, as what it is."""

from ingest.core.draft import Draft
from ingest.core.point import Point


def test_a_row_that_is_merged_twice_is_counted_once() -> None:
    draft = Draft({"grid": {900: "imported_wh=1.0", 1800: "imported_wh=2.0"}})
    draft.merge([Point("grid", (), 900, {"exported_wh": 5.0}), Point("grid", (), 1800, {"imported_wh": 3.0})])
    draft.merge([Point("grid", (), at, {"net_wh": 4.0}) for at in (900, 1800, 2700)])
    assert (draft.added, draft.revised, draft.completed) == (1, 2, 1)
