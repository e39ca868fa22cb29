"""The status page, /healthz, /metrics and /api/status: a small Flask application that only reads.

Every request has a connection of its own to the state, which cannot write, so the page never holds up the owner.
"""

from ingest.web.application import bare, create_app
from ingest.web.server import Server, serve
from ingest.web.source import Source

__all__ = ["Server", "Source", "bare", "create_app", "serve"]
