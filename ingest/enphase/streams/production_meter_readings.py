"""The cumulative readings of the production meters: energy since installation, taken as snapshots."""

from collections.abc import Iterator
from functools import partial

from ingest.core.point import Point
from ingest.core.units import DAY
from ingest.enphase.streams.base import Field, Json, Odd, Route, Stream, nothing
from ingest.enphase.streams.readers import each, identity, moment, number


def _read(system: str, reply: Json) -> Iterator[Point | Odd]:
    if not isinstance(reply["meter_readings"], list):
        raise TypeError("a list of readings is due")
    return each(reply["meter_readings"], partial(_reading, system))


def _reading(system: str, reading: Json) -> Iterator[Point]:
    value = number(reading.get("value"))
    if value is not None and reading.get("read_at") is not None:
        serial = reading["serial_number"] if "serial_number" in reading else reading["serial_num"]
        tags = identity(("meter", serial), ("system", system))
        yield Point("production_meter_reading", tags, moment(reading["read_at"]), {"reading_wh": value})


STREAM = Stream(
    name="production_meter_readings",
    about="odometers of the production meters",
    every=DAY,
    group="Site Level Production Monitoring",
    meter="production",
    v2=Route("systems/{system}/production_meter_readings", nothing),
    v4=Route("systems/{system}/production_meter_readings", nothing),
    read=_read,
    fields={
        "production_meter_reading": {
            "reading_wh": Field("value", "energy counted since the meter was installed, Wh"),
        },
    },
)
