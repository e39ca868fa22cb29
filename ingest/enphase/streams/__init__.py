"""The catalogue of streams: one small file each, named here one by one."""

from ingest.enphase.streams import (
    battery,
    consumption,
    grid,
    lifetime,
    production_meter_readings,
    rgm_stats,
    site,
    stats,
)
from ingest.enphase.streams.base import Stream

STREAMS: tuple[Stream, ...] = (
    stats.STREAM,
    rgm_stats.STREAM,
    production_meter_readings.STREAM,
    consumption.STREAM,
    lifetime.ENERGY,
    lifetime.CONSUMPTION,
    grid.IMPORT,
    grid.EXPORT,
    grid.IMPORT_LIFETIME,
    grid.EXPORT_LIFETIME,
    battery.STREAM,
    battery.LIFETIME,
    site.SYSTEMS,
    site.SUMMARY,
    site.DEVICES,
)

BY_NAME = {stream.name: stream for stream in STREAMS}
