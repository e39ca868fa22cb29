"""What the page of one system shows: today, a curve, bars, and how completely each stream was read."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ingest.core.days import date_at, local_midnight, midnight, zone
from ingest.core.words import percent
from ingest.enphase.replies import Kind
from ingest.enphase.streams import BY_NAME
from ingest.plan.coverage import covered
from ingest.plan.inventory import Inventory
from ingest.plan.state import EMPTY
from ingest.plan.work import Work
from ingest.report import Report, SystemReport
from ingest.report.absent import why_absent
from ingest.report.departed import NO_CURVE
from ingest.report.quarters import Flows, of_span
from ingest.store import departures
from ingest.web import calendar, chart, earnings, energy
from ingest.web.energy import Bar
from ingest.web.source import Source
from ingest.web.tiles import tiles
from ingest.web.view import CURVES, RANGES, View, view
from ingest.web.weakest import panels

DRAWN = {"production": "produced_wh", "consumption": "consumed_wh"}
"""What the curve shows, in words."""
CHOICES = {"curves": CURVES, "spans": RANGES, "ranges": calendar.WEEKS, "nothing_of": calendar.ABSENT}
"""Words that are always the same: of what a viewer can choose, and of streams of which there is nothing."""
LEFT_OUT = (*EMPTY, Kind.DENIED)
"""States of streams that are not waited for: what the system has not, and what is refused, which is said."""
COLUMNS = {
    "Produced": "produced_wh",
    "Consumed": "consumed_wh",
    "From grid": "imported_wh",
    "To grid": "exported_wh",
    "Charged": "charged_wh",
    "Discharged": "discharged_wh",
}
"""The energies of the tables; a column of which nothing is known is left out."""


def of_system(source: Source, report: Report, shown: SystemReport, args: Mapping[str, str]) -> dict[str, Any]:
    """What the template of the page needs for a system and an address."""
    now, timezone = source.now(), shown.timezone
    here = view(args, shown.system, date_at(now, zone(timezone)))
    with source.reader() as db:
        inventory = source.inventory
        names = shown.members or (shown.system,)
        parts = [row for row in report.systems if row.system in shown.members]
        works = [work for name in names for work in inventory.works_of(name, now) if work.stream.grain]
        weeks = here.weeks or min(calendar.enough(works, now), calendar.SHORT)
        bars = energy.bars(db, timezone, here, now)
        curve = chart.curve(db, shown.system, timezone, now, here.days, here.day)
        hours = chart.hours(db, shown.system, timezone, here.day)
        today = of_span(db, shown.system, local_midnight(now, timezone), now)
        worth = earnings.part(source.settings, db, shown, now, is_alone=len(report.households) == 1)
        has_left = midnight(here.day, zone(timezone)) < departures.until_of(db, [shown.system])
        each_panel = panels(db, shown.system, zone(timezone), now)
        calendars = [calendar.calendar(inventory, work, now, weeks, shown.differences) for work in works if not parts]
    why = partial(why_not, inventory, parts or [shown])
    lacking = [f"No {kind}: {why(field)}." for kind, field in DRAWN.items() if is_empty(curve[f"{field[:-3]}_w"])]
    known = [today, *(row for _, row in hours), *(bar.flows for bar in bars)]
    return {
        "data": drawn(report, here, shown, curve, bars, empty_words(here, lacking, has_left=has_left)),
        "view": here,
        "zone": timezone or "UTC",
        **CHOICES,
        "before": here.turn(-1) if here.range != "all" else None,
        "after": here.turn(1),
        "bars": bars,
        "hours": hours,
        "columns": {name: field for name, field in COLUMNS.items() if any(field in row for row in known)},
        "has_consumption": any("consumed_wh" in row for row in known),
        "absent": [*lacking, *([shown.lacking] if shown.lacking else [])] if here.is_now else [],
        "panels": each_panel,
        "parts": [(row, percent(row.read)) for row in parts],
        "tiles": list(tiles(shown, today, worth, why)),
        "money": worth,
        "calendars": calendars,
        "weeks": weeks,
        "about": {name: stream.about for name, stream in BY_NAME.items()},
        **how_far(shown, works, source.settings.settle, now),
    }


def how_far(shown: SystemReport, works: Sequence[Work], settle: int, now: int) -> dict[str, Any]:
    """Up to when the home's energies are read and final, and the streams of them that the application may not read."""
    refused = {work.stream.name for work in works if work.stream.flows and work.pair.state == Kind.DENIED}
    return {"read_at": read_until(shown, now), "final_at": final_until(works, settle), "refused": sorted(refused)}


def why_not(inventory: Inventory, systems: Sequence[SystemReport], quantity: str) -> str:
    """Why nothing is known of an energy: the reason of the system, or those of the systems of a home."""
    reasons = {row.name: why_absent(inventory, row, quantity) for row in systems}
    alike = len(set(reasons.values())) == 1
    return next(iter(reasons.values())) if alike else "; ".join(f"{name}: {why}" for name, why in reasons.items())


def read_until(shown: SystemReport, now: int) -> int | None:
    """Up to when (epoch s) all streams of the home's energies are read; None before the first interval."""
    flows = [stream for stream in shown.streams if BY_NAME[stream.stream].flows and stream.state not in LEFT_OUT]
    lags = [stream.lag_s for stream in flows if stream.lag_s is not None]
    return now - max(lags) if lags else None


def final_until(works: Sequence[Work], settle: int) -> int | None:
    """The newest moment (epoch s) up to which what was read of every such stream does not change any more."""
    counted = [work for work in works if work.stream.flows and work.pair.state not in LEFT_OUT]
    spans = [covered(work.read, settle) for work in counted]
    return min((found[-1].end for found in spans if found), default=None)


def drawn(
    report: Report, here: View, shown: SystemReport, curve: Mapping[str, Any], bars: Sequence[Bar], reason: str
) -> str:
    """The numbers of the charts as JSON that can stand in a page; `reason` stands in the place of an empty one."""
    data = {
        "system": shown.system,
        "zone": shown.timezone or "UTC",
        "filling": report.backfill.calls > 0 and report.backfill.ratio < 0.98,
        "days": here.days,
        "range": here.range,
        "curve": curve,
        "bars": [
            [bar.key, _whole(bar.flows, "produced_wh"), _whole(bar.flows, "consumed_wh"), int(bar.running), bar.note,
             here.of_bar(bar.key)]
            for bar in bars
        ],
        "reason": reason,
    }  # fmt: skip
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def empty_words(here: View, lacking: Sequence[str], *, has_left: bool = False) -> str:
    """What stands in the place of a chart that would be empty: where intervals are that have left the archive."""
    if has_left:
        return f"{NO_CURVE}."
    return (
        " ".join(lacking) or "The first values appear here by themselves."
        if here.is_now
        else "Nothing is known of this time."
    )


def is_empty(values: Sequence[int | None]) -> bool:
    """Whether a line of the curve has no value."""
    return all(value is None for value in values)


def _whole(flows: Flows, name: str) -> int | None:
    return round(flows[name]) if name in flows else None
