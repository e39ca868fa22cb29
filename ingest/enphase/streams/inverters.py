"""Every panel by itself: its energy since installation, read once a night. Reference: 7.13.

What a panel made in a day is the difference of the readings of two nights.
"""

from collections.abc import Iterator, Mapping
from functools import partial

from ingest.core.point import Point
from ingest.core.units import DAY
from ingest.enphase.streams.base import Auto, DailyDifference, Field, Json, Odd, Pages, Route, Stream, nothing, numbered
from ingest.enphase.streams.page_numbers import DEVICES, number_after
from ingest.enphase.streams.readers import each, identity, maybe_moment, number

PAGE_SIZE = 100
"""The most panels a page may hold (reference 5)."""
UNITS = {"Wh": 1.0, "kWh": 1000.0, "MWh": 1e6, "kJ": 1 / 3.6, "MJ": 1000 / 3.6, "J": 1 / 3600, "W": 1.0, "kW": 1000.0}
"""Wh or W of a unit that the cloud may name."""
FIELDS = {
    "lifetime_wh": Field("energy", "energy since installation, Wh"),
    "power_w": Field("power_produced", "power at its last report, W"),
    "last_report_at": Field("last_report_date", "when it last reported, epoch seconds"),
}


def _read(system: str, reply: Json) -> Iterator[Point | Odd]:
    """A point a panel; its time is that of the call, which is filled in where it is recorded."""
    if not isinstance(reply["rows"], list):
        raise TypeError("a list of gateways is due")
    return each(reply["rows"], partial(_gateway, system))


def _gateway(system: str, row: Json) -> Iterator[Point | Odd]:
    return each(row["micro_inverters"], partial(_panel, system))


def _panel(system: str, row: Json) -> Iterator[Point]:
    tags = identity(("inverter", row["serial_number"]), ("system", system))
    found = {
        "lifetime_wh": _quantity(row.get("energy")),
        "power_w": _quantity(row.get("power_produced")),
        "last_report_at": maybe_moment(row.get("last_report_date")),
    }
    fields = {name: float(value) for name, value in found.items() if value is not None}
    if fields:
        yield Point("inverter", tags, 0, fields)


def _quantity(value: object) -> float | None:
    """A bare number, or an object with value and units. ValueError for a unit that is not known."""
    if not isinstance(value, Mapping):
        return number(value)
    unit = value.get("units", "Wh")
    if unit not in UNITS:
        raise ValueError(f"{str(unit)[:20]!r} is not a known unit")
    found = number(value.get("value"))
    return None if found is None else found * UNITS[unit]


def _following(reply: Json) -> str:
    """The page after a full one of panels: the list of gateways tells neither its number nor how many there are."""
    lists = [gateway.get("micro_inverters") for gateway in reply["rows"] if isinstance(gateway, Mapping)]
    panels = sum(len(listed) for listed in lists if isinstance(listed, list))
    return number_after(reply, panels, PAGE_SIZE, DEVICES)


PATH = "systems/inverters_summary_by_envoy_or_site"
STREAM = Stream(
    name="inverters",
    label="each panel, by day",
    about="energy and state of every panel",
    every=DAY,
    group="System Details",
    meter="micro",
    is_default=False,
    auto=Auto.FITS,
    is_list=True,
    is_stamped=True,
    at_night=True,
    v2=Route(PATH, nothing, pages=Pages(numbered(PAGE_SIZE), _following, PAGE_SIZE), names_system="site_id"),
    v4=Route(PATH, nothing, pages=Pages(numbered(PAGE_SIZE), _following, PAGE_SIZE), names_system="site_id"),
    read=_read,
    daily=DailyDifference("inverter", "lifetime_wh", "inverter_daily", "produced_wh"),
    fields={
        "inverter": FIELDS,
        "inverter_daily": {"produced_wh": Field("energy", "energy produced in the local day, Wh")},
    },
)
