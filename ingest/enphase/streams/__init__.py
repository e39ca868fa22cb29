"""The catalogue of streams: one small file each, named here one by one."""

from ingest.enphase.streams import (
    battery,
    consumption,
    events,
    grid,
    heat_pump,
    installed,
    inverters,
    latest,
    lifetime,
    meter_readings,
    micros,
    production_meter,
    rgm_stats,
    site,
    stats,
)
from ingest.enphase.streams.base import Stream

STREAMS: tuple[Stream, ...] = (
    stats.STREAM,
    rgm_stats.STREAM,
    meter_readings.PRODUCTION,
    consumption.STREAM,
    lifetime.ENERGY,
    lifetime.CONSUMPTION,
    grid.IMPORT,
    grid.EXPORT,
    grid.IMPORT_LIFETIME,
    grid.EXPORT_LIFETIME,
    battery.STREAM,
    battery.LIFETIME,
    meter_readings.CONSUMPTION,
    meter_readings.STORAGE,
    production_meter.STREAM,
    inverters.STREAM,
    micros.STREAM,
    latest.STREAM,
    heat_pump.STREAM,
    events.EVENTS,
    events.ALARMS,
    site.SYSTEMS,
    site.SUMMARY,
    installed.STREAM,
    events.TYPES,
)

BY_NAME = {stream.name: stream for stream in STREAMS}
