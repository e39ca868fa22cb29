"""Every panel in 5-minute intervals, 20 panels a call. Reference: 7.14."""

from ingest.core.span import Span
from ingest.core.units import DAY, HOUR, MINUTE, YEAR
from ingest.enphase.streams.base import Field, Json, Pages, Params, Route, Stream, numbered, start_end
from ingest.enphase.streams.by_device import of_devices
from ingest.enphase.streams.page_numbers import DEVICES, number_after

GRAIN = 5 * MINUTE
PAGE_SIZE = 20
"""The most panels a page may hold (reference 5)."""


def _ask(window: Span) -> Params:
    """Both ends, so that every page is of the same time."""
    return {**start_end(window), "granularity": "day"}


def _following(reply: Json) -> str:
    return number_after(reply, len(reply["devices"]), PAGE_SIZE, DEVICES)


STREAM = Stream(
    name="micros",
    label="each panel, by interval",
    about="energy of every panel by the interval",
    every=HOUR,
    group="Device Level Monitoring",
    grain=GRAIN,
    meter="micro",
    is_default=False,
    v4=Route(
        "systems/{system}/devices/micros/telemetry",
        _ask,
        reach=DAY,
        history=2 * YEAR,
        step=GRAIN,
        pages=Pages(numbered(PAGE_SIZE), _following, panels=PAGE_SIZE),
    ),
    read=of_devices("inverter", "inverter_interval", GRAIN, {"energy_wh": "enwh", "power_w": "powr"}),
    fields={
        "inverter_interval": {
            "energy_wh": Field("enwh", "energy of the panel in the interval, Wh"),
            "power_w": Field("powr", "mean power of the panel over the interval, W"),
        }
    },
)
