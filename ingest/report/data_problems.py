"""What is wrong with the data of a system: days that the cloud refuses, a zone that this machine does not know."""

from collections.abc import Iterator

from ingest.core.days import zone
from ingest.core.words import span_words
from ingest.enphase.replies import Kind
from ingest.enphase.streams.site import SYSTEMS
from ingest.plan.inventory import Inventory, listing
from ingest.report.model import Problem, Report

REFUSALS = 3
"""How many refusals of a window of history in a row are not reported yet."""
SHOWN_DAYS = 5


def refused_days(report: Report) -> Iterator[Problem]:
    """Days of history that the cloud refuses again and again; everything else is read."""
    for system in report.systems:
        for stream in system.streams:
            found = [refused for refused in stream.refused if refused.fails > REFUSALS]
            if not found:
                continue
            days = list(dict.fromkeys(refused.days for refused in reversed(found)))
            more = f" and {len(days) - SHOWN_DAYS} more" if len(days) > SHOWN_DAYS else ""
            again_at = min(refused.again_at for refused in found)
            again = f"in {span_words(again_at - report.now)}" if again_at > report.now else "in their turn"
            yield Problem(
                "days",
                f"{system.system}.{stream.stream}",
                f"{system.name}: the cloud refuses {stream.stream} of {', '.join(days[:SHOWN_DAYS])}{more}, asked "
                f"{found[-1].fails} times ({found[-1].reason})",
                f"Everything else is read; these are asked for again by themselves, {again}. If it stays so, tell the "
                "vendor",
            )


def zones(report: Report, inventory: Inventory) -> Iterator[Problem]:
    """Systems whose zone this machine does not know, or the cloud does not say. What the cloud does not let us see at
    all has none either: the refusal is said, and is enough.
    """
    for system in report.systems:
        listed = inventory.pairs.get((listing(system.account), SYSTEMS.name))
        if not system.timezone and _is_refused(system.system, inventory):
            continue
        if not system.timezone and listed is not None and listed.asked_at is not None:
            yield Problem(
                "zone",
                system.system,
                f"{system.name}: the cloud does not say its time zone, so its energy is not summed up by day and month",
                "Intervals are read as ever, and the zone is looked up once a day. If it stays so, tell the vendor",
            )
        elif system.timezone and zone(system.timezone).key != system.timezone:
            yield Problem(
                "zone",
                system.system,
                f"{system.name}: this machine does not know the time zone {system.timezone}, so days are cut in UTC",
                "Update the program, which brings the time zones (package tzdata); the days are then computed anew",
            )


def _is_refused(system: str, inventory: Inventory) -> bool:
    """Whether the cloud has refused something of a system, and never answered anything."""
    found = [inventory.pairs.get((system, stream.name)) for stream in inventory.streams_of(system)]
    asked = [pair for pair in found if pair]
    return any(pair.state == Kind.DENIED for pair in asked) and all(pair.asked_at is None for pair in asked)
