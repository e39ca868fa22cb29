"""The verdict on a reply: pure, and total over every status and any body. Reference: sections 4 and 8."""

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ingest.core import quick_json
from ingest.core.http import Reply
from ingest.core.span import Span


class Kind(StrEnum):
    """What a reply means for the pipeline; each kind has one act."""

    OK = "ok"
    OUTSIDE = "outside"
    NOTHING = "nothing"
    AHEAD = "ahead"
    BUSY = "busy"
    THROTTLED = "throttled"
    EXPIRED = "expired"
    DENIED = "denied"
    WRONG_KEY = "wrong_key"
    GARBLED = "garbled"


@dataclass(frozen=True)
class Verdict:
    """The kind of a reply and why. `data` is the parsed body of an `ok`.

    `first_at` is the first instant the cloud has for an `outside`, None when it does not say. `resume_at` is when
    a `throttled` application may ask again, None when the cloud does not say; `period` is then `minute`, `month`
    or empty.
    """

    kind: Kind
    reason: str = ""
    data: Any = field(default=None, repr=False)
    first_at: int | None = None
    resume_at: int | None = None
    period: str = ""


MAX_PARTS, MAX_VALUES = 60_000, 250_000
"""A site with twenty meters of three channels has 41,000 rows of four values in a week. An empty row of three bytes
takes the room of 64 once it is read.
"""
LONGEST_OBJECT = 2**16
"""Bytes of an error or a pair of tokens; honest ones have a few thousand at most."""
_FIRST_INTERVAL = re.compile(r"first_interval\W{1,6}(\d{1,12})")
_LARGEST, _AS_NINES = b"9" * 19, bytes.maketrans(b"012345678", b"9" * 9)
"""Digits of a whole number that may be more than 64 bits hold: it is to be quoted as it was sent."""
_SIXTHS = b"9" * 3
"""At least what every sixth byte of as many digits is; of the time of an interval it is shorter."""
_BUGS = {400, 405, 406, 415, 501}


def verdict(
    reply: Reply, version: str, window: Span | None = None, operational_at: int | None = None, *, lists: bool = False
) -> Verdict:
    """Judge a reply to a call of API `version` ("v4", "v2" or "v1") that asked for `window`, if it asked for a span.
    `lists` says that it may be a JSON array.
    """
    status = reply.status
    text = reply.body[:20_000].decode("utf-8", "replace")
    if status == 0:
        return Verdict(Kind.BUSY, one_line(reply.failure)[:200] or "no answer")
    if status == 200:
        return _read(reply.body, text, lists=lists)
    if status == 204:
        return Verdict(Kind.NOTHING, "the cloud has no such data (204)")
    if status == 422:
        return _unprocessable(text, window, operational_at)
    if status == 429 or (status == 409 and version != "v4"):
        return _throttled(reply.body, text)
    if status in (401, 403, 404):
        return _refused(status, text, version)
    if status in _BUGS or not (300 <= status < 400 or status == 408 or 500 <= status < 600):
        return Verdict(Kind.GARBLED, f"HTTP {status}: {words(text)}")
    if 300 <= status < 400:
        return Verdict(Kind.BUSY, sent_on(status, reply.location))
    return Verdict(Kind.BUSY, f"HTTP {status}: {words(text)}")


def sent_on(status: int, location: str) -> str:
    """What a redirect means: something else than the API answers at this address."""
    where = one_line(location) or "a place that it does not name"
    return f"HTTP {status}: a redirect to {where}, which is not followed; check api.base_url and any proxy between"


def words(text: str) -> str:
    """A reply's own words in one short line: its message and details where it is an error of the cloud."""
    if fields_of(text.encode()) is not None:
        text = complaint(text.encode()) or text
    elif _is_page(text):
        title = re.search(r"<(?:title|h1)[^>]*>([^<]{1,200})<", text, re.IGNORECASE)
        text = f"an HTML page: {title.group(1)}" if title else "an HTML page"
    return one_line(text)[:200] or "no words"


def complaint(body: bytes) -> str:
    """What an error of the cloud says, in one short line, whatever its status; empty for what is none."""
    fields = fields_of(body) or {}
    parts = [_flat(fields.get(key)) for key in ("message", "details", "reason", "errorMessages", "error_description")]
    return one_line(": ".join(part for part in parts if part))[:200]


def fields_of(body: bytes) -> dict[str, Any] | None:
    """The JSON object of an error or a pair of tokens; None where it is none, or larger than any of these."""
    if len(body) > LONGEST_OBJECT:
        return None
    try:
        found = _parsed(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _parsed(body: bytes) -> Any:
    """The JSON of a reply. Raises `ValueError`, which says why, for what is none, and unread for what would take many
    times its room once it is read. One odd token costs no more than itself: `NaN` and `Infinity`, which are not JSON,
    are floats that no reader takes for a reading, and bytes that are no characters a mark in their place.
    """
    are_many = len(body) > MAX_PARTS and body.count(b"{") + body.count(b"[") > MAX_PARTS
    if are_many or (len(body) > MAX_VALUES and body.count(b",") > MAX_VALUES):
        raise ValueError(f"the reply holds more than {MAX_PARTS:,} rows or {MAX_VALUES:,} values")
    if _SIXTHS not in body[::6].translate(_AS_NINES) or _LARGEST not in body.translate(_AS_NINES):
        try:
            return quick_json.read(body)
        except ValueError:
            pass  # Python's own reader takes more
    try:
        text = body.decode(json.detect_encoding(body), "replace")
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            raise
        except ValueError:  # a number of thousands of digits
            return json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError):
        raise ValueError("the reply is not JSON, or was cut off") from None


def _whole(digits: str) -> float:
    return int(digits) if len(digits) < 20 else float(digits)


def one_line(text: str) -> str:
    """Text from outside made fit for a line of a log or a message."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _flat(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value if isinstance(item, str | int))
    return str(value) if isinstance(value, str | int) else ""


def _read(body: bytes, text: str, *, lists: bool) -> Verdict:
    try:
        data = _parsed(body)
    except ValueError as error:
        if _is_page(text):
            return Verdict(Kind.BUSY, f"{words(text)} where JSON is due")
        return Verdict(Kind.GARBLED, str(error))
    if not isinstance(data, dict) and not (lists and isinstance(data, list)):
        return Verdict(Kind.GARBLED, f"the reply is a JSON {type(data).__name__}, not an object")
    return Verdict(Kind.OK, data=data)


def _is_page(text: str) -> bool:
    return text.lstrip().startswith("<")


def _unprocessable(text: str, window: Span | None, operational_at: int | None) -> Verdict:
    reason = f"HTTP 422: {words(text)}"
    if "in the future" in text:
        return Verdict(Kind.AHEAD, reason)
    found = _FIRST_INTERVAL.search(text)
    first = int(found.group(1)) if found else None
    if window and first is not None and window.start < first:
        return Verdict(Kind.OUTSIDE, reason, first_at=first)
    if window and operational_at is not None and window.end <= operational_at:
        return Verdict(Kind.OUTSIDE, reason, first_at=operational_at)
    return Verdict(Kind.NOTHING, reason)


def _throttled(body: bytes, text: str) -> Verdict:
    fields = fields_of(body) or {}
    end, period = fields.get("period_end"), fields.get("period")
    resume_at = end if isinstance(end, int) and 0 < end < 2**33 else None
    return Verdict(
        Kind.THROTTLED,
        words(text),
        resume_at=resume_at,
        period=period if period in ("minute", "month") else "",
    )


def _refused(status: int, text: str, version: str) -> Verdict:
    """Three kinds of 401 look alike: the body tells them apart (reference 4.2)."""
    reason = f"HTTP {status}: {words(text)}"
    if _is_page(text):
        return Verdict(Kind.BUSY, reason)  # a proxy or firewall speaks, not the API: it says nothing of the resource
    low = text.lower()
    if status == 401 and ("mismatch" in low or "key is invalid" in low):
        return Verdict(Kind.WRONG_KEY, reason)
    about_resource = "access this resource" in low or "access requested resource" in low
    if status == 401 and version == "v4" and not about_resource:
        return Verdict(Kind.EXPIRED, reason)
    return Verdict(Kind.DENIED, reason)
