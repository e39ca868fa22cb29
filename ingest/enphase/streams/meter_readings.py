"""The odometers of the meters: energy since installation, taken as snapshots. Reference: 7.5."""

from collections.abc import Iterator, Mapping
from functools import partial

from ingest.core.point import Point
from ingest.core.units import DAY
from ingest.enphase.streams.base import Auto, Field, Json, Odd, Read, Route, Stream, nothing
from ingest.enphase.streams.readers import each, identity, measured_at, numbers_of, odd

CONSUMPTION_GROUP = "Site Level Consumption Monitoring"


def _readings(measurement: str, fields: Mapping[str, Field]) -> Read:
    return partial(_read, measurement, fields)


def _read(measurement: str, keys: Mapping[str, Field], system: str, reply: Json) -> Iterator[Point | Odd]:
    if not isinstance(reply["meter_readings"], list):
        raise TypeError("a list of readings is due")
    return each(reply["meter_readings"], partial(_reading, measurement, keys, system))


def _reading(measurement: str, keys: Mapping[str, Field], system: str, reading: Json) -> Iterator[Point | Odd]:
    fields, wrong = numbers_of(reading, {name: (field.key,) for name, field in keys.items()})
    if wrong:
        yield odd(wrong[0], reading)
    if fields:
        serial = reading["serial_number"] if "serial_number" in reading else reading["serial_num"]
        tags = identity(("meter", serial), ("system", system))
        yield Point(measurement, tags, measured_at(reading["read_at"]), fields)


COUNTED = {"reading_wh": Field("value", "energy counted since the meter was installed, Wh")}
STORED = {
    "reading_charged_wh": Field("value_charged", "energy into the batteries since the meter was installed, Wh"),
    "reading_discharged_wh": Field("value_discharged", "energy out of the batteries since the meter was installed, Wh"),
}
PRODUCTION = Stream(
    name="production_meter_readings",
    label="production meter, reading",
    about="odometers of the production meters",
    every=DAY,
    group="Site Level Production Monitoring",
    meter="production",
    v4=Route("systems/{system}/production_meter_readings", nothing),
    v2=Route("systems/{system}/production_meter_readings", nothing),
    read=_readings("production_meter_reading", COUNTED),
    fields={"production_meter_reading": COUNTED},
)
CONSUMPTION = Stream(
    name="consumption_meter_readings",
    label="consumption meter, reading",
    about="odometers of the consumption meters",
    every=DAY,
    group=CONSUMPTION_GROUP,
    meter="consumption",
    is_default=False,
    auto=Auto.PAID,
    v4=Route("systems/{system}/consumption_meter_readings", nothing),
    read=_readings("consumption_meter_reading", COUNTED),
    fields={"consumption_meter_reading": COUNTED},
)
STORAGE = Stream(
    name="storage_meter_readings",
    label="battery meter, reading",
    about="odometers of the meters of the batteries",
    every=DAY,
    group=CONSUMPTION_GROUP,
    meter="battery",
    is_default=False,
    auto=Auto.PAID,
    v4=Route("systems/{system}/storage_meter_readings", nothing),
    read=_readings("storage_meter_reading", STORED),
    fields={"storage_meter_reading": STORED},
)
