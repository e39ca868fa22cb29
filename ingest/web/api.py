"""For programs: /healthz, /metrics, /api/status, and the numbers of the charts."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from ingest.core import when
from ingest.core.days import date_at, zone
from ingest.core.words import localized
from ingest.report import SystemReport, metrics
from ingest.web import chart
from ingest.web.source import Source

if TYPE_CHECKING:
    from flask import Blueprint

ALIVE_S = 90
"""Three intervals of the loop."""


def blueprint(source: Source) -> "Blueprint":
    """The routes."""
    from flask import Blueprint, Response, abort, jsonify, request  # noqa: PLC0415

    routes = Blueprint("api", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        alive, text = health(source.now() - source.beat())
        return Response(text, 200 if alive else 503, mimetype="text/plain")

    @routes.get("/metrics")
    def prometheus() -> Response:
        by_system = source.settings.web is None or source.settings.web.system_metrics
        body, kind = metrics.exposition(source.report(), source.beat(), source.command, by_system=by_system)
        return Response(body, 200, content_type=kind)

    @routes.get("/api/status")
    def status() -> Response:
        document = source.report().document()
        for problem in document["problems"]:
            problem["remedy"] = localized(problem["remedy"], source.command)
        return jsonify(document)

    @routes.get("/api/curve")
    def curve() -> Response:
        days = request.args.get("days", "3")
        if not days.isascii() or not days.isdigit() or len(days) > 3:
            abort(400)
        found, day = asked(source, request.args)
        with source.reader() as db:
            return jsonify(chart.curve(db, found.system, found.timezone, source.now(), int(days), day))

    @routes.get("/day.csv")
    def day_file() -> Response:
        found, day = asked(source, request.args)
        with source.reader() as db:
            text = chart.day_file(db, found.system, found.timezone, day)
        name = f"solar-{found.system}-{day}.csv"
        return Response(text, mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})

    return routes


def health(age: int) -> tuple[bool, str]:
    """Whether the loop is alive, `age` seconds after its last tick, and the sentence that says so."""
    if age < ALIVE_S:
        return True, f"ok, the last tick was {max(age, 0)} s ago\n"
    return False, f"the last tick was {age} s ago\n"


def asked(source: Source, args: Mapping[str, str]) -> tuple[SystemReport, date]:
    """The system or home and the day that an address names; the day is today where none is."""
    from flask import abort  # noqa: PLC0415

    found = next((row for row in source.report().places if row.system == args.get("system")), None)
    if found is None:
        abort(404)
    try:
        named = args.get("day")
        return found, when.day(named) if named else date_at(source.now(), zone(found.timezone))
    except ValueError:
        abort(400)
