"""What the heat pump draws, in 15-minute intervals. Reference: 7.16."""

from ingest.core.units import DAY, MINUTE, WEEK, YEAR
from ingest.enphase.streams.base import Field, Route, Stream, quarters
from ingest.enphase.streams.interval_rows import quantities

GRAIN = 15 * MINUTE


STREAM = Stream(
    name="heat_pump",
    label="heat pump",
    about="energy that the heat pump draws",
    every=15 * MINUTE,
    group="Device Level Monitoring",
    grain=GRAIN,
    meter="heat_pump",
    is_default=False,
    v4=Route("systems/{system}/hp_telemetry", quarters, reach=DAY, history=2 * YEAR, trial_reach=WEEK),
    read=quantities("heat_pump", GRAIN, {"energy_wh": "wh_consumed"}),
    fields={"heat_pump": {"energy_wh": Field("wh_consumed", "energy that it draws in the interval, Wh")}},
)
