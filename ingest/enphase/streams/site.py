"""Snapshots about a system itself: the list of systems, and the summary. They cost calls but have no history."""

import re
from collections.abc import Iterable, Iterator, Mapping

from ingest.core.point import Value
from ingest.core.units import DAY, WEEK
from ingest.enphase.streams import page_numbers
from ingest.enphase.streams.base import (
    Field,
    Json,
    Odd,
    Pages,
    Params,
    Route,
    Scope,
    Stream,
    SystemInfo,
    nothing,
    numbered,
)
from ingest.enphase.streams.page_numbers import number_after
from ingest.enphase.streams.readers import each, identity, maybe_moment, number, odd, plain, serials_of

PAGE_SIZE = 100
"""The most systems a page may hold (reference 5)."""

MIN_PANEL = 20.0
"""No panel is so small (W); a size below is of another unit than W."""
TIMES = ("last_report_at", "last_energy_at", "operational_at")


STATUS = Field("status", "the vendor's word for its state")
REPORTED = Field("last_report_at", "the gateway's last report, epoch seconds")
SYSTEM_FIELDS = {
    "label": Field("name", "name and number"),
    "timezone": Field("timezone", "the zone of its local days"),
    "status": STATUS,
    "connection_type": Field("connection_type", "how the gateway reports; a `cellular` one does so every 6 h"),
    "last_report_at": REPORTED,
    "last_energy_at": Field("last_energy_at", "when production was last reported, epoch seconds"),
}
BATTERY = {
    "battery_capacity_wh": Field("battery_capacity_wh", "rated capacity of the batteries, Wh"),
    "battery_charge_w": Field("battery_charge_w", "rated power of the batteries when charging, W"),
    "battery_discharge_w": Field("battery_discharge_w", "rated power of the batteries when discharging, W"),
}
NUMBERS = {
    "size_w": Field("size_w", "size of the roof, W"),
    "modules": Field("modules", "number of panels"),
    "energy_today_wh": Field("energy_today", "production of the local day when the summary was asked for, Wh"),
    "energy_lifetime_wh": Field("energy_lifetime", "production of all days before that one, Wh"),
    **BATTERY,
}
WORDS = {
    "production_source": Field("source", "`meter` or `microinverters`"),
    "status": STATUS,
    "nmi": Field("nmi", "number of the connection to the grid (Australia)"),
}
MOMENTS = {
    "last_report_at": REPORTED,
    "last_interval_end_at": Field("last_interval_end_at", "when the system last produced, epoch seconds"),
}
"""Numbers, words and times of a summary, by the fields of `system_info` that they become."""


def _next_number(reply: Json) -> str:
    return number_after(reply, len(reply["systems"]), PAGE_SIZE, page_numbers.SYSTEMS)


def _named(cursor: str) -> Params:
    return {"limit": str(PAGE_SIZE)} | ({"next": cursor} if cursor else {})


def _next_name(reply: Json) -> str:
    following = reply.get("next")
    return following if isinstance(following, str) and re.fullmatch(r"[!-~]{1,200}", following) else ""


def _systems(_: str, reply: Json) -> Iterator[SystemInfo | Odd]:
    if not isinstance(reply["systems"], list):
        raise TypeError("a list of systems is due")
    return each(reply["systems"], _system)


def _system(row: Json) -> Iterator[SystemInfo | Odd]:
    ((_, system),) = identity(("system", row["system_id"]))
    name = plain(row.get("name") or row.get("system_name") or row.get("public_name") or f"System {system}")
    times = row["meta"] if isinstance(row.get("meta"), Mapping) else row
    fields: dict[str, Value] = {"label": f"{name} ({system})"}
    timezone = row.get("timezone")
    fields |= {key: plain(row[key]) for key in ("timezone", "status", "connection_type") if row.get(key)}
    moments = {key: maybe_moment(times.get(key)) for key in TIMES}
    yield SystemInfo(
        system=system,
        name=name,
        timezone=plain(timezone or ""),
        operational_at=moments["operational_at"],
        reported_at=moments["last_report_at"],
        fields=fields | {key: float(at) for key, at in moments.items() if at is not None and key != "operational_at"},
    )
    yield from odd_times(times, TIMES)


def odd_times(times: Json, keys: Iterable[str]) -> Iterator[Odd]:
    """Times that make no sense; null and -1 say that there is none."""
    for key in keys:
        if (value := times.get(key)) not in (None, -1) and maybe_moment(value) is None:
            yield Odd(f"{key} is not a time in epoch seconds", repr(value)[:40])


def _summary(system: str, reply: Json) -> Iterator[SystemInfo | Odd]:
    """Size and source of production from a summary. What is null or makes no sense is left out."""
    if "system_id" not in reply:
        raise KeyError("system_id")  # nothing else in it must be there, so any object would do
    found: dict[str, float] = {}
    for name, about in NUMBERS.items():
        try:
            value = number(reply.get(about.key))
        except ValueError as error:
            yield odd(error, {about.key: reply.get(about.key)})
            continue
        if value is not None and value >= 0 and (value or name not in BATTERY):  # 0: the cloud's word for no battery
            found[name] = value
    if 0 < found.get("size_w", 0.0) < MIN_PANEL * found.get("modules", 0.0):
        yield Odd("its panels cannot be so small", f"size_w: {found.pop('size_w'):g}, modules: {found['modules']:g}")
    words = {name: reply.get(field.key) for name, field in WORDS.items()}
    fields: dict[str, Value] = {**found}
    fields |= {name: plain(word) for name, word in words.items() if isinstance(word, str | int) and word != ""}
    if "production_source" in fields:
        fields["production_source"] = str(fields["production_source"]).strip().lower()
    moments = {name: maybe_moment(reply.get(name)) for name in MOMENTS}
    reported_at = moments["last_report_at"]
    fields |= {name: float(at) for name, at in moments.items() if at is not None}
    began_at = maybe_moment(reply.get("operational_at"))
    yield SystemInfo(system=system, operational_at=began_at, reported_at=reported_at, fields=fields)
    yield from odd_times(reply, ("operational_at", *MOMENTS))


def _serials(reply: Json) -> Mapping[str, tuple[str, ...]]:
    """The chargers of other makers: objects with one key, the serial number."""
    listed = reply.get("evse_power")
    rows = [row for row in listed if isinstance(row, Mapping)] if isinstance(listed, list) else []
    return {"evse": serials_of(serial for row in rows for serial in row)}


SYSTEMS = Stream(
    name="systems",
    label="list of systems",
    about="the systems that an account can see",
    every=DAY,
    group="System Details",
    scope=Scope.ACCOUNT,
    v2=Route("systems", nothing, pages=Pages(_named, _next_name)),
    v4=Route("systems", nothing, pages=Pages(numbered(PAGE_SIZE), _next_number)),
    systems=_systems,
    fields={"system_info": SYSTEM_FIELDS},
)
SUMMARY = Stream(
    name="summary",
    label="summary of the system",
    about="size and production source of a system",
    every=WEEK,
    group="System Details",
    scope=Scope.EVERY_SYSTEM,
    v2=Route("systems/{system}/summary", nothing),
    v4=Route("systems/{system}/summary", nothing),
    systems=_summary,
    serials=_serials,
    tells_of=("evse",),
    fields={"system_info": {**NUMBERS, **WORDS, **MOMENTS}},
)
