"""Snapshots about a system itself: the list of systems, summary and devices. They cost calls but have no history."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ingest.core.point import Point, Value
from ingest.core.units import DAY, WEEK
from ingest.enphase.streams.base import Json, Route, Stream, identity, moment, nothing, number

METERS = {"production": "EIM1", "consumption": "EIM2"}
"""Kinds of meter and how their serial numbers end (reference 7.3)."""
PAGE_SIZE = 100
"""The most systems a page may hold (reference 5)."""


def _no_points(_: str, __: Json) -> Iterator[Point]:
    return iter(())


SYSTEMS = Stream(
    name="systems",
    about="the systems that an account can see",
    every=DAY,
    group="System Details",
    v2=Route("systems", nothing),
    v4=Route("systems", nothing),
    read=_no_points,
)
SUMMARY = Stream(
    name="summary",
    about="size and production source of a system",
    every=WEEK,
    group="System Details",
    v2=Route("systems/{system}/summary", nothing),
    v4=Route("systems/{system}/summary", nothing),
    read=_no_points,
)

DEVICES = Stream(
    name="devices",
    about="the devices of a system, asked where a stream has never had a reading",
    every=WEEK,
    group="System Details",
    v2=Route("systems/{system}/inventory", nothing),
    v4=Route("systems/{system}/devices", nothing),
    read=_no_points,
)


@dataclass(frozen=True)
class SystemInfo:
    """What the cloud says of a system: `fields` are those of the measurement `system_info`."""

    system: str
    name: str = ""
    timezone: str = ""
    operational_at: int | None = None
    reported_at: int | None = None
    fields: Mapping[str, Value] = field(default_factory=dict)


def page_params(cursor: str, version: str) -> dict[str, str]:
    """The parameters for one page of the systems list; an empty cursor is the first page."""
    if version == "v2":
        return {"limit": str(PAGE_SIZE)} | ({"next": cursor} if cursor else {})
    return {"page": cursor or "1", "size": str(PAGE_SIZE)}


def next_page(reply: Json, version: str) -> str:
    """The cursor of the page after this one; empty after the last."""
    if version == "v2":
        following = reply.get("next")
        return following if isinstance(following, str) else ""
    total, page = number(reply.get("total")) or 0, number(reply.get("current_page")) or 1
    size = number(reply.get("size")) or PAGE_SIZE
    return str(int(page) + 1) if page * size < total and reply["systems"] else ""


def read_systems(reply: Json) -> list[SystemInfo]:
    """The systems on one page. Raises ValueError, TypeError or KeyError when its shape is wrong."""
    return [_system(row) for row in reply["systems"]]


def _system(row: Json) -> SystemInfo:
    ((_, system),) = identity(("system", row["system_id"]))
    name = _text(row.get("name") or row.get("system_name") or row.get("public_name") or f"System {system}")
    times = row.get("meta") or row
    fields: dict[str, Value] = {"label": f"{name} ({system})"}
    timezone = row.get("timezone")
    fields |= {key: _text(row[key]) for key in ("timezone", "status") if row.get(key)}
    for key in ("last_report_at", "last_energy_at"):
        if (value := number(times.get(key))) is not None:
            fields[key] = value
    return SystemInfo(
        system=system,
        name=name,
        timezone=_text(timezone or ""),
        operational_at=_maybe(times.get("operational_at")),
        reported_at=_maybe(times.get("last_report_at")),
        fields=fields,
    )


def read_summary(system: str, reply: Json) -> SystemInfo:
    """Size and source of production from a summary. -1 and null are left out."""
    fields: dict[str, Value] = {}
    for key in ("size_w", "modules", "battery_capacity_wh", "last_report_at"):
        if (value := number(reply.get(key))) is not None:
            fields[key] = value
    if not fields.get("battery_capacity_wh"):
        fields.pop("battery_capacity_wh", None)  # 0 is how the cloud says that there is none
    if isinstance(reply.get("source"), str):
        fields["production_source"] = _text(reply["source"])
    if isinstance(reply.get("status"), str):
        fields["status"] = _text(reply["status"])
    return SystemInfo(
        system=system,
        operational_at=_maybe(reply.get("operational_at")),
        reported_at=_maybe(reply.get("last_report_at")),
        fields=fields,
    )


def read_meters(reply: Json) -> tuple[str, ...]:
    """The kinds of meter in a list of devices: "production", "consumption". v4 names them; v2 does not, but numbers
    them EIM1 and EIM2 after the gateway. A meter of unknown kind may be any. Raises as the other readers do.
    """
    listed = reply["devices"].get("meters") if "devices" in reply else reply["meters"]
    kinds: set[str] = set()
    for meter in listed or ():
        if meter.get("state") == "disabled":  # listed, but it measures nothing (reference 7.3)
            continue
        name, serial = str(meter.get("name") or ""), str(meter.get("sn") or "")
        told = {kind for kind, tail in METERS.items() if name.lower() == kind or serial.endswith(tail)}
        kinds |= told or set(METERS)
    return tuple(sorted(kinds))


def _text(value: object) -> str:
    """Words that can be stored: JSON may hold half of a surrogate pair, UTF-8 cannot."""
    return str(value).encode("utf-8", "replace").decode()


def _maybe(value: object) -> int | None:
    return None if value is None or value == -1 else moment(value)
