"""Parsers of replies about single devices, each a series of its own. Reference: 7.14 and 7.16."""

from collections.abc import Iterable, Mapping

from ingest.core.point import Point
from ingest.enphase.streams.base import Json, Odd, Read
from ingest.enphase.streams.interval_rows import quantities_of
from ingest.enphase.streams.readers import each, identity


def of_device(kind: str, measurement: str, grain: int, keys: Mapping[str, str], listed: str = "intervals") -> Read:
    """A reader of the quantities of one device, its serial number becoming the tag `kind`; `listed` is the key of the
    list. Where the reply names a device, it must be the one that was asked for.
    """
    paths = {name: key.split(".") for name, key in keys.items()}

    def read(system: str, reply: Json) -> Iterable[Point | Odd]:
        serial = reply["device"]
        if str(told := reply.get("serial_number") or serial) != serial:
            raise ValueError(f"it is about device {str(told)[:20]}, not {serial}")
        return quantities_of(measurement, grain, paths, identity((kind, serial), ("system", system)), reply[listed])

    return read


def of_devices(kind: str, measurement: str, grain: int, keys: Mapping[str, str]) -> Read:
    """A reader of a reply that lists several devices, each with its intervals."""
    paths = {name: key.split(".") for name, key in keys.items()}

    def read(system: str, reply: Json) -> Iterable[Point | Odd]:
        if not isinstance(reply["devices"], list):
            raise TypeError("a list of devices is due")

        def device(row: Json) -> Iterable[Point | Odd]:
            tags = identity((kind, row["serial_number"]), ("system", system))
            return quantities_of(measurement, grain, paths, tags, row["intervals"])

        return each(reply["devices"], device)

    return read
