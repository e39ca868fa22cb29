"""Snapshots about a system itself: the list of systems, summary and devices. They cost calls but have no history."""

from ingest.core.point import Value
from ingest.core.units import DAY, WEEK
from ingest.enphase.streams.base import Field, Json, Pages, Params, Route, Scope, Stream, SystemInfo, nothing
from ingest.enphase.streams.readers import identity, maybe_moment, number

METERS = {"production": "EIM1", "consumption": "EIM2"}
"""Kinds of meter and how their serial numbers end (reference 7.3)."""
PAGE_SIZE = 100
"""The most systems a page may hold (reference 5)."""


def _numbered(cursor: str) -> Params:
    return {"page": cursor or "1", "size": str(PAGE_SIZE)}


def _next_number(reply: Json) -> str:
    total, page = number(reply.get("total")) or 0, number(reply.get("current_page")) or 1
    size = number(reply.get("size")) or PAGE_SIZE
    return str(int(page) + 1) if page * size < total and reply["systems"] else ""


def _named(cursor: str) -> Params:
    return {"limit": str(PAGE_SIZE)} | ({"next": cursor} if cursor else {})


def _next_name(reply: Json) -> str:
    following = reply.get("next")
    return following if isinstance(following, str) else ""


def _systems(_: str, reply: Json) -> list[SystemInfo]:
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
        operational_at=maybe_moment(times.get("operational_at")),
        reported_at=maybe_moment(times.get("last_report_at")),
        fields=fields,
    )


def _summary(system: str, reply: Json) -> list[SystemInfo]:
    """Size and source of production from a summary. -1 and null are left out."""
    if "system_id" not in reply:
        raise KeyError("system_id")  # nothing else in it must be there, so any object would do
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
    told = SystemInfo(
        system=system,
        operational_at=maybe_moment(reply.get("operational_at")),
        reported_at=maybe_moment(reply.get("last_report_at")),
        fields=fields,
    )
    return [told]


def _meters(reply: Json) -> tuple[str, ...]:
    """The kinds of meter in a list of devices: "production", "consumption". v4 names them; v2 does not, but numbers
    them EIM1 and EIM2 after the gateway. A meter of unknown kind may be any.
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


INFO_FIELDS = {
    "label": Field("name", "name and number"),
    "timezone": Field("timezone", "the zone of its local days"),
    "status": Field("status", "the vendor's word for its state"),
    "last_report_at": Field("last_report_at", "the gateway's last report, epoch seconds"),
}
SYSTEMS = Stream(
    name="systems",
    about="the systems that an account can see",
    every=DAY,
    group="System Details",
    scope=Scope.ACCOUNT,
    v2=Route("systems", nothing, pages=Pages(_named, _next_name)),
    v4=Route("systems", nothing, pages=Pages(_numbered, _next_number)),
    systems=_systems,
    fields={
        "system_info": INFO_FIELDS
        | {"last_energy_at": Field("last_energy_at", "when production was last reported, epoch seconds")}
    },
)
SUMMARY = Stream(
    name="summary",
    about="size and production source of a system",
    every=WEEK,
    group="System Details",
    scope=Scope.EVERY_SYSTEM,
    v2=Route("systems/{system}/summary", nothing),
    v4=Route("systems/{system}/summary", nothing),
    systems=_summary,
    fields={
        "system_info": INFO_FIELDS
        | {
            "size_w": Field("size_w", "size of the roof, W"),
            "modules": Field("modules", "number of panels"),
            "battery_capacity_wh": Field("battery_capacity_wh", "rated capacity of the batteries, Wh"),
            "production_source": Field("source", "`meter` or `microinverters`"),
        }
    },
)
DEVICES = Stream(
    name="devices",
    about="the devices of a system, asked where a stream has never had a reading",
    every=WEEK,
    group="System Details",
    scope=Scope.EMPTY_SYSTEM,
    v2=Route("systems/{system}/inventory", nothing),
    v4=Route("systems/{system}/devices", nothing),
    meters=_meters,
)
