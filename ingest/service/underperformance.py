"""Each plant against its own clear days and its neighbours, once a day; what is found is kept for the report."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from ingest.commit.derived import ByTime
from ingest.core.baseline import CLEAR_DAYS, Behind, behind, is_clear
from ingest.core.days import date_at, days_between, midnight, zone
from ingest.plan.state import SystemRow
from ingest.store import archive, meta
from ingest.store.database import Store

LOOK_DAYS = 21
"""Days in which the last clear ones are looked for."""
LIFE_DAYS = 4 * 366
AT_ONCE = 20
"""Systems that are looked at in one go: each takes some hundredths of a second."""


def look(store: Store, systems: Mapping[str, SystemRow], now: int) -> int:
    """Look at systems whose last look was on another day; returns at how many. What is found is kept."""
    due = [row for row in systems.values() if row.timezone and _looked(store.db, row.system) != _day(row, now)]
    for row in due[:AT_ONCE]:
        near = [other for other in systems.values() if other.account == row.account and other.timezone == row.timezone]
        found = judge(store.db, row, [other for other in near if other.system != row.system][:AT_ONCE], now)
        text = json.dumps({"day": _day(row, now), "sentence": sentence(row, found) if found else ""})
        with store.transaction() as db:
            meta.write(db, f"behind.{row.system}", text)
    return min(len(due), AT_ONCE)


def _looked(db: sqlite3.Connection, system: str) -> str:
    return str(json.loads(meta.read(db, f"behind.{system}") or '{"day": ""}')["day"])


def _day(row: SystemRow, now: int) -> str:
    return date_at(now, zone(row.timezone)).isoformat()


def judge(db: sqlite3.Connection, row: SystemRow, near: Iterable[SystemRow], now: int) -> Behind | None:
    """Whether a plant is behind on its last clear days."""
    local = zone(row.timezone)
    today = date_at(now, local)
    days = list(days_between(today - timedelta(days=LOOK_DAYS), LOOK_DAYS, local))
    held = ByTime(archive.numbers(db, "energy", row.system, "produced_wh", days[0].start, days[-1].end))
    clear = [day.date for day in days if is_clear([*held.of(day).values()])]
    if len(clear) < CLEAR_DAYS:
        return None
    return behind(clear, _daily(db, row, today), [_daily(db, other, today) for other in near])


def _daily(db: sqlite3.Connection, row: SystemRow, today: date) -> dict[date, float]:
    local = zone(row.timezone)
    begin, end = midnight(today - timedelta(days=LIFE_DAYS), local), midnight(today, local)
    held = archive.numbers(db, "energy_daily", row.system, "produced_wh", begin, end)
    return {date_at(at, local): value for at, value in held.items()}


def sentence(row: SystemRow, found: Behind) -> str:
    """What is said of it."""
    *first, last = (f"{day.day} {day:%B}" for day in found.days)
    days = f"{', '.join(first)} and {last}"
    name = row.name or f"System {row.system}"
    return f"{name} made {found.share:.0%} less than {found.what} on {days}, which were clear"
