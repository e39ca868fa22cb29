"""Devices that are asked one by one: what is said where none can be asked, or not all."""

from dataclasses import replace

import pytest

from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Stream
from ingest.enphase.streams.installed import STREAM as DEVICES
from ingest.enphase.streams.readers import MAX_SERIALS, serials_of
from ingest.enphase.streams.site import SUMMARY
from ingest.plan import parts
from ingest.plan.state import NO_METER, Pair, SystemRow

ROUTE = BY_NAME["encharges"].v4
PAIR = Pair("1", "encharges")


def row(*serials: str, meters: tuple[str, ...] = ("battery",)) -> SystemRow:
    system = SystemRow("1", "home")
    return replace(system, profile=replace(system.profile, meters=meters, serials={"battery": serials}))


@pytest.mark.parametrize(("meters", "words"), [((), "lists no battery for"), (("battery",), "AC Batteries")])
def test_a_battery_that_cannot_be_asked_is_not_said_to_be_none(meters: tuple[str, ...], words: str) -> None:
    pair = parts.lacking(PAIR, ROUTE, row(meters=meters))
    assert pair.state == NO_METER
    assert words in pair.reason


def test_too_many_devices_are_not_dropped_in_silence() -> None:
    many = serials_of(range(10_000, 10_000 + 3 * MAX_SERIALS))
    assert len(parts.devices(ROUTE, row(*many))) == MAX_SERIALS
    assert "only the first 100" in parts.lacking(PAIR, ROUTE, row(*many)).reason
    assert parts.lacking(PAIR, ROUTE, row(*many[:MAX_SERIALS])) is PAIR


@pytest.mark.parametrize(("wanted", "stream"), [("encharges", DEVICES), ("ev_charger", DEVICES), ("evse", SUMMARY)])
def test_a_list_that_never_told_the_serial_numbers_of_what_is_wanted_is_due(wanted: str, stream: Stream) -> None:
    asked, never = Pair("1", stream.name, asked_at=5), SystemRow("1", "home")
    assert parts.untold(asked, stream, (wanted,), never).asked_at is None
    assert parts.untold(asked, stream, ("consumption",), never) is asked
    kind = BY_NAME[wanted].v4.asks_each
    told = replace(never, profile=replace(never.profile, serials={kind: ()}))
    assert parts.untold(asked, stream, (wanted,), told) is asked, "the cloud says that there is none"
    other = SUMMARY if stream is DEVICES else DEVICES
    assert parts.untold(asked, other, (wanted,), never) is asked, "that list does not tell of it"
