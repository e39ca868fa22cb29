"""Intervals shorter than those of their stream: put together where all parts are there."""

import pytest

from ingest.core.point import Point
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Odd

QUARTER = 900
START = 1_750_000_500
"""A quarter of an hour."""


@pytest.mark.parametrize(
    ("ends", "points", "odd"),
    [
        ([900, 1800], {0: 1, 900: 2}, []),
        ([300, 600, 900], {0: 6}, []),
        ([900, 300, 600], {0: 6}, []),
        ([300, 600, 900, 1200, 1500], {0: 6}, []),
        ([300, 600, 900, 1200, 1800, 2100, 2400, 2700], {0: 6, 1800: 21}, [900]),
        ([300, 600, 900, 1800, 2100, 2400, 2700], {0: 6, 1800: 18}, [900]),
        ([900, 1800, 2127, 2700], {0: 1, 900: 2, 1227: 3, 1800: 4}, []),
        ([100, 1000, 1900], {-800: 1, 100: 2, 1000: 3}, []),
    ],
    ids=["quarters", "three parts", "in any order", "growing", "a hole", "one left", "one astray", "another grid"],
)
def test_parts_of_an_interval_are_put_together(ends: list[int], points: dict[int, int], odd: list[int]) -> None:
    rows = [{"end_at": START + end, "wh_consumed": wh} for wh, end in enumerate(ends, 1)]
    found = list(BY_NAME["heat_pump"].read("1", {"intervals": rows}))
    read = {at.time - START: at.fields["energy_wh"] for at in found if isinstance(at, Point)}
    assert read == points
    assert [at.time - START for at in found if isinstance(at, Odd) and at.time is not None] == odd


def test_energies_are_added_and_power_is_their_mean_and_the_newest_charge_counts() -> None:
    rows = [
        {"end_at": START + end, "charge": {"enwh": 5}, "discharge": {"enwh": lost}, "soc": {"percent": end / 100}}
        for end, lost in ((300, 1), (600, None), (900, 1))
    ]
    (point,) = BY_NAME["battery"].read("1", {"intervals": rows})
    assert isinstance(point, Point)
    assert point.fields == {"charged_wh": 15, "soc_percent": 9}, "a sum without one of its parts would be too small"
    meters = [{"end_at": START + end, "enwh": end, "devices_reporting": 1} for end in (300, 600, 900)]
    (point,) = BY_NAME["consumption"].read("1", {"intervals": meters, "total_devices": 1})
    assert isinstance(point, Point)
    assert point.fields == {"energy_wh": 1800, "power_w": 7200, "devices_reporting": 1, "devices_total": 1}
