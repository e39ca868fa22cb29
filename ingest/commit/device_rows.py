"""The devices of a system as rows of `device`: one when something of a device changed, one when it is gone. Pure."""

from collections.abc import Iterator

from ingest.commit.changes import Changes
from ingest.core.point import Point, Tags, Value, decode_fields, parse_series, series_key
from ingest.fetch.worker import Outcome

DEVICE = "device"
REMOVED = "removed"
"""State of a device that is not listed any more."""


def record(changes: Changes, outcome: Outcome, now: int) -> None:
    """Write what is new of the devices that a reply lists."""
    if outcome.devices:
        changes.points.merge(list(_new_rows(changes, outcome, now)))


def _new_rows(changes: Changes, outcome: Outcome, now: int) -> Iterator[Point]:
    """A whole row of each device of which something changed, so that the newest row says all.

    One that is not listed is gone, unless some of its kind could not be read: it may be one of these.
    """
    system, listed = outcome.task.system, set()
    for device in outcome.devices:
        tags: Tags = (("device", device.serial), ("system", system))
        listed.add(key := series_key(DEVICE, tags))
        held = _held(changes, key)
        if (fresh := {**held, **device.fields}) != held:
            yield Point(DEVICE, tags, now, fresh)
    for key in changes.loaded.rows.keys() - listed:
        measurement, names = parse_series(key)
        if measurement != DEVICE:
            continue
        held = _held(changes, key)
        if held.get("state") != REMOVED and held.get("kind") not in outcome.unread:
            yield Point(DEVICE, names, now, {**held, "state": REMOVED})


def _held(changes: Changes, key: str) -> dict[str, Value]:
    """The newest row of a device; empty where there is none."""
    rows = changes.points.rows(key)
    return decode_fields(rows[max(rows)]) if rows else {}
