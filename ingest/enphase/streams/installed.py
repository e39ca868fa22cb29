"""The devices of a system: which kinds measure, and one row a device. Reference: 7.3, and 8 for v2's `inventory`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ingest.core.point import Value
from ingest.core.units import WEEK
from ingest.enphase.streams.base import Device, Field, Json, Odd, Route, Scope, Stream, SystemInfo, nothing
from ingest.enphase.streams.readers import each, identity, maybe_moment, plain, serials_of

METERS = {"production": "EIM1", "consumption": "EIM2"}
"""Kinds of meter and how their serial numbers end (reference 7.3)."""
BATTERIES = ("encharges", "acbs")
"""The lists of devices that hold batteries."""
LISTED = {
    "micros": "microinverter",
    "inverters": "microinverter",
    "meters": "meter",
    "gateways": "gateway",
    "envoys": "gateway",
    "q_relays": "relay",
    "acbs": "battery",
    "encharges": "battery",
    "enpowers": "system controller",
    "ev_chargers": "EV charger",
    "heat_pump": "heat pump",
    "iq_collars": "meter collar",
    "iq_air": "IQ Air",
    "generators": "generator",
}
"""The lists of a reply, and what is in each; a list of another name is called by it."""
KINDS = {"micros": "micro", "inverters": "micro", "ev_chargers": "ev_charger", "heat_pump": "heat_pump"}
"""What streams ask for besides meters and batteries, by the list that it stands in."""
ASKED_ONE_BY_ONE = {"encharges": "battery", "ev_chargers": "ev_charger"}
"""The lists of those which are asked one by one, and what streams call them."""
WORDS = {
    "model": Field("model", "its model"),
    "part_number": Field("part_number", "its part number"),
    "config_type": Field("config_type", "of a meter: `Production`, `Net` or `Total`; what consumption means"),
    "config_phase": Field("config_phase", "of a meter: how many phases it measures"),
    "firmware": Field("emu_sw_version", "version of its software"),
}
FIELDS = {
    "kind": Field("(the list it stands in)", "`microinverter`, `meter`, `gateway`, `battery`, ..."),
    "name": Field("name", "its name"),
    **WORDS,
    "state": Field(
        "status, state", "the vendor's word, such as `normal`; `disabled`, or `removed` once it is not listed"
    ),
    "last_report_at": Field("last_report_at", "when it last reported, epoch seconds"),
}
OF_SYSTEM = {
    "config_type": Field("config_type", "of the consumption meter: `Net` or `Total`"),
    "envoy_serial": Field("serial_number", "serial numbers of the gateways, joined by a comma"),
}


def _lists(reply: Json) -> Mapping[str, Sequence[Any]]:
    """The lists of a reply. KeyError where it holds none."""
    return {name: rows for name, rows in _named(reply).items() if isinstance(rows, list)}


def _named(reply: Json) -> Json:
    """What stands under the names of lists; an empty list of them is an object with none."""
    if "devices" not in reply and not {"inverters", "envoys", "meters"} & reply.keys():
        raise KeyError("devices")
    found = {} if reply.get("devices") == [] else reply.get("devices", reply)
    return {name: rows for name, rows in found.items() if name in LISTED or isinstance(rows, list)}


def _kind(name: str) -> str:
    return LISTED.get(name, name.removesuffix("s").replace("_", " "))


def _meters(reply: Json) -> tuple[str, ...]:
    """What measures in a list of devices: "production", "consumption", "battery", "micro", "ev_charger", "heat_pump".

    v4 names meters; v2 does not, but numbers them EIM1 and EIM2 after the gateway, and leaves the list out where there
    is none. A meter of unknown kind may be any.
    """
    lists = _lists(reply)
    kinds: set[str] = set()
    for meter in lists.get("meters", ()):
        if not isinstance(meter, Mapping):
            kinds |= set(METERS)
        elif meter.get("state") != "disabled":  # else it is listed, but measures nothing (reference 7.3)
            name, serial = str(meter.get("name") or ""), str(meter.get("sn") or "")
            kinds |= {kind for kind, tail in METERS.items() if name.lower() == kind or serial.endswith(tail)} or set(
                METERS
            )
    if any(lists.get(kind) for kind in BATTERIES):
        kinds.add("battery")
    return tuple(sorted(kinds | {kind for name, kind in KINDS.items() if lists.get(name)}))


def _serials(reply: Json) -> Mapping[str, tuple[str, ...]]:
    """The serial numbers of what is asked one by one, by kind; none of a kind whose list cannot be read."""
    named = _named(reply)
    return {
        kind: serials_of(row.get("serial_number") for row in rows if isinstance(row, Mapping))
        for name, kind in ASKED_ONE_BY_ONE.items()
        if isinstance(rows := named.get(name, []), list)
    }


def _devices(reply: Json) -> Iterator[Device | Odd]:
    for name, rows in _named(reply).items():
        for found in each(rows, _device):
            yield found if isinstance(found, Odd) else Device(found.serial, {"kind": _kind(name), **found.fields})


def _unread(reply: Json) -> frozenset[str]:
    """The kinds of devices of which some may be there that could not be read."""
    return frozenset(
        _kind(name)
        for name, rows in _named(reply).items()
        if not isinstance(rows, list) or any(isinstance(found, Odd) for found in each(rows, _device))
    )


def _device(row: Json) -> Iterator[Device]:
    """A device; one without a serial number is called by its number or name."""
    serial = next((row[key] for key in ("serial_number", "sn", "id", "name") if row.get(key) not in (None, "")), None)
    ((_, serial),) = identity(("device", serial))
    words = {name: row.get(field.key) for name, field in WORDS.items()} | {"name": row.get("name")}
    words["firmware"] = words["firmware"] or row.get("firmware")
    words["state"] = "disabled" if row.get("state") == "disabled" else row.get("status")
    fields: dict[str, Value] = {name: plain(word) for name, word in words.items() if isinstance(word, str) and word}
    if (reported_at := maybe_moment(row.get("last_report_at"))) is not None:
        fields["last_report_at"] = float(reported_at)
    yield Device(serial, fields)


def _system(system: str, reply: Json) -> Iterator[SystemInfo | Odd]:
    """What the devices say of their system."""
    lists = _lists(reply)
    fields: dict[str, Value] = {}
    meters = [row for row in lists.get("meters", ()) if isinstance(row, Mapping) and row.get("state") != "disabled"]
    for meter in meters:
        if meter.get("name") == "consumption" and isinstance(meter.get("config_type"), str):
            fields["config_type"] = plain(meter["config_type"])
    gateways = [row for name in ("gateways", "envoys") for row in lists.get(name, ()) if isinstance(row, Mapping)]
    if serials := [str(row["serial_number"]) for row in gateways if row.get("serial_number")]:
        fields["envoy_serial"] = plain(",".join(serials))
    yield SystemInfo(system=system, fields=fields)


STREAM = Stream(
    name="devices",
    label="list of devices",
    about="the devices of a system",
    every=WEEK,
    group="System Details",
    scope=Scope.EVERY_SYSTEM,
    v2=Route("systems/{system}/inventory", nothing),
    v4=Route("systems/{system}/devices", nothing),
    systems=_system,
    meters=_meters,
    serials=_serials,
    tells_of=tuple(ASKED_ONE_BY_ONE.values()),
    devices=_devices,
    unread=_unread,
    fields={"device": FIELDS, "system_info": OF_SYSTEM},
)
