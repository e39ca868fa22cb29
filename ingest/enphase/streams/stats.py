"""Production by the microinverters, in 5-minute intervals."""

from ingest.core.units import DAY, MINUTE, WEEK, YEAR
from ingest.enphase.streams.base import EnergyFlow, Route, Stream, start_end, start_granularity
from ingest.enphase.streams.interval_rows import energy_fields, intervals

STREAM = Stream(
    name="stats",
    label="panel production",
    about="production by the microinverters",
    every=15 * MINUTE,
    group="Site Level Production Monitoring",
    grain=5 * MINUTE,
    v2=Route("systems/{system}/stats", start_end, reach=DAY, history=YEAR, step=5 * MINUTE),
    v4=Route(
        "systems/{system}/telemetry/production_micro", start_granularity, reach=DAY, history=2 * YEAR, trial_reach=WEEK
    ),
    read=intervals("production_micro", 5 * MINUTE, "enwh", "powr"),
    flows=(EnergyFlow("produced_wh", "production_micro"),),
    fields={"production_micro": energy_fields("enwh", "powr")},
)
