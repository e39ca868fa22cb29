"""What goes back over the wire, and the shapes of errors (reference 4)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

Json = Any
OVERLOAD = "<!DOCTYPE html><html><body><h1>This website is under heavy load (queue full)</h1></body></html>"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, with what may go wrong on its way.

    delay: seconds before it is sent. cut: the connection breaks in the middle of the body.
    hang: no answer at all, the caller's time-out runs out (status is 0 then).
    drip: "headers" or "body", from where on it comes byte by byte, `delay` seconds apart.
    padding: bytes of white space that follow the body.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    cut: bool = False
    hang: bool = False
    drip: str = ""
    padding: int = 0


class RefusedError(Exception):
    """Raised by a route: the call ends with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def as_json(document: Json, status: int = 200) -> Answer:
    """A JSON answer."""
    body = json.dumps(document, separators=(",", ":")).encode()
    return Answer(status, {"Content-Type": "application/json;charset=UTF-8"}, body)


def as_html(text: str, status: int = 200) -> Answer:
    """An HTML page."""
    return Answer(status, {"Content-Type": "text/html; charset=utf-8"}, text.encode())


def redirect(location: str) -> Answer:
    """302 to another address."""
    safe = quote(location, safe="%/:=&?~#+!$,;'@()*[]")
    return Answer(302, {"Location": safe, "Content-Type": "text/plain"})


def no_answer() -> Answer:
    """Silence: the caller waits until its own time-out."""
    return Answer(0, hang=True)


_MESSAGES = {401: "Not Authorized", 403: "Forbidden", 404: "Not Found", 422: "Unprocessable Entity"}
_MESSAGES |= {429: "Too Many Requests", 500: "Internal Server Error"}


def error(status: int, details: str, message: str | None = None, **more: Json) -> Answer:
    """The object shape of most v4 errors (4.1)."""
    document = {"message": message or _MESSAGES[status], "details": details, "code": status, **more}
    return as_json(document, status)


def array_error(status: int, text: str, **more: Json) -> Answer:
    """The array shape: 405 and 501 of v4 (4.1), most errors of v2 (8)."""
    return as_json({"reason": str(status), "message": [text], **more}, status)


def unauthorized() -> Answer:
    """401 for a token that is missing, expired, revoked or unknown (4.2)."""
    return error(401, "User is not authorized")


def wrong_key() -> Answer:
    """401 when key and token belong to different applications (4.2)."""
    return error(401, "API Key -Client mismatch")


def group_denied() -> Answer:
    """401 when the access group is not ticked or the plan lacks it (3.2, 4.2)."""
    return error(401, "Not authorized to access this resource")


def forbidden() -> Answer:
    """403: the system is not shared with the user of the token (4.2)."""
    return error(403, "Not authorized to access this resource")


def unknown_system(system_id: str, message: str = "Not Found") -> Answer:
    """404; the `*_meter_readings` routes say "Not Authorized" with it (4.2)."""
    return error(404, f'System not found for {{:id=>"{system_id}"}}', message)


def in_future(*, wrapped: bool = False) -> Answer:
    """422 for a start or end after now (4.3)."""
    text = "Requested date is in the future"
    return error(422, wrap(text) if wrapped else text)


def wrap(text: str) -> str:
    """The wrapper which some endpoints put around the same text (4.3)."""
    return f"Invalid request because of '{text}'"


RANGE = "Requested date range is invalid for this system"


def bad_range() -> Answer:
    """422 for a range that cannot be (4.3)."""
    return error(422, RANGE)


def out_of_range(bounds: Mapping[str, int]) -> Answer:
    """422 that names the first and last interval, as a Ruby hash inside the text (4.3)."""
    named = ", ".join(f":{name}=>{value}" for name, value in bounds.items())
    return error(422, wrap(f"{RANGE}. {{{named}}}"))


def unreadable_date(text: str) -> Answer:
    """422 for a date or time which is none (4.3)."""
    return error(422, f"Failed to parse date {text}")


def unavailable() -> Answer:
    """500 of `rgm_stats`, in v2's shape (4.1)."""
    return as_json({"errorCode": 7, "errorMessages": ["Data is temporarily unavailable"]}, 500)


def unfetched() -> Answer:
    """500 of `devices` (4.2)."""
    return error(500, "unable to fetch data")


def method_not_allowed() -> Answer:
    """405: a known route, another method (4.1)."""
    return array_error(405, "Method not allowed")


def not_implemented() -> Answer:
    """501: a method that the vendor does not know at all (section 1)."""
    return array_error(501, "Not Implemented")


def overloaded(status: int = 503) -> Answer:
    """The HTML page seen in place of JSON when the edge is overloaded (4.4); its status is not known."""
    return as_html(OVERLOAD, status)
