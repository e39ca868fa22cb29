"""Power at this moment, of every kind of meter, for one call. Reference: 7.12."""

from collections.abc import Iterator, Mapping

from ingest.core.point import Point
from ingest.core.units import HOUR, MINUTE
from ingest.enphase.streams.base import Field, Json, Odd, Route, Stream, nothing
from ingest.enphase.streams.readers import UNREADABLE, identity, measured_at, number, odd

NAMED = {"encharges": "storage", "acbs": "storage", "heat-pump": "heat_pump", "evse": "ev_charger"}
"""What the lists beside the meters are called; a meter is called by its own name."""

TOGETHER = HOUR
"""Channels of a meter that were reported so close to each other (s) tell of one moment. Batteries need not: those of
the vendor's own example are four days apart."""


def _read(system: str, reply: Json) -> Iterator[Point | Odd]:
    """A point a kind: the sum of its devices and channels, at the newest report among them. What does not report has a
    null instead of a power, and is left out. A kind of which any part cannot be read, and a meter whose channels tell
    of different times, has no sum.
    """
    if not isinstance(reply["devices"], Mapping):
        raise TypeError("an object of lists is due")
    found: dict[tuple[str, str], list[tuple[int, float, object]]] = {}
    unknown: set[str] = set()
    for name, rows in reply["devices"].items():
        for row in rows if isinstance(rows, list) else ():
            kind = str(NAMED.get(name) or (row.get("name") if isinstance(row, Mapping) else None) or name)
            try:
                identity(("meter", kind))
                found.setdefault((kind, name), []).extend(_power(row))
            except UNREADABLE as error:
                unknown.add(kind)  # the name of the list where the row tells none: then it may be of any kind of it
                yield odd(error, row)
    unknown |= {kind for kind, name in found if name in unknown}
    for kind in dict.fromkeys(kind for kind, _ in found if kind not in unknown):
        yield from _sum(system, kind, [power for (of, _), powers in found.items() if of == kind for power in powers])


def _power(row: Json) -> Iterator[tuple[int, float, object]]:
    """When a device or channel reported, its power, and the row itself; nothing where it does not report."""
    power = number(row.get("power"))
    if power is not None and (power or row.get("last_report_at") is not None):
        yield measured_at(row["last_report_at"]), power, row


def _sum(system: str, kind: str, powers: list[tuple[int, float, object]]) -> Iterator[Point | Odd]:
    if not powers:
        return
    newest = max(at for at, _, _ in powers)
    apart = [row for at, _, row in powers if at < newest - TOGETHER and kind not in NAMED.values()]
    yield from (odd(ValueError("it was reported long before others of its kind"), row) for row in apart)
    if not apart:
        tags = (("meter", kind), ("system", system))
        yield Point("latest", tags, newest, {"power_w": sum(power for _, power, _ in powers)})


STREAM = Stream(
    name="latest",
    label="power at this moment",
    about="power at this moment: production, consumption, storage",
    every=15 * MINUTE,
    group="Site Level Consumption Monitoring",
    is_default=False,
    v4=Route("systems/{system}/latest_telemetry", nothing),
    read=_read,
    fields={"latest": {"power_w": Field("power", "power at one moment, W; of storage negative while charging")}},
)
