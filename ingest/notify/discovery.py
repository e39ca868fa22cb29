"""The devices at the broker: what is to be seen there after every look at the state."""

import sqlite3

from ingest.config import Settings
from ingest.core.days import zone
from ingest.core.point import decode_fields
from ingest.core.words import localized
from ingest.notify import home_assistant, meters
from ingest.notify.memory import Memory
from ingest.report import Report, SystemReport
from ingest.store import archive, extents


def documents(
    settings: Settings, db: sqlite3.Connection, report: Report, memory: Memory, command: str
) -> dict[str, str]:
    """Every topic with its document; topics of systems that are gone have an empty one. Moves the meters on."""
    prefix = settings.mqtt.discovery_prefix if settings.mqtt else ""
    names = [system.system for system in report.systems]
    found: dict[str, str] = {}
    for system in report.systems:
        old = memory.meters.get(system.system, {})
        wanted = [stream.stream for stream in system.streams]
        held = meters.read(db, system.system, wanted, old, zone(system.timezone), report.now)
        memory.meters[system.system] = held
        battery = _battery(db, system)
        shown = home_assistant.entities(held, battery=battery is not None)
        found |= home_assistant.configurations(system, shown, prefix, settings.ledger_name)
        wrong = [problem.text for problem in report.problems if home_assistant.concerns(problem, system.system, names)]
        topic, text = home_assistant.state(system, held, battery, [localized(text, command) for text in wrong])
        found[topic] = text
    gone = {topic: "" for topic in memory.topics if topic not in found}
    memory.topics = sorted(found)
    return {**gone, **found}


def _battery(db: sqlite3.Connection, system: SystemReport) -> float | None:
    """The newest state of charge in percent."""
    extent = extents.extent(db, "battery", system.system)
    if extent is None:
        return None
    for _, fields in archive.values(db, "battery", system.system, extent[1], extent[1] + 1):
        percent = decode_fields(fields).get("soc_percent")
        if isinstance(percent, float):
            return percent
    return None
