"""Production by the production meter as telemetry. Reference: 7.8. `rgm_stats` says the same, channels included."""

from ingest.core.units import MINUTE, WEEK, YEAR
from ingest.enphase.streams.base import Route, Stream, start_granularity
from ingest.enphase.streams.interval_rows import energy_fields, intervals

STREAM = Stream(
    name="production_meter",
    label="production meter, telemetry",
    about="production by the production meter, where the revenue-grade series is not to be had",
    every=15 * MINUTE,
    group="Site Level Production Monitoring",
    grain=15 * MINUTE,
    meter="production",
    is_default=False,
    v4=Route("systems/{system}/telemetry/production_meter", start_granularity, reach=WEEK, history=2 * YEAR),
    read=intervals("production_meter", 15 * MINUTE, "wh_del"),
    fields={"production_meter": energy_fields("wh_del")},
)
