"""What there is to say of a home: the sums over its systems, and what is missing in them."""

import sqlite3
from collections.abc import Iterator, Sequence

from ingest.commit.home_energy import measured
from ingest.config import Settings
from ingest.core.days import local_midnight
from ingest.core.derive import FLOWS, QUARTER
from ingest.core.units import DAY, HOUR
from ingest.core.words import many, span_words
from ingest.enphase.streams.site import SYSTEMS
from ingest.plan.homes import row_of
from ingest.plan.inventory import Inventory, listing
from ingest.report.model import Problem, SystemReport
from ingest.store import archive, extents

BEHIND = 2 * QUARTER
"""A system whose data are older than those of another one of its home by more than this (s) is named."""
PER_HOUR = HOUR // QUARTER


def home_reports(
    settings: Settings, inventory: Inventory, db: sqlite3.Connection, made: Sequence[SystemReport], now: int
) -> list[SystemReport]:
    """The homes of whose systems anything is known, in the order of the configuration."""
    known = {row.system: row for row in made}
    return [
        home_report(inventory, db, home, [known[member] for member in members], now)
        for home, members in settings.home_members.items()
        if known.keys() >= {*members}
    ]


def home_report(
    inventory: Inventory, db: sqlite3.Connection, home: str, members: Sequence[SystemReport], now: int
) -> SystemReport:
    """A home as one system: its power is that of the newest quarter of an hour that all of its systems have."""
    names = [member.system for member in members]
    row = row_of(home, names, inventory.systems)
    power = _power(db, home)
    today = archive.numbers(db, "energy", home, "produced_wh", local_midnight(now, row.timezone), now)
    size = row.info.get("size_w")
    accounts = list(dict.fromkeys(member.account for member in members))
    return SystemReport(
        system=home,
        name=home,
        account=accounts[0] if len(accounts) == 1 else "",
        timezone=row.timezone,
        reported_at=min((at for member in members if (at := member.reported_at)), default=None),
        looked_at=min((at for member in members if (at := member.looked_at)), default=None),
        power_w=power[0] if power else None,
        today_wh=sum(today.values()) if today else None,
        age_s=max(0, now - power[1]) if power else None,
        streams=[stream for member in members for stream in member.streams],
        differences=[],
        size_w=size if isinstance(size, float) and size > 0 else None,
        members=tuple(names),
        owed_s=sum(member.owed_s for member in members),
        read_s=sum(member.read_s for member in members),
        lacking=" ".join(_lacking(db, row.timezone, members, now)),
    )


def _power(db: sqlite3.Connection, home: str) -> tuple[float, int] | None:
    """The newest mean power (W) of production that is known of all its systems, and the end of its interval."""
    extent = extents.extent(db, "energy", home)
    if extent is None:
        return None
    made = archive.numbers(db, "energy", home, "produced_wh", extent[1] - 2 * DAY, extent[1] + 1)
    return (made[max(made)] * PER_HOUR, max(made) + QUARTER) if made else None


def _lacking(db: sqlite3.Connection, timezone: str, members: Sequence[SystemReport], now: int) -> Iterator[str]:
    """What is not in the sums of today, in sentences."""
    if not timezone:
        yield "Nothing is summed up: the systems have no time zone in common."
        return
    begin = local_midnight(now, timezone)
    made = {row.name: archive.numbers(db, "energy", row.system, "produced_wh", begin, now) for row in members}
    newest = {name: max(held, default=begin - QUARTER) + QUARTER for name, held in made.items()}
    for name, at in newest.items():
        if max(newest.values()) - at >= BEHIND:
            yield f"Nothing newer than {span_words(now - at)} is known of {name}, so no sum is."
    until = min(newest.values())
    holes = {at for held in made.values() for at in held if at < until}
    left_out = sum(any(at not in held for held in made.values()) for at in holes)
    if left_out:
        yield f"{many(left_out, 'quarter')} of an hour of today left out, of which not all systems are known."
    yield from _partly(db, members)


def _partly(db: sqlite3.Connection, members: Sequence[SystemReport]) -> Iterator[str]:
    """Energies that some of the systems do not measure."""
    energies = {row.name: measured(db, row.system) for row in members}
    for quantity in FLOWS[1:]:
        names = [name for name, known in energies.items() if quantity in known]
        if 0 < len(names) < len(members):
            yield f"{quantity.removesuffix('_wh').capitalize()} is measured by {', '.join(names)} alone."


def homes(settings: Settings, inventory: Inventory) -> Iterator[Problem]:
    """Homes that cannot be summed up: of systems that nobody has, or that have no day in common."""
    asked = [inventory.pairs.get((listing(account), SYSTEMS.name)) for account in settings.accounts]
    is_listed = settings.systems is None and all(pair and pair.asked_at is not None for pair in asked)
    remedy = "Correct it under `homes:` in the configuration, and start the program again"
    for home, members in settings.home_members.items():
        rows = {member: row for member in members if (row := inventory.systems.get(member))}
        strangers = [member for member in members if member not in rows]
        zones = {member: row.timezone for member, row in rows.items() if row.timezone}
        if strangers and is_listed:
            which = "system" if len(strangers) == 1 else "systems"
            yield Problem("home", home, f"Home {home}: no account shows {which} {', '.join(strangers)}", remedy)
        elif len(set(zones.values())) > 1:
            parts = ", ".join(f"{member} in {timezone}" for member, timezone in zones.items())
            why = "its systems are in different time zones and have no day in common"
            yield Problem("home", home, f"Home {home}: {why} ({parts})", remedy)
