"""The catalogue of streams: one small file each, named here one by one."""

from ingest.enphase.streams import consumption, lifetime, production_meter_readings, rgm_stats, site, stats
from ingest.enphase.streams.base import Stream

STREAMS: tuple[Stream, ...] = (
    stats.STREAM,
    rgm_stats.STREAM,
    production_meter_readings.STREAM,
    consumption.STREAM,
    lifetime.ENERGY,
    lifetime.CONSUMPTION,
    site.SYSTEMS,
    site.SUMMARY,
    site.DEVICES,
)

BY_NAME = {stream.name: stream for stream in STREAMS}
