"""The application: routes, and what holds for every answer."""

import gzip
import logging
import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from ingest.core.words import localized
from ingest.web import guard
from ingest.web.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Blueprint, Flask, Response

log = logging.getLogger(__name__)

GZIP_FROM = 1_000
UNITS = r"(?:s|min|h|d|W|kW|Wh|kWh|MB|GB|%)(?!\w)"
WHOLE = re.compile(rf"`([^`]+)`|(?<![\w.,:-])\d[\d,.]* {UNITS}(?: \d+ {UNITS})?")
"""What stays in one line: commands (in backticks), and numbers with their unit."""
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain"}


def create_app(source: Source, more: "Sequence[Blueprint]" = ()) -> "Flask":
    """The application of the status page, ready for any WSGI server; `more` are further routes, such as those of
    consent.
    """
    from ingest.web import api, page  # noqa: PLC0415 - they need Flask

    app = bare(source.command, source.settings.web.hosts if source.settings.web else ())
    for routes in (page.blueprint(source), api.blueprint(source), *more):
        app.register_blueprint(routes)
    return app


def bare(command: str, hosts: Collection[str] = ()) -> "Flask":
    """An application without routes but for static files. `command` is the program as it is called here, `hosts` are
    further names that it may be opened by.
    """
    from flask import Flask  # noqa: PLC0415 - half a second and 15 MB: only for those who have the page

    app = Flask("ingest.web", static_folder=None, template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    app.json.sort_keys = False  # type: ignore[attr-defined] # of Flask's own provider
    app.add_template_filter(lambda text: code(localized(text, command)), "words")
    _guard(app, hosts)
    _errors(app)
    _static(app)
    return app


def code(text: str) -> Markup:
    """Words for people: what stands in backticks is a command; a number and its unit stay in one line."""

    def dressed(found: re.Match[str]) -> str:
        return f"<code>{found[1]}</code>" if found[1] else f'<span class="whole-words">{found[0]}</span>'

    return Markup(WHOLE.sub(dressed, str(escape(text))))  # noqa: S704 - escaped just before


def _guard(app: "Flask", hosts: Collection[str]) -> None:
    from flask import Response, request  # noqa: PLC0415

    @app.before_request
    def refuse_foreigners() -> Response | None:
        host = request.environ.get("HTTP_HOST", "")
        if guard.is_ours(host, hosts):
            return None
        shown = "".join(char for char in host if char.isprintable())[:60]
        return Response(
            f"{shown!r} is not a name of this page. Open it by its address, or add the name to web.hosts in the "
            "configuration.\n",
            421,
            mimetype="text/plain",
        )

    @app.after_request
    def finish(response: Response) -> Response:
        for name, value in guard.HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        if "gzip" in request.headers.get("Accept-Encoding", "") and request.method == "GET":
            _zip(response)
        return response


def _zip(response: "Response") -> None:
    """Shrink what is text; a phone on a slow line thanks us."""
    kinds = ("text/", "application/json", "image/svg")
    if response.status_code != 200 or not (response.mimetype or "").startswith(kinds):
        return
    body = response.get_data()
    if len(body) >= GZIP_FROM:
        response.set_data(gzip.compress(body, 5))
        response.headers["Content-Encoding"] = "gzip"
        response.headers.add("Vary", "Accept-Encoding")


def _static(app: "Flask") -> None:
    """The few files of the page, held in memory; a browser asks whether its own are still the same."""
    from flask import Response, abort, request  # noqa: PLC0415

    folder = Path(__file__).parent / "static"
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.suffix in KINDS}

    def static(filename: str) -> Response:
        if filename not in files:
            abort(404)
        response = Response(files[filename], mimetype=KINDS[Path(filename).suffix])
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        response.make_conditional(request)
        return response

    app.add_url_rule("/static/<path:filename>", "static", static)


def _errors(app: "Flask") -> None:
    from flask import Response  # noqa: PLC0415
    from werkzeug.exceptions import HTTPException  # noqa: PLC0415

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        words = {404: "There is no such page here. Begin at /", 405: "This page only reads."}
        code = error.code or 400
        if code in (301, 302, 303, 307, 308):
            return Response(status=code, headers=error.get_headers())
        text = words.get(code, f"{error.name}.")
        allow = {"Allow": ", ".join(sorted(valid))} if (valid := getattr(error, "valid_methods", None)) else {}
        return Response(f"{text}\n", code, mimetype="text/plain", headers=allow)

    @app.errorhandler(Exception)
    def surprised(error: Exception) -> Response:
        log.error("the page failed", exc_info=error)
        return Response("The page failed; the reason is in the log of the program.\n", 500, mimetype="text/plain")
