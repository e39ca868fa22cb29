"""Advice where the configured cadences do not fit the plan."""

from collections.abc import Sequence

from ingest.core.units import DAY, MINUTE
from ingest.plan.levers import Lever
from ingest.plan.timetable import Timetable

SHOWN = 5
"""How many free changes are named at most, the most effective first."""


def advise(table: Timetable, name: str, free: Sequence[Lever], paid: Sequence[Lever]) -> list[str]:
    """Say what does not fit, what is done instead, and what would change that: the free levers first, then the larger
    plans with their price, `name` being the present one. Empty where everything fits.
    """
    slower = [line for line in table.lines if line.every < DAY and line.by_day > 1.01 * max(line.every, line.period)]
    if not slower:
        return []
    whole = table.plan.per_month - table.reserve
    streams, systems = len({line.stream for line in slower}), max(line.systems for line in slower)
    every = " and ".join(spell(every_s) for every_s in sorted({line.every for line in slower}))
    by_day = " to ".join(
        spell(every_s) for every_s in sorted({line.by_day for line in slower})[:: max(1, len(slower) - 1)]
    )
    sentence = (
        f"every {every} for {_count(streams, 'stream')} of {_count(systems, 'system')} needs {_round(table.wished)} "
        f"calls a month in all; {name} has {whole:,} after the reserve: polled every {by_day} by day."
    )
    levers = [f"Free: every {spell(lever.by_day)} {lever.change}: {lever.setting}." for lever in free[:SHOWN]]
    wished = min(max(line.every, line.period) for line in slower)
    return [sentence, *levers, *_plans(paid, wished)]


def _plans(paid: Sequence[Lever], wished: int) -> list[str]:
    """The larger plans up to the first that carries what is wished."""
    found: list[str] = []
    for lever in paid:
        if lever.by_day <= 1.01 * wished:
            return [*found, f"{lever.change} would carry it, for USD {lever.price:,.0f} a month."]
        found.append(f"{lever.change}, for USD {lever.price:,.0f} a month: every {spell(lever.by_day)}.")
    return found


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
