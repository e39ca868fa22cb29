"""Whole-home consumption, by the consumption meter, in 15-minute intervals."""

from ingest.core.units import DAY, MINUTE, WEEK, YEAR
from ingest.enphase.streams.base import EnergyFlow, Route, Stream, start_end, start_granularity
from ingest.enphase.streams.interval_rows import energy_fields, intervals

STREAM = Stream(
    name="consumption",
    label="consumption",
    about="consumption of the home, by its consumption meter",
    every=15 * MINUTE,
    group="Site Level Consumption Monitoring",
    grain=15 * MINUTE,
    meter="consumption",
    v2=Route("systems/{system}/consumption_stats", start_end, reach=28 * DAY, history=YEAR, is_documented=False),
    v4=Route("systems/{system}/telemetry/consumption_meter", start_granularity, reach=WEEK, history=2 * YEAR),
    read=intervals("consumption", 15 * MINUTE, "enwh"),
    flows=(EnergyFlow("consumed_wh", "consumption"),),
    fields={"consumption": energy_fields("enwh")},
)
