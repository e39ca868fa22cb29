"""What to say of wishes that do not fit into a plan."""

from collections.abc import Mapping

from ingest.core.units import DAY, MINUTE
from ingest.plan import pacing
from ingest.plan.quota import Plan
from ingest.plan.timetable import Timetable


def advise(table: Timetable, plans: Mapping[str, Plan]) -> str:
    """Say what does not fit, what is done instead, and which of `plans` would carry it; empty where everything fits."""
    slower = [line for line in table.lines if line.every < DAY and line.by_day > 1.01 * max(line.every, line.period)]
    if not slower:
        return ""
    plan, whole = table.plan, table.plan.per_month - table.reserve
    name = _name(plan, plans) or "the plan"
    streams, systems = len({line.stream for line in slower}), max(line.systems for line in slower)
    every = " and ".join(spell(at) for at in sorted({line.every for line in slower}))
    by_day = " to ".join(spell(at) for at in sorted({line.by_day for line in slower})[:: max(1, len(slower) - 1)])
    text = (
        f"every {every} for {_count(streams, 'stream')} of {_count(systems, 'system')} needs {_round(table.wished)} "
        f"calls a month in all; {name} has {whole:,} after the reserve: polled every {by_day} by day."
    )
    least = table.wished * plan.per_month / max(whole, 1)
    bigger = [one for one in plans.values() if one.per_month >= least and pacing.per_day(one) * 28 >= table.wished]
    if not bigger:
        return text
    return f"{text} {_name(min(bigger, key=lambda one: one.per_month), plans)} would carry it"


def _name(plan: Plan, plans: Mapping[str, Plan]) -> str:
    return next((name.capitalize() for name, one in plans.items() if one == plan), "")


def spell(seconds: int) -> str:
    """A length of time in words, such as "15 min", "3 h 5 min" or "2 d"."""
    minutes = max(1, round(seconds / MINUTE))
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{days} d"] * bool(days) + [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    return " ".join(parts[:2])


def _round(calls: float) -> str:
    digits = max(0, len(str(int(calls))) - 3)
    return f"{round(int(calls), -digits):,}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
