"""A quantity of a day that nothing says any more is withdrawn, and the others of that day stay. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from ingest.commit import derived, odd, plausible
from ingest.commit.changes import Changes
from ingest.commit.context import CommitContext
from ingest.commit.daily_totals import still_served_from
from ingest.commit.derived import ByTime, produced, write_months
from ingest.commit.plausible import most_wh
from ingest.core import derive
from ingest.core.days import LocalDay, days_of
from ingest.core.point import Point, Value, decode_fields, series_key
from ingest.core.span import Span
from ingest.enphase.catalogue import DAILY
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Odd
from ingest.enphase.streams.site import SUMMARY


def recompute(changes: Changes, system: str, context: CommitContext) -> None:
    """Compute all that is derived of a system anew, and name what has turned out to be more than it can have: some
    energies, or the size, where many are.
    """
    row = changes.systems[system]
    too_small = []
    if plausible.is_refuted(changes, system):
        too_small.append(Odd(plausible.TOO_SMALL, f"size_w: {row.size_w:g}"))
        changes.systems[system] = replace(row, profile=replace(row.profile, size_w=0.0))
    odd.judged_anew(changes, (system, SUMMARY.name), too_small, context.now, (plausible.TOO_SMALL,))
    for stream, found in plausible.held(changes, system):
        odd.judged_anew(changes, (system, stream.name), found, context.now, plausible.REASONS)
    derived.everywhere(changes, system, context.now, context.classes.settle)
    withdraw(changes, system, context)


def withdraw(changes: Changes, system: str, context: CommitContext) -> None:
    """Look at the days whose intervals have lost something: what neither their intervals nor a total of the vendor's
    add up to is taken out of `energy_daily`. Days from before the totals that are kept stay as they are.
    """
    tags, local = (("system", system),), changes.zone(system)
    times = changes.points.withdrawn.get(series_key("energy", tags), set())
    if not times or local is None:
        return
    oldest = still_served_from(BY_NAME["energy_lifetime"], context)
    days = dict.fromkeys(day for time in sorted(times) for day in days_of(Span(time, time + derive.QUARTER), local))
    rows = changes.points.rows(series_key("energy_daily", tags))
    held = {day: decode_fields(rows[day.start]) for day in days if day.start >= oldest and rows.get(day.start)}
    sums = _sums(changes, system, held)
    points = [
        Point("energy_daily", tags, day.start, _without(fields, _lost(changes, system, day, fields, sums[day])))
        for day, fields in held.items()
    ]
    if touched := changes.points.replace(points).get("energy_daily"):
        write_months(changes, system, touched, local)


def _sums(changes: Changes, system: str, days: Iterable[LocalDay]) -> dict[LocalDay, dict[str, float]]:
    """What the intervals of days add up to, whether they have settled or not."""
    made = ByTime(produced(changes, system))
    held = {name: ByTime(changes.points.numbers("energy", system, name)) for name in derive.QUANTITIES}
    return {
        day: derive.day_sums(
            day,
            {time: energy for time, (_, energy) in made.of(day).items()},
            {name: values.of(day) for name, values in held.items()},
        )
        for day in days
    }


def _lost(changes: Changes, system: str, day: LocalDay, fields: dict[str, Value], sums: dict[str, float]) -> list[str]:
    totals = {
        name: changes.totals[key]
        for series, name in DAILY.items()
        if (key := (system, series, day.date.isoformat())) in changes.totals
    }
    return [
        name
        for name in derive.QUANTITIES
        if name in fields
        and name not in sums
        and (name not in totals or abs(totals[name].wh) > most_wh(changes, system, day.end - day.start, name))
    ]


def _without(fields: dict[str, Value], lost: list[str]) -> dict[str, Value]:
    gone = {*lost, *map(derive.days_name, lost)}
    rest = {name: value for name, value in fields.items() if name not in gone}
    return rest if rest.keys() & {*derive.QUANTITIES} else {}
