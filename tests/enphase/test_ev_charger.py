"""Sessions of a charger: an energy that the cloud names Wh may be in kWh."""

import pytest

from ingest.core.units import HOUR
from ingest.enphase.streams.base import Odd
from ingest.enphase.streams.ev_charger import SESSIONS


@pytest.mark.parametrize(
    ("energy", "hours", "wh"),
    [
        (7.5, 2, 7500.0),
        (7500, 2, 7500.0),
        (-5000, 1, -5000.0),
        (-5.5, 1, -5500.0),
        (1500, 20, 1500.0),
        (80, 12, 80_000.0),
        (300, 20, 300.0),
        (0, 1, 0.0),
    ],
)
def test_the_energy_of_a_session_is_in_watt_hours(energy: float, hours: int, wh: float) -> None:
    row = {"start_time": 1_750_000_000, "charge_time": hours * HOUR, "energy_added": energy}
    (point,) = SESSIONS.read("1", {"sessions": [row], "device": "C0"})
    assert not isinstance(point, Odd)
    assert point.fields["energy_wh"] == wh
