"""What an outcome lacks that only the state and the clock know: the moment of a snapshot, the names of events. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from ingest.core.point import Point
from ingest.enphase.streams.events import UNNAMED
from ingest.fetch.worker import Outcome


def stamp_and_name(outcome: Outcome, now: int, names: Mapping[str, str]) -> Outcome:
    """The same, with its points as they are to be kept. `names` are those of kinds of events, by number."""
    stream = outcome.task.stream
    if stream.is_stamped:
        return replace(outcome, points=[point._replace(time=now) for point in outcome.points])
    if "event" in stream.fields and names:
        return replace(outcome, points=[_named(point, names) for point in outcome.points])
    return outcome


def _named(point: Point, names: Mapping[str, str]) -> Point:
    text = str(point.fields.get("text", ""))
    name = names.get(text.removeprefix(UNNAMED))
    return point._replace(fields={**point.fields, "text": name}) if name else point
