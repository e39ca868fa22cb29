"""What other processes ask of the runner: history. The runner carries a wish out and notes that it did."""

import json
import sqlite3
from dataclasses import asdict, dataclass, replace

from ingest.core.span import Span, Spans, subtract, union
from ingest.plan.budget import Rules
from ingest.store import meta

SHARE = "backfill_share"
"""What `meta` calls the share of the calls that a wish asked for."""


@dataclass(frozen=True)
class BackfillRequest:
    """Read history after `since`, up to `until` (None: up to what is there); epoch seconds. None of a name is all.

    `share` is the part of the month's calls that history may use until it is done, None as configured.
    """

    since: int
    until: int | None = None
    system: str | None = None
    stream: str | None = None
    share: float | None = None


def ask(db: sqlite3.Connection, wish: BackfillRequest, now: int) -> int:
    """Store a wish; returns its number."""
    made = db.execute(
        "INSERT INTO wishes (kind, body, made_at) VALUES ('backfill', ?, ?)", (json.dumps(asdict(wish)), now)
    )
    return int(made.lastrowid or 0)


def waiting(db: sqlite3.Connection) -> list[tuple[int, BackfillRequest]]:
    """The wishes that no runner has taken up yet, oldest first."""
    rows = db.execute("SELECT id, body FROM wishes WHERE kind = 'backfill' AND done_at IS NULL ORDER BY id")
    return [(number, BackfillRequest(**json.loads(body))) for number, body in rows.fetchall()]


def taken_up(db: sqlite3.Connection, number: int, now: int) -> None:
    """Note that the runner has made a wish its own."""
    db.execute("UPDATE wishes SET done_at = ? WHERE id = ?", (now, number))


def want(db: sqlite3.Connection, system: str, stream: str, span: Span, floor: int) -> int:
    """Make a span of history wanted, of a pair that was wanted from `floor` on; returns its new floor.

    What lies between the span and the former floor stays unwanted.
    """
    between = (Span(span.end, floor),) if span.end < floor else ()
    skipped = subtract(union(unwanted(db).get((system, stream), ()), between), (span,))
    db.execute("DELETE FROM unwanted WHERE system = ? AND stream = ?", (system, stream))
    db.executemany("INSERT INTO unwanted VALUES (?, ?, ?, ?)", [(system, stream, *one) for one in skipped])
    return min(span.start, floor)


def rules(db: sqlite3.Connection, configured: Rules) -> Rules:
    """How the month is divided: as configured, but with the larger share that a wish asked for until it is read."""
    wished = meta.read(db, SHARE)
    return replace(configured, share=max(configured.share, float(wished))) if wished else configured


def unwanted(db: sqlite3.Connection) -> dict[tuple[str, str], Spans]:
    """Spans above a pair's floor that nobody wants, by pair."""
    found: dict[tuple[str, str], list[Span]] = {}
    for system, stream, start, end in db.execute("SELECT system, stream, start, end FROM unwanted"):
        found.setdefault((system, stream), []).append(Span(start, end))
    return {pair: union(spans) for pair, spans in found.items()}
