"""What cars draw from chargers: of the vendor, by interval and by session, and of other makers. Reference: 7.16."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from ingest.core.point import Point
from ingest.core.units import DAY, HOUR, MINUTE, YEAR
from ingest.enphase.streams.base import (
    Field,
    Json,
    Odd,
    Pages,
    Params,
    Route,
    Stream,
    nothing,
    quarters,
    start_granularity,
)
from ingest.enphase.streams.by_device import of_device
from ingest.enphase.streams.readers import each, identity, maybe_moment, maybe_number, measured_at, number

GRAIN = 15 * MINUTE
DEVICE, EV = "Device Level Monitoring", "EV Charger Monitoring"
DRAWN = {
    "energy_wh": Field("consumption, wh_consumed", "energy into the car in the interval, Wh; below zero: out of it")
}
PAGE_SIZE = 100
"""The most sessions that a reply lists (reference 5)."""
MAX_SESSIONS = 2_000
"""How many sessions of a charger are read at most: more than five years of one a day."""
MIN_W = 100.0
"""No charger charges with less (W): what would be less in Wh is meant in kWh."""
MAX_KWH = 250.0
"""No car takes or gives back more in a session (kWh): what would be more is meant in Wh."""
SESSION = {
    "energy_wh": Field("energy_added", "energy into the car, Wh; named Wh by the cloud, but in kWh in its own example"),
    "ended_at": Field("end_time", "when the car was unplugged, epoch seconds"),
    "charge_s": Field("charge_time", "time in which it was charged, s"),
    "cost": Field("cost", "what the cloud says that it cost"),
}


def _sessions(system: str, reply: Json) -> Iterator[Point | Odd]:
    if not isinstance(reply["sessions"], list):
        raise TypeError("a list of sessions is due")
    unit = 1000.0 if _is_in_kwh(reply["sessions"]) else 1.0
    return each(reply["sessions"], partial(_session, system, reply["device"], unit))


def _session(system: str, charger: str, unit: float, row: Json) -> Iterator[Point]:
    """A session, its time being when it began; `unit` is that of its energy in Wh."""
    energy = number(row.get("energy_added"))
    found = {
        "energy_wh": None if energy is None else round(energy * unit, 3),
        "ended_at": maybe_moment(row.get("end_time")),
        "charge_s": maybe_number(row.get("charge_time")),
        "cost": maybe_number(row.get("cost")),
    }
    fields = {name: float(value) for name, value in found.items() if value is not None}
    if fields:
        tags = identity(("charger", charger), ("system", system))
        yield Point("ev_charger_session", tags, measured_at(row["start_time"]), fields)


def _is_in_kwh(sessions: Sequence[object]) -> bool:
    """Whether the energies of a charger are in kWh: one would be too little in Wh for how long it was charged, and
    none too much in kWh for a car. How long the car was plugged in says nothing.
    """
    rows = [row for row in sessions if isinstance(row, Mapping)]
    known = [(abs(maybe_number(row.get("energy_added")) or 0), maybe_number(row.get("charge_time"))) for row in rows]
    too_little = any(energy and seconds and energy * HOUR / seconds < MIN_W for energy, seconds in known)
    return too_little and all(energy <= MAX_KWH for energy, _ in known)


def _page(cursor: str) -> Params:
    return {"offset": cursor.partition("@")[2] or "0", "limit": str(PAGE_SIZE)}


def _following(reply: Json) -> str:
    """The page after a full one, of the same charger."""
    offset = int(reply["cursor"].partition("@")[2] or "0") + PAGE_SIZE
    return f"{reply['device']}@{offset}" if len(reply["sessions"]) >= PAGE_SIZE and offset < MAX_SESSIONS else ""


EVSE = Stream(
    name="evse",
    label="EV charger, other makers",
    about="energy that cars draw from chargers of other makers",
    every=HOUR,
    group=DEVICE,
    grain=GRAIN,
    meter="evse",
    is_default=False,
    v4=Route("systems/{system}/{serial}/evse_telemetry", quarters, reach=DAY, history=2 * YEAR, asks_each="evse"),
    read=of_device("charger", "ev_charger", GRAIN, {"energy_wh": "wh_consumed"}),
    fields={"ev_charger": DRAWN},
)
STREAM = Stream(
    name="ev_charger",
    label="EV charger",
    about="energy that cars draw from the vendor's chargers",
    every=HOUR,
    group=EV,
    grain=GRAIN,
    meter="ev_charger",
    is_default=False,
    v4=Route(
        "systems/{system}/ev_charger/{serial}/telemetry",
        start_granularity,
        reach=DAY,
        history=2 * YEAR,
        asks_each="ev_charger",
    ),
    read=of_device("charger", "ev_charger", GRAIN, {"energy_wh": "consumption"}, listed="consumption"),
    fields={"ev_charger": DRAWN},
)
SESSIONS = Stream(
    name="ev_charger_sessions",
    label="EV charger, sessions",
    about="when cars were charged by the vendor's chargers, and with how much",
    every=DAY,
    group=EV,
    meter="ev_charger",
    is_default=False,
    v4=Route(
        "systems/{system}/ev_charger/{serial}/sessions",
        nothing,
        pages=Pages(_page, _following),
        asks_each="ev_charger",
    ),
    read=_sessions,
    fields={"ev_charger_session": SESSION},
)
