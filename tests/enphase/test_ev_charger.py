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


BEGAN = 1_750_000_000
CASES: dict[str, tuple[list[tuple[object, int | None] | None], list[float]]] = {
    "one that can only be Wh": ([(20, HOUR), (8000, 2 * HOUR)], [20.0, 8000.0]),
    "one that can only be kWh": ([(7.5, 2 * HOUR), (0.3, 60), (12, None)], [7500.0, 300.0, 12_000.0]),
    "both": ([(7.5, 2 * HOUR), (300, 2 * HOUR)], [7.5, 300.0]),
    "no time of charging": ([(200, None)], [200.0]),
    "a row that is none": ([(20, HOUR), None, ("n/a", HOUR)], [20_000.0]),
}


@pytest.mark.parametrize("name", CASES)
def test_all_sessions_of_a_charger_are_in_one_unit(name: str) -> None:
    sessions, expected = CASES[name]
    rows = [
        {"start_time": BEGAN + at, "energy_added": known[0], "charge_time": known[1], "duration": 10 * HOUR}
        if known
        else None
        for at, known in enumerate(sessions)
    ]
    found = [at for at in SESSIONS.read("1", {"sessions": rows, "device": "C0"}) if not isinstance(at, Odd)]
    assert [at.fields["energy_wh"] for at in found] == expected
