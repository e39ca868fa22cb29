"""Measurements computed from others, so that boards, page and users' own queries share one definition."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, tzinfo

from ingest.core.days import LocalDay, date_at
from ingest.core.point import Point

QUARTER = 900
PARTS = 3
"""5-minute intervals in a quarter of an hour."""


def quarters(five_minutes: Mapping[int, float]) -> dict[int, float]:
    """Sums (Wh) of the quarters of an hour all of whose 5-minute intervals are there; keys are interval starts."""
    sums: dict[int, list[float]] = {}
    for time, energy in five_minutes.items():
        sums.setdefault(time - time % QUARTER, []).append(energy)
    return {time: sum(parts) for time, parts in sums.items() if len(parts) == PARTS}


def energy(
    system: str, times: Iterable[int], produced: Mapping[int, float], consumed: Mapping[int, float]
) -> Iterator[Point]:
    """The measurement `energy` at quarters `times`: each field only where its inputs are complete.

    Self-consumption is what was produced and used within the same quarter of an hour.
    """
    tags = (("system", system),)
    for time in sorted(times):
        fields: dict[str, float] = {}
        made, used = produced.get(time), consumed.get(time)
        if made is not None:
            fields["produced_wh"] = made
        if used is not None:
            fields["consumed_wh"] = used
        if made is not None and used is not None:
            fields["net_wh"] = made - used
            fields["self_consumed_wh"] = min(made, used)
        if fields:
            yield Point("energy", tags, time, fields)


def day_sums(
    day: LocalDay, produced: Mapping[int, float], consumed: Mapping[int, float], self_consumed: Mapping[int, float]
) -> dict[str, float]:
    """The fields of a day of `energy_daily`, each only where there is something in every quarter of the day.

    `produced` holds the intervals of the source of production, 5 or 15 minutes long. They may be missing at both
    ends of the day, and single ones at dawn: some systems send nothing while it is dark.
    """
    light = {time - time % QUARTER for time in produced}
    is_made = bool(light) and len(light) == (max(light) - min(light)) // QUARTER + 1
    is_used = all(time in consumed for time in range(day.start, day.end, QUARTER))
    fields: dict[str, float] = {}
    if is_made:
        fields["produced_wh"] = sum(produced.values())
    if is_used:
        fields["consumed_wh"] = sum(consumed.values())
    if is_made and is_used:
        fields["self_consumed_wh"] = sum(self_consumed.values())
    return fields


def monthly(system: str, months: Iterable[tuple[int, int]], days: Mapping[str, Mapping[int, float]]) -> Iterator[Point]:
    """The measurement `energy_monthly`: sums of `energy_daily` (by field and time) over each month (start, end).

    A field that the first day of a month lacks is left out: it was not yet measured when the month began, and a part
    of a month would be taken for the whole.
    """
    times = {name: sorted(held) for name, held in days.items()}
    for start, end in months:
        inside = {name: at[bisect_left(at, start) : bisect_left(at, end)] for name, at in times.items()}
        first = min((at[0] for at in inside.values() if at), default=start)
        fields = {name: sum(days[name][time] for time in at) for name, at in inside.items() if at[:1] == [first]}
        if fields:
            yield Point("energy_monthly", (("system", system),), start, fields)


def calendar(measurement: str, day: date) -> dict[str, str]:
    """The text fields that name a day of `energy_daily` or a month of `energy_monthly` in the system's own calendar.

    Who asks the database then needs no zone: `date` 2026-11-05, `day` 05, `month` 2026-11, `month_of_year` 11,
    `year` 2026.
    """
    words = {"month": f"{day:%Y-%m}", "year": f"{day:%Y}"}
    if measurement == "energy_daily":
        return words | {"date": day.isoformat(), "day": f"{day:%d}"}
    return words | {"month_of_year": f"{day:%m}"}


def dated(points: Iterable[Point], local: tzinfo) -> Iterator[Point]:
    """Days and months with the words that name them; a point without fields stays so."""
    for point in points:
        words = calendar(point.measurement, date_at(point.time, local)) if point.fields else {}
        yield point._replace(fields={**point.fields, **words})
