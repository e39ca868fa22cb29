"""The meaning of InfluxDB replies, shared by all its versions.

An answer is a value. Only `judge` turns it into the two exceptions of a sink. Messages are made here alone,
so that no secret can reach one.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote

from ingest.core.errors import SinkDown, SinkRefused

UNREACHABLE, NO_USE = 0, -1
"""Statuses for no answer at all: worth asking again at once, and not."""

# InfluxDB 3 on a cluster answers 201 to a batch of which it dropped lines.
_REFUSED = frozenset({201, 400, 413, 422})
# Servers before 2.1 answer 500 to a partial write. From 2.7.12 and 1.12 on, retention has other words, and
# every partial write names the retention policy at its end: only the first words tell what happened.
_PARTIAL = re.compile(r"(?:[\w ]+: )?partial write")
_OLDER = re.compile(r"(?:[\w ]+: )?partial write: (?:dropped \d+ )?points (?:beyond|outside) ")
_DROPPED = re.compile(r"dropped[= ](\d+)")


class SinkAnswer(NamedTuple):
    """What came of one request: a status, the body (or plain words when there is none), and two headers."""

    status: int
    body: str = ""
    retry_after: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Words:
    """What messages about one target need: its address, remedies by status, and what must never be shown."""

    address: str
    remedy: Callable[[int, str], str]
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def hide(self, text: str) -> str:
        """The text without secrets and line breaks."""
        for secret in self.secrets:
            for form in (secret, quote(secret, safe="")):
                text = text.replace(form, "***")
        return " ".join(text.split())


def judge(answer: SinkAnswer, words: Words) -> int:
    """How many lines are older than the database keeps. Raises `SinkRefused` or `SinkDown`."""
    # A proxy or a portal says 200 to anything: only 204 is the word of an InfluxDB that has stored the batch.
    if answer.status == 204:
        return 0
    why = reason(answer.body)
    if _OLDER.match(why):
        return int(([*_DROPPED.findall(why)] or ["0"])[-1])
    if answer.status in _REFUSED or _PARTIAL.match(why):
        sentence = _short(why) or f"status {answer.status}"
        raise SinkRefused(words.hide(f"the database at {words.address} refuses this batch: {sentence}"))
    raise SinkDown(down(answer, words))


def down(answer: SinkAnswer, words: Words) -> str:
    """One sentence: which database, what it said, what to do."""
    why = reason(answer.body)
    if answer.status in (UNREACHABLE, NO_USE):
        return words.hide(f"the database at {words.address} {why}")
    sentence = f"{answer.status} {_short(why).removeprefix(str(answer.status)).strip()}".strip()
    return words.hide(f"the database at {words.address} answers {sentence}: {_remedy(answer, words, why)}")


def passes_by_itself(answer: SinkAnswer) -> bool:
    """Whether the same request may succeed a moment later."""
    fleeting = answer.status in (UNREACHABLE, 429) or answer.status >= 500
    return fleeting and not _PARTIAL.match(reason(answer.body))


def wait_asked(answer: SinkAnswer) -> float | None:
    """The seconds that `Retry-After` asks for, if it does."""
    asked = (answer.retry_after or "").strip()
    return float(asked) if asked.isascii() and asked.isdigit() else None


def version_words(answer: SinkAnswer) -> str:
    """The server's version as a person writes it."""
    return f"InfluxDB {answer.version.removeprefix('v')}" if answer.version else "InfluxDB of unknown version"


def reason(body: str) -> str:
    """The sentence in the body of an error, whatever this version of the server calls it."""
    text = body.strip()
    try:
        document = json.loads(text)
    except ValueError:
        return "(a web page)" if text.startswith("<") else text
    if not isinstance(document, dict):
        return text
    sentence = str(document.get("message") or document.get("error") or text)
    detail = _first_detail(document)
    return f"{sentence}: {detail}" if detail else sentence


def _first_detail(document: dict[str, Any]) -> str:
    # InfluxDB 3 lists the lines it refused: {"error": ..., "data": [{"error_message": ..., ...}]}
    data = document.get("data")
    first = data[0] if isinstance(data, list) and data else data
    return str(first.get("error_message") or "") if isinstance(first, dict) else ""


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:299]}…"


def _remedy(answer: SinkAnswer, words: Words, why: str) -> str:
    if answer.status in (429, 502, 503, 504) or (answer.status >= 500 and "not found" not in why):
        asked = wait_asked(answer)
        return "it is overloaded or failing; see its own log" + (f"; it asks for {asked:.0f} s" if asked else "")
    if answer.status < 400:
        return "InfluxDB does not answer so, check the `url` of the sink"
    return words.remedy(answer.status, why)
