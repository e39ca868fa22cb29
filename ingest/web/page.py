"""The page of one system, and the list of all where there are many."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

import ingest
from ingest.core.units import HOUR
from ingest.core.words import local_words, many, percent, span_words, utc_words
from ingest.enphase.replies import Kind
from ingest.report import Report, SystemReport
from ingest.report.absent import is_behind
from ingest.report.fleet import FEW, fleet_totals, gap_count, ordered
from ingest.report.model import QuotaReport
from ingest.report.problems import summary
from ingest.web.source import Source
from ingest.web.system_page import of_system

if TYPE_CHECKING:
    from flask import Blueprint

DASH = "\u2013"
PAGE = 50
FRESH = 6 * HOUR
COLUMNS = {
    "name": "System",
    "power": "Power, W",
    "today": "Today, kWh",
    "yield": "Yield, kWh/kW",
    "age": "Age",
    "read": "Read, %",
    "gaps": "Gaps",
}
"""The columns of the list of systems, by what they are ordered by."""
LESS = ("power", "yield")
"""Columns for which a phone has no room."""
UPWARDS = ("name", "read")
"""Columns of which the first click brings the smallest first."""
BARS = 300
"""Width of the bar of calls, in its own units."""


def blueprint(source: Source) -> "Blueprint":
    """The routes."""
    from flask import Blueprint, abort, current_app, render_template, request  # noqa: PLC0415

    routes = Blueprint("page", __name__)
    routes.add_app_template_filter(many, "many")
    routes.add_app_template_filter(unbroken, "span")
    routes.add_app_template_filter(percent, "percent")
    routes.add_app_template_filter(number, "number")
    routes.add_app_template_filter(utc_words, "utc")
    routes.add_app_template_filter(local_words, "local")

    @routes.get("/")
    def status() -> str:
        report = source.report()
        wanted = request.args.get("system")
        if not wanted and len(report.systems) > FEW:
            return render_template("systems.html", **context(source, report), **listing(report, {}))
        shown = choose(report.places if wanted else report.households, wanted)
        if wanted and shown is None:
            abort(404)
        return render_template(
            "page.html",
            **context(source, report),
            system=shown,
            consent="consent" in current_app.blueprints,
            **(of_system(source, report, shown, request.args) if shown else {}),
        )

    @routes.get("/systems")
    def systems() -> str:
        report = source.report()
        return render_template("systems.html", **context(source, report), **listing(report, request.args))

    return routes


def listing(report: Report, args: Mapping[str, str]) -> dict[str, Any]:
    """One page of the systems that match what was typed, the worst first or by a column, and their sums."""
    words, page, by = args.get("q", "")[:100].strip(), args.get("page", "1"), args.get("sort", "")
    by = by if by.removeprefix("-") in COLUMNS else ""
    found = [row for row in ordered(report, by) if matches(row, words)]
    pages = max(1, -(-len(found) // PAGE))
    number = min(max(int(page), 1), pages) if page.isascii() and page.isdigit() and len(page) < 7 else 1
    rows = found[(number - 1) * PAGE : number * PAGE]
    shown = [(row, gap_count(row), percent(row.read)) for row in rows]
    place = {"q": words, "page": number, "pages": pages, "sort": by}
    homes = sum(bool(row.members) for row in found)
    place |= {"homes": homes, "found": len(found) - homes}
    meant = {name for row in found for name in (row.system, *row.members)}
    sums = fleet_totals(replace(report, systems=[row for row in report.systems if row.system in meant]))
    columns = [Column(title, *turned(name, by), name in LESS) for name, title in COLUMNS.items()]
    return {"rows": shown, "totals": sums, "columns": columns, **place}


class Column(NamedTuple):
    """A column of the list: its title, how the list is ordered by it now (none, ascending, descending), and the order
    that a click on it brings, and whether a phone leaves it out.
    """

    title: str
    order: str
    by: str
    less: bool


def turned(name: str, by: str) -> tuple[str, str]:
    """How a list in the order `by` stands to a column, and the order that a click on the column brings."""
    if by.removeprefix("-") != name:
        return "none", name if name in UPWARDS else f"-{name}"
    return ("descending", name) if by.startswith("-") else ("ascending", f"-{name}")


def number(value: float | None, unit: str = "", digits: int = 0) -> str:
    """A number with its unit, a dash where nothing is known."""
    return DASH if value is None else f"{value:,.{digits}f}{unit}"


def unbroken(seconds: int) -> Markup:
    """A length of time that stays in one line."""
    return Markup('<span class="whole-words">{}</span>').format(span_words(seconds))


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


def context(source: Source, report: Report) -> dict[str, Any]:
    """What every page shows."""
    return {
        "report": report,
        "summary": summary(report),
        "mood": "good" if not report.problems else "bad",
        "many_systems": len(report.systems) > FEW,
        "version": ingest.__version__,
        "silent": silent(report),
        "refused_streams": any(stream.state == Kind.DENIED for row in report.systems for stream in row.streams),
        "calls_bar": bars(report.quota),
        "is_idle": source.settings.missing_credentials(),
        "connect": source.settings.connect(),
    }


def silent(report: Report) -> list[SystemReport]:
    """The systems whose gateway had not reported for long when the cloud was last asked."""
    return [row for row in report.systems if row.reported_at and is_behind(row)]


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
