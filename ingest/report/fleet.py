"""Many systems at a glance: the totals, and the systems in the order in which they want attention."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ingest.core.units import NEVER
from ingest.plan.state import EMPTY
from ingest.report.gaps import QUIET
from ingest.report.model import Report, SystemReport

FEW = 12
"""How many systems are shown one by one; of more, the totals and the worst."""


@dataclass(frozen=True)
class FleetTotals:
    """Sums over all systems. `power_w` and `today_wh` are those of the `reporting` systems, whose newest interval is
    not older than a day; `troubled` have a problem, `gaps` are spans that should have been read by now, `ratio` is the
    share of what is owed that was read, of all their streams.
    """

    systems: int
    reporting: int
    troubled: int
    power_w: float
    today_wh: float
    gaps: int
    ratio: float


def troubles(report: Report) -> Counter[str]:
    """How many problems each system has; none of those it has not."""
    known = {row.system for row in report.places}
    return Counter(name for problem in report.problems if (name := problem.subject.partition(".")[0]) in known)


def fleet_totals(report: Report) -> FleetTotals:
    """The sums of a report."""
    fresh = [row for row in report.systems if row.age_s is not None and row.age_s < 86_400]
    owed = sum(row.owed_s for row in report.systems)
    return FleetTotals(
        systems=len(report.systems),
        reporting=len(fresh),
        troubled=len(troubles(report).keys() & {row.system for row in report.systems}),
        power_w=sum(row.power_w or 0.0 for row in fresh),
        today_wh=sum(row.today_wh or 0.0 for row in fresh),
        gaps=sum(map(gap_count, report.systems)),
        ratio=sum(row.read_s for row in report.systems) / owed
        if owed
        else min((row.read for row in report.systems), default=1.0),
    )


def gap_count(system: SystemReport) -> int:
    """Spans of a system that should have been read by now; of a stream that never had a value none should."""
    return sum(gap.reason not in QUIET for stream in system.streams if stream.state not in EMPTY for gap in stream.gaps)


def worst_first(report: Report) -> list[SystemReport]:
    """The systems and homes: those with most problems first, then most gaps, the least read, the oldest values, and
    the smallest yield of the day.
    """
    found = troubles(report)

    def order(row: SystemReport) -> tuple[int, int, float, int, float]:
        age = NEVER if row.age_s is None else row.age_s
        return -found[row.system], -gap_count(row), row.read, -age, row.specific_yield or 0.0

    return sorted(report.places, key=order)


COLUMNS: dict[str, Callable[[SystemReport], float | str | None]] = {
    "name": lambda row: row.name.casefold(),
    "power": lambda row: row.power_w,
    "today": lambda row: row.today_wh,
    "yield": lambda row: row.specific_yield,
    "age": lambda row: row.age_s,
    "read": lambda row: row.read,
    "gaps": gap_count,
}
"""What systems may be ordered by."""


def ordered(report: Report, by: str) -> list[SystemReport]:
    """The systems and homes in the order of a column, downwards where a minus stands before its name; those of which it
    is not known come last. By anything else: the worst first.
    """
    value = COLUMNS.get(by.removeprefix("-"))
    if value is None:
        return worst_first(report)
    known = [row for row in report.places if value(row) is not None]
    return [
        *sorted(known, key=value, reverse=by.startswith("-")),  # type: ignore[arg-type]
        *(row for row in report.places if value(row) is None),
    ]
