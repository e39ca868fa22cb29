"""What the cloud says of systems, in lists and in passing, and what follows from it for their days. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ingest.commit import daily_difference, derived, plausible, profiles, withdrawal
from ingest.commit.changes import Changes
from ingest.commit.context import CommitContext
from ingest.core.days import ONE, midnight, zone
from ingest.core.derive import LARGEST_W
from ingest.core.point import Point, Value
from ingest.core.units import DAY
from ingest.enphase import catalogue
from ingest.enphase.call import Purpose
from ingest.enphase.streams.base import Scope, SystemInfo
from ingest.fetch.worker import MAX_SYSTEMS, Outcome
from ingest.plan import coverage
from ingest.plan.coverage import Advance
from ingest.plan.state import OddRows, SystemRow


def advance(changes: Changes, system: str, known_to: int | None, context: CommitContext) -> bool:
    """Note how far the cloud knows a system; True when that is new."""
    if known_to is None:
        return False
    old = changes.log(system)
    log = coverage.advanced(old, Advance(context.now, min(known_to, context.now)), context.classes.look_again + DAY)
    if is_new := log is not old:
        changes.logs[system] = log
    profiles.learn_rhythm(changes, system, context.now, is_new=is_new)
    return is_new


def record_systems(changes: Changes, outcome: Outcome, context: CommitContext) -> bool:
    """Remember what was said of systems, and write `system_info` for each; True when an account has too many."""
    room = _room(changes, outcome, context)
    for info in outcome.systems:
        if info.system not in changes.systems:
            room -= 1
            if room < 0:
                continue
        old = changes.systems.get(info.system) or SystemRow(info.system, context.account)
        row = merged(old, info, context)
        changes.systems[info.system] = row
        advance(changes, info.system, info.reported_at, context)
        changes.points.merge([Point("system_info", (("system", info.system),), context.now, row.info)])
        if _zone_of(row) != _zone_of(old):
            _forget_days(changes, info.system)
        if (is_moved(old, row) or is_size_doubted(changes.odd, info)) and changes.had_points(info.system):
            withdrawal.recompute(changes, info.system, context)
            if changes.systems[info.system].size_w != old.size_w and plausible.is_doubted(changes.odd, info.system):
                _ask_totals_again(changes, info.system)
    _began(changes, outcome, context)
    return room < 0


def _began(changes: Changes, outcome: Outcome, context: CommitContext) -> None:
    """Remember when a system began: by what a reply says, unless it shows energy of before."""
    system = outcome.task.system
    row = changes.systems.get(system) or SystemRow(system, context.account)
    began = _earliest(context.now, row.operational_at, outcome.operational_at)
    if began is not None:
        began = min([began, *_shown(changes, outcome, began)])
    if began != row.operational_at:
        changes.systems[system] = replace(row, operational_at=began)


def _earliest(now: int, *moments: int | None) -> int | None:
    """The earliest of several moments at which a system is said to have begun; one that is to come is none.

    The cloud may say the day of the permission to operate, long after the first energy, or another one every day: too
    early costs a few calls, too late all that lies before.
    """
    return min((moment for moment in moments if moment is not None and moment <= now), default=None)


def _shown(changes: Changes, outcome: Outcome, began: int) -> Iterator[int]:
    """Moments before a system is said to have begun, of which a reply shows energy: of intervals, or of a day."""
    energies = {(flow.measurement, flow.field) for flow in outcome.task.stream.flows}
    for table in outcome.tables:
        if table.times and min(table.times) < began:
            columns = [table.columns.get(key, ()) for name, key in energies if name == table.measurement]
            for column in columns:
                yield from (at for at, wh in zip(table.times, column, strict=False) if at < began and float(wh) > 0)
    life, local = outcome.lifetime, changes.zone(outcome.task.system)
    if life is not None and life.start is not None and local is not None:
        for values in life.series.values():
            index = next((index for index, wh in enumerate(values) if wh is not None and wh > 0), None)
            if index is not None:
                yield midnight(life.start + index * ONE, local)


def _room(changes: Changes, outcome: Outcome, context: CommitContext) -> int:
    """How many more systems an account may have; counted only where some are new, and may be too many."""
    if all(info.system in changes.systems for info in outcome.systems):
        return 0
    if sum(map(len, changes.systems.maps)) + len(outcome.systems) <= MAX_SYSTEMS:
        return len(outcome.systems)
    return max(0, MAX_SYSTEMS - sum(row.account == context.account for row in changes.systems.values()))


def record_status(changes: Changes, outcome: Outcome, context: CommitContext) -> None:
    """Take in what any reply says of its system in passing: another status at once, the rest where the system is
    written anyway.
    """
    row, now = changes.systems.get(outcome.task.system), context.now
    fields = {"status": outcome.status, "last_energy_at": outcome.energy_at}
    fresh = {name: float(value) if name != "status" else str(value) for name, value in fields.items() if value}
    if row is None or outcome.systems or {**row.info, **fresh} == row.info:
        return
    info = {**row.info, **fresh}
    is_news = info.get("status") != row.info.get("status") and outcome.task.purpose is not Purpose.HISTORY
    if is_news or row.system in changes.systems.maps[0]:
        changes.systems[row.system] = replace(row, info=info)
    if is_news:
        changes.points.merge([Point("system_info", (("system", row.system),), now, info)])


def is_moved(old: SystemRow, row: SystemRow) -> bool:
    """Whether all that is derived of a system must be computed anew: its zone, its size or its meters are others."""
    if _zone_of(row) != _zone_of(old) or row.size_w != old.size_w:
        return True
    return any(row.info.get(name) != old.info.get(name) for name in ("production_source", "config_type"))


def is_size_doubted(odd: Mapping[tuple[str, str], OddRows], info: SystemInfo) -> bool:
    """Whether a size was said of a system some of whose production is too much for it: the archive then tells which of
    the two is wrong.
    """
    return "size_w" in info.fields and plausible.is_doubted(odd, info.system)


def _zone_of(row: SystemRow) -> str:
    """The zone in which the days of a system are cut: its own, as far as this machine knows it."""
    known = zone(row.timezone).key if row.timezone else ""
    return known if row.profile.zone is None else row.profile.zone


def _forget_days(changes: Changes, system: str) -> None:
    """The days of a system have moved: what was said of the old ones is void, and is asked for again."""
    derived.retire_days(changes, system)
    if local := changes.zone(system):
        daily_difference.anew(changes, system, local)
    _ask_totals_again(changes, system)


def _ask_totals_again(changes: Changes, system: str) -> None:
    changes.forget_totals(system)
    for stream in catalogue.of_scope(Scope.TOTALS):
        if (system, stream.name) in changes.pairs:
            changes.pairs[system, stream.name] = replace(changes.pair(system, stream.name), asked_at=None)


def merged(row: SystemRow, info: SystemInfo, context: CommitContext) -> SystemRow:
    """A system after the cloud said something of it."""
    fields: dict[str, Value] = {"label": f"System {info.system} ({info.system})"} | row.info | dict(info.fields)
    lost = context.accounts and row.account not in context.accounts  # its account was renamed or removed
    timezone, size = info.timezone or row.timezone, info.fields.get("size_w")
    largest = max(row.size_w, size) if isinstance(size, float) and size <= LARGEST_W else row.profile.size_w
    return replace(
        row,
        profile=replace(row.profile, zone=zone(timezone).key if timezone else "", size_w=largest),
        account=context.account if lost else row.account,
        name=info.name or row.name,
        timezone=timezone,
        operational_at=_earliest(context.now, row.operational_at, info.operational_at),
        info=fields,
    )
