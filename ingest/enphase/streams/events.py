"""What happened to devices: events and alarms, and the names of their kinds. Reference: 7.15."""

from collections.abc import Iterator, Mapping
from functools import partial

from ingest.core.point import Point, Tags, Value
from ingest.core.span import Span
from ingest.core.units import DAY, HOUR, MINUTE, WEEK
from ingest.enphase.streams.base import Auto, Field, Json, Odd, Params, Route, Scope, Stream, nothing
from ingest.enphase.streams.readers import each, identity, maybe_moment, moment, plain

KEPT = 180 * DAY
"""So far back the cloud goes: nine months by one page of the vendor, six by another."""
GRAIN = 15 * MINUTE
FIELDS = {
    "text": Field("event_type_id", "the name of its kind, else `event` and the number of the kind"),
    "state": Field("status, cleared", "`open`, `closed` or `info`"),
    "ended_at": Field("event_end_time, alarm_end_time", "when it ended, epoch seconds"),
    "severity": Field("severity", "of an alarm: 1 to 6"),
}
CLEARED = ("true", "1", "yes")
"""Words, or what is written so, that say that an alarm is over."""
UNNAMED = "event "
"""Before the number of a kind whose name is not known."""


def _between(window: Span) -> Params:
    return {"start_time": str(window.start), "end_time": str(window.end)}


def _events(system: str, reply: Json) -> Iterator[Point | Odd]:
    if not isinstance(reply["events"], list):
        raise TypeError("a list of events is due")
    return each(reply["events"], partial(_event, system))


def _event(system: str, row: Json) -> Iterator[Point]:
    state = str(row.get("status") or "info").lower()
    yield _point(system, row, row.get("serial_number"), "event", {"state": plain(state)})


def _alarms(system: str, reply: Json) -> Iterator[Point | Odd]:
    if not isinstance(reply["alarms"], list):
        raise TypeError("a list of alarms is due")
    return each(reply["alarms"], partial(_alarm, system))


def _alarm(system: str, row: Json) -> Iterator[Point]:
    """An alarm, which may be about several devices: the first is named."""
    is_over = str(row.get("cleared")).lower() in CLEARED or maybe_moment(row.get("alarm_end_time")) is not None
    fields: dict[str, Value] = {"state": "closed" if is_over else "open"}
    severity = row.get("severity")
    if isinstance(severity, int) and not isinstance(severity, bool):
        fields["severity"] = float(severity)
    events = row.get("events")
    about = next((event for event in events if isinstance(event, Mapping)), {}) if isinstance(events, list) else {}
    yield _point(system, row, about.get("serial_number"), "alarm", fields)


def _point(system: str, row: Json, serial: object, kind: str, fields: dict[str, Value]) -> Point:
    ((_, number),) = identity(("type", row["event_type_id"]))
    fields["text"] = UNNAMED + number
    if (ended := maybe_moment(row.get(f"{kind}_end_time"))) is not None:
        fields["ended_at"] = float(ended)
    device = str(serial) if serial not in (None, "") else "system"
    tags: Tags = identity(("device", device), ("source", kind), ("system", system), ("type", number))
    return Point("event", tags, moment(row[f"{kind}_start_time"]), fields)


def _names(reply: Json) -> Mapping[str, str]:
    """The names of the kinds of events, by number."""
    rows = [row for row in reply["event_types"] if isinstance(row, Mapping)]
    return {f"{row.get('event_type_id')}": plain(row["event_name"]) for row in rows if row.get("event_name")}


EVENTS = Stream(
    name="events",
    label="events of devices",
    about="what happened to devices",
    every=HOUR,
    group="System Details",
    grain=GRAIN,
    is_of_moments=True,
    is_default=False,
    auto=Auto.PAID,
    v4=Route("systems/{system}/events", _between, reach=WEEK, history=KEPT),
    read=_events,
    fields={"event": FIELDS},
)
ALARMS = Stream(
    name="alarms",
    label="alarms of devices",
    about="what needs attention at devices",
    every=HOUR,
    group="System Details",
    grain=GRAIN,
    is_of_moments=True,
    is_default=False,
    auto=Auto.PAID,
    v4=Route("systems/{system}/alarms", _between, reach=WEEK, history=KEPT),
    read=_alarms,
    fields={"event": FIELDS},
)
TYPES = Stream(
    name="event_types",
    label="names of events",
    about="the names of events",
    every=26 * WEEK,
    group="System Details",
    scope=Scope.NAMES,
    v4=Route("systems/event_types", nothing),
    names=_names,
)
