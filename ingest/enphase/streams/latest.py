"""Power at this moment, of every kind of meter, for one call. Reference: 7.12."""

from collections.abc import Iterator, Mapping

from ingest.core.point import Point
from ingest.core.units import MINUTE
from ingest.enphase.streams.base import Field, Json, Odd, Route, Stream, nothing
from ingest.enphase.streams.readers import UNREADABLE, identity, moment, number, odd

NAMED = {"encharges": "storage", "acbs": "storage", "heat-pump": "heat_pump", "evse": "ev_charger"}
"""What the lists beside the meters are called; a meter is called by its own name."""


def _read(system: str, reply: Json) -> Iterator[Point | Odd]:
    """A point a kind: the sum of its devices and channels, at the newest report among them. What does not report has a
    null instead of a power, and is left out.
    """
    if not isinstance(reply["devices"], Mapping):
        raise TypeError("an object of lists is due")
    found: dict[str, list[tuple[int, float]]] = {}
    for name, rows in reply["devices"].items():
        for row in rows if isinstance(rows, list) else ():
            try:
                power = number(row.get("power"))
                if power is not None and row.get("last_report_at") is not None:
                    kind = str(NAMED.get(name) or row.get("name") or name)
                    identity(("meter", kind))
                    found.setdefault(kind, []).append((moment(row["last_report_at"]), power))
            except UNREADABLE as error:
                yield odd(error, row)
    for kind, powers in found.items():
        at = max(at for at, _ in powers)
        yield Point("latest", (("meter", kind), ("system", system)), at, {"power_w": sum(power for _, power in powers)})


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
