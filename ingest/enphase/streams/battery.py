"""What went into the batteries and came out, and how full they are. Reference: 7.6 and 7.10."""

from ingest.core.units import DAY, MINUTE, WEEK, YEAR
from ingest.enphase.streams.base import (
    Auto,
    EnergyFlow,
    Field,
    Route,
    Scope,
    Series,
    Stream,
    nothing,
    start_granularity,
)
from ingest.enphase.streams.interval_rows import quantities

GRAIN = 15 * MINUTE
FIELDS = {
    "charged_wh": Field("charge.enwh", "energy into the batteries in the interval, Wh"),
    "discharged_wh": Field("discharge.enwh", "energy out of the batteries in the interval, Wh"),
    "soc_percent": Field("soc.percent", "how full the batteries are at the end of the interval, %"),
}

STREAM = Stream(
    name="battery",
    label="battery",
    about="charge and discharge of the batteries, and how full they are",
    every=15 * MINUTE,
    group="Site Level Consumption Monitoring",
    grain=GRAIN,
    meter="battery",
    is_default=False,
    auto=Auto.FITS,
    v4=Route("systems/{system}/telemetry/battery", start_granularity, reach=WEEK, history=2 * YEAR),
    read=quantities("battery", GRAIN, {name: field.key for name, field in FIELDS.items()}),
    flows=(
        EnergyFlow("charged_wh", "battery", "charged_wh"),
        EnergyFlow("discharged_wh", "battery", "discharged_wh"),
    ),
    fields={"battery": FIELDS},
)
LIFETIME = Stream(
    name="battery_lifetime",
    label="days of the battery",
    about="charge and discharge of every day since the batteries were installed",
    every=DAY,
    group="Site Level Consumption Monitoring",
    scope=Scope.TOTALS,
    meter="battery",
    v4=Route("systems/{system}/battery_lifetime", nothing),
    fields={
        "energy_daily": {
            "charged_wh": Field("charge", "energy into the batteries in the local day, Wh"),
            "discharged_wh": Field("discharge", "energy out of the batteries in the local day, Wh"),
        }
    },
    series=(
        Series("charge", "charged_wh", "battery", is_daily=True),
        Series("discharge", "discharged_wh", "battery", is_daily=True),
    ),
)
