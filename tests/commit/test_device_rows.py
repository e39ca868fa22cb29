"""Devices that are not listed any more, and those that could not be read."""

from typing import Any

import pytest

from ingest.commit import device_rows
from ingest.commit.changes import Changes, Loaded
from ingest.core.point import decode_fields
from ingest.core.span import Span
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Device
from ingest.fetch.worker import Outcome
from ingest.plan.state import Snapshot

NOW = 1_782_864_000
STREAM = BY_NAME["devices"]
PANELS = [{"serial_number": "P1", "status": "normal"}, {"serial_number": "P2", "status": "normal"}]
GATEWAY = [{"serial_number": "G", "status": "normal"}]


def changed(changes: Changes, at: int, **lists: object) -> Changes:
    assert STREAM.devices
    assert STREAM.unread
    reply: dict[str, Any] = {"devices": lists}
    found = [device for device in STREAM.devices(reply) if isinstance(device, Device)]
    task = Task("home", "1", STREAM, Span(0, 0), Purpose.SNAPSHOT)
    outcome = Outcome(task, 1, Verdict(Kind.OK), devices=found, unread=STREAM.unread(reply))
    device_rows.record(changes, outcome, at)
    return changes


@pytest.mark.parametrize(
    ("lists", "removed"),
    [
        ({"micros": PANELS, "gateways": GATEWAY}, []),
        ({"micros": PANELS[:1], "gateways": GATEWAY}, ["P2"]),
        ({"gateways": GATEWAY}, ["P1", "P2"]),
        ({"micros": None, "gateways": GATEWAY}, []),
        ({"micros": "n/a", "gateways": GATEWAY}, []),
        ({"micros": [*PANELS[:1], None], "gateways": GATEWAY}, []),
        ({"micros": PANELS[:1], "gateways": None}, ["P2"]),
    ],
)
def test_only_a_device_whose_kind_was_read_is_called_removed(lists: dict[str, object], removed: list[str]) -> None:
    first = changed(Changes(Loaded(Snapshot())), NOW - 10, micros=PANELS, gateways=GATEWAY)
    rows = {key: dict(found) for key, found in first.points.changed_rows.items()}
    second = changed(Changes(Loaded(Snapshot(), rows=rows)), NOW, **lists)
    gone = [
        key for key, found in second.points.changed_rows.items() if decode_fields(found[NOW]).get("state") == "removed"
    ]
    assert sorted(key.split("device=")[1].split(",")[0] for key in gone) == removed


def test_the_numbers_of_a_kind_that_was_not_read_are_not_forgotten() -> None:
    assert STREAM.serials
    assert STREAM.serials({"devices": {"encharges": None}}) == {"ev_charger": ()}
    assert STREAM.serials({"devices": {"ev_chargers": []}}) == {"battery": (), "ev_charger": ()}


@pytest.mark.parametrize("devices", [[], {}])
def test_an_empty_list_of_lists_names_no_device(devices: object) -> None:
    assert STREAM.devices
    assert STREAM.meters
    assert list(STREAM.devices({"devices": devices})) == []
    assert STREAM.meters({"devices": devices}) == ()
