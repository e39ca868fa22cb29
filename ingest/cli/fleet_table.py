"""The first screen of `status` for many systems: the totals, then the worst, one row a system."""

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from ingest.core.words import many, percent, span_words
from ingest.report.fleet import fleet_totals, gap_count, troubles, worst_first
from ingest.report.model import Report


def fleet(found: Report, most: int | None) -> Iterator[str | Table]:
    """What is printed: sentences (with commands in backticks) and the table; `most` rows at most."""
    totals = fleet_totals(found)
    quiet = totals.systems - totals.reporting
    yield (
        f"{many(totals.systems, 'system')}: {totals.troubled:,} with problems, {quiet:,} without data of the last day; "
        f"{totals.power_w / 1000:,.1f} kW, today {totals.today_wh / 1000:,.1f} kWh; {percent(totals.ratio)}% "
        f"read, {many(totals.gaps, 'gap')}"
    )
    rows, wrong = worst_first(found)[:most], troubles(found)
    table = Table("system", "power, W", "today, kWh", "age", "read", "gaps", "problems")
    for row in rows:
        table.add_row(
            Text(f"Home {row.name}" if row.members else f"{row.name} ({row.system})"),
            "-" if row.power_w is None else f"{row.power_w:,.0f}",
            "-" if row.today_wh is None else f"{row.today_wh / 1000:,.1f}",
            "-" if row.age_s is None else span_words(row.age_s),
            f"{percent(row.read)}%",
            f"{gap_count(row):,}",
            f"{wrong[row.system]:,}",
        )
    yield table
    if len(rows) < len(found.places):
        yield (
            f"The worst {len(rows)} of {totals.systems:,}; all: `ingest status --all`, one: `ingest status --system ID`"
        )
    else:
        yield "One of them: `ingest status --system ID`"
