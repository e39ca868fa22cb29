"""Every battery by itself, in 15-minute intervals, one call each. Reference: 7.14."""

from ingest.core.units import HOUR, MINUTE, WEEK, YEAR
from ingest.enphase.streams.base import Field, Route, Stream, start_granularity
from ingest.enphase.streams.by_device import of_device

GRAIN = 15 * MINUTE
FIELDS = {
    "charged_wh": Field("charge.enwh", "energy into the battery in the interval, Wh"),
    "discharged_wh": Field("discharge.enwh", "energy out of the battery in the interval, Wh"),
    "soc_percent": Field("soc.percent", "how full the battery is at the end of the interval, %"),
}

STREAM = Stream(
    name="encharges",
    label="each battery",
    about="charge and discharge of every battery by itself",
    every=HOUR,
    group="Device Level Monitoring",
    grain=GRAIN,
    meter="battery",
    is_default=False,
    v4=Route(
        "systems/{system}/devices/encharges/{serial}/telemetry",
        start_granularity,
        reach=WEEK,
        history=2 * YEAR,
        asks_each="battery",
    ),
    read=of_device("battery", "battery_unit", GRAIN, {name: field.key for name, field in FIELDS.items()}),
    fields={"battery_unit": FIELDS},
)
