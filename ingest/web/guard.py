"""Who may open the page, and what a browser may do with it."""

import re
import socket
from collections.abc import Collection
from ipaddress import ip_address

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253})(?::\d{1,5})?", re.ASCII | re.IGNORECASE)


def is_ours(host: str, more: Collection[str]) -> bool:
    """Whether a `Host` header names this page: a foreign name is another site's that was pointed at us."""
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = match[1].lower().rstrip(".")
    if name == "localhost" or name.endswith((".localhost", ".local")) or name in {own.lower() for own in more}:
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return name == socket.gethostname().lower()
    return True
