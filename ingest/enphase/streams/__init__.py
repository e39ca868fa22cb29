"""The catalogue of streams: one small file each, named here one by one."""

from ingest.enphase.streams import consumption, lifetime, production_meter_readings, rgm_stats, stats
from ingest.enphase.streams.base import Stream

STREAMS: tuple[Stream, ...] = (
    stats.STREAM,
    rgm_stats.STREAM,
    consumption.STREAM,
    production_meter_readings.STREAM,
    lifetime.ENERGY,
    lifetime.CONSUMPTION,
)

BY_NAME = {stream.name: stream for stream in STREAMS}
