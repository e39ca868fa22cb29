"""The page of one system, and the list of all where there are many."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ingest
from ingest.core.days import zone
from ingest.core.units import HOUR
from ingest.core.words import day_words, many, span_words
from ingest.enphase.streams import BY_NAME
from ingest.plan.inventory import Inventory
from ingest.report import Report, SystemReport
from ingest.report.absent import why_absent
from ingest.report.model import QuotaReport
from ingest.report.problems import summary
from ingest.web import calendar, chart, earnings
from ingest.web.source import Source

if TYPE_CHECKING:
    from flask import Blueprint

DASH = "\u2013"
FEW = 12
"""So many systems are named one beside the other; more are searched for."""
PAGE = 50
DRAWN_DAYS = 7
TABLE_DAYS = 7
FRESH = 6 * HOUR
BARS = 300
"""Width of the bar of calls, in its own units."""


def blueprint(source: Source) -> "Blueprint":
    """The routes."""
    from flask import Blueprint, abort, current_app, render_template, request  # noqa: PLC0415

    routes = Blueprint("page", __name__)
    routes.add_app_template_filter(many, "many")
    routes.add_app_template_filter(span_words, "span")
    routes.add_app_template_filter(day_words, "day")
    routes.add_app_template_filter(number, "number")

    @routes.get("/")
    def status() -> str:
        made = source.report()
        wanted = request.args.get("system")
        shown = choose(made.systems, wanted)
        if wanted and shown is None:
            abort(404)
        weeks = request.args.get("weeks", "")
        return render_template(
            "page.html",
            **context(source, made),
            system=shown,
            consent="consent" in current_app.blueprints,
            **(
                of_system(source, made, shown, int(weeks) if weeks in {*map(str, calendar.WEEKS)} else 0)
                if shown
                else {}
            ),
        )

    @routes.get("/systems")
    def systems() -> str:
        made = source.report()
        rows = listing(made.systems, request.args.get("q", ""), request.args.get("page", "1"))
        return render_template("systems.html", **context(source, made), **rows)

    return routes


def listing(systems: Sequence[SystemReport], query: str, page: str) -> dict[str, Any]:
    """One page of the systems that match what was typed."""
    words = query[:100].strip()
    found = [row for row in systems if matches(row, words)]
    pages = max(1, -(-len(found) // PAGE))
    number = min(max(int(page), 1), pages) if page.isascii() and page.isdigit() and len(page) < 7 else 1
    rows = found[(number - 1) * PAGE : number * PAGE]
    return {"rows": rows, "q": words, "page": number, "pages": pages, "found": len(found)}


def number(value: float | None, unit: str = "", digits: int = 0) -> str:
    """A number with its unit, a dash where nothing is known."""
    return DASH if value is None else f"{value:,.{digits}f}{unit}"


def moment(at: int, now: int, timezone: str) -> str:
    """A moment in the zone of a system: the time of today, or the day too."""
    local, today = (datetime.fromtimestamp(moment, UTC).astimezone(zone(timezone)) for moment in (at, now))
    time = f"{local:%H:%M}"
    if local.date() == today.date():
        return time
    return f"{local.day} {local:%b}{'' if local.year == today.year else f' {local.year}'}, {time}"


def matches(row: SystemReport, words: str) -> bool:
    """Whether a system is meant by what was typed."""
    text = f"{row.name} {row.system}".lower()
    return all(word in text for word in words.lower().split())


def choose(systems: Sequence[SystemReport], wanted: str | None) -> SystemReport | None:
    """The system asked for; else one on which the sun shines; else the first."""
    if wanted:
        return next((row for row in systems if row.system == wanted), None)
    bright = [row for row in systems if row.power_w and row.age_s is not None and row.age_s < FRESH]
    return max(bright, key=lambda row: row.power_w or 0.0) if bright else (systems[0] if systems else None)


def context(source: Source, made: Report) -> dict[str, Any]:
    """What every page shows."""
    return {
        "report": made,
        "summary": summary(made),
        "mood": "good" if not made.problems else "bad",
        "many_systems": len(made.systems) > FEW,
        "version": ingest.__version__,
        "bars": bars(made.quota),
        "is_idle": source.settings.missing_credentials(),
        "connect": source.settings.connect(),
    }


def bars(quota: QuotaReport) -> dict[str, float]:
    """The bar of calls: used, planned until the end of the month, and the reserve; in its own units."""
    scale = BARS / max(quota.per_month, 1)
    used = min(BARS, quota.used_month * scale)
    planned = min(BARS - used, max(0, quota.forecast_month - quota.used_month) * scale)
    reserve = quota.reserve * scale
    return {
        "width": BARS,
        "used": round(max(used, 1 if used else 0), 1),
        "planned": round(planned, 1),
        "reserve": round(reserve, 1),
        "reserve_x": round(BARS - reserve, 1),
    }


def of_system(source: Source, made: Report, shown: SystemReport, weeks: int) -> dict[str, Any]:
    """What the page of one system shows besides."""
    now = source.now()
    with source.reader() as db:
        inventory = source.inventory
        works = [work for work in inventory.works(now) if work.system == shown.system and work.stream.grain]
        weeks = weeks or min(calendar.enough(works, now), 53)
        days = chart.daily(db, shown.system, shown.timezone, now)
        drawn = chart.curve(db, shown.system, shown.timezone, now, DRAWN_DAYS)
        today = chart.today(db, shown.system, shown.timezone, now)
        worth = earnings.part(source.settings, db, shown, now, is_alone=len(made.systems) == 1)
        calendars = [calendar.calendar(inventory, work, now, weeks, shown.differences) for work in works]
    data = {
        "system": shown.system,
        "name": shown.name,
        "zone": shown.timezone or "UTC",
        "now": now,
        "filling": made.backfill.calls > 0 and made.backfill.ratio < 0.98,
        "curve": drawn,
        "curve_days": DRAWN_DAYS,
        "daily": days,
    }
    return {
        "data": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        "calendars": calendars,
        "today": today,
        "money": worth,
        "table": days[-TABLE_DAYS:][::-1],
        "weeks": weeks,
        "ranges": calendar.WEEKS,
        "about": {name: stream.about for name, stream in BY_NAME.items()},
        "local": lambda at: moment(at, now, shown.timezone),
        "reported": moment(shown.reported_at, now, shown.timezone) if shown.reported_at else None,
        "absent": _absent(inventory, shown, drawn),
        "share": 100 * (today.own or 0.0) / today.produced if today.produced and today.own is not None else None,
    }


def _absent(inventory: Inventory, shown: SystemReport, drawn: dict[str, Any]) -> list[str]:
    """What the charts lack, and why."""
    kinds = {"produced": "production", "consumed": "consumption"}
    empty = [kind for kind in kinds if all(value is None for value in drawn[f"{kind}_w"])]
    return [f"No {kinds[kind]}: {why_absent(inventory, shown, f'{kind}_wh')}." for kind in empty]
