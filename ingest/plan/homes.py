"""Several systems that are one house, and what is remembered of it as if it were one system."""

from collections.abc import Mapping, Sequence

from ingest.core.point import Value
from ingest.plan.state import SystemRow

SUMMED = ("size_w", "modules")
"""What the cloud says of systems and a house has the sum of."""


def row_of(home: str, members: Sequence[str], systems: Mapping[str, SystemRow]) -> SystemRow:
    """A home as a system: its zone is empty until that of all members is known, and where they have different ones."""
    known = [systems[member] for member in members if member in systems]
    zones = {row.timezone for row in known}
    zone = zones.pop() if len(known) == len(members) and len(zones) == 1 else ""
    info: dict[str, Value] = {}
    for name in SUMMED:
        values = [value for row in known if isinstance(value := row.info.get(name), float)]
        if len(values) == len(members):
            info[name] = sum(values)
    return SystemRow(home, "", home, zone, info=info)


def with_homes(systems: Mapping[str, SystemRow], homes: Mapping[str, Sequence[str]]) -> dict[str, SystemRow]:
    """The systems, and after them the homes."""
    return {**systems, **{home: row_of(home, members, systems) for home, members in homes.items()}}
