"""What other processes ask of the runner: history. The runner carries a request out and notes that it did."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from ingest.core.span import Span, Spans, subtract, union
from ingest.plan.budget import Rules
from ingest.store import meta

SHARE = "backfill_share"
"""What `meta` calls the share of the calls that a request asks for."""


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


@dataclass(frozen=True)
class StoredRequest:
    """A request as it is stored. `group` is shared by those of one command: the number under which they are shown.

    `taken_at` is when the runner made it its own (epoch s), `added` the spans of each pair (system, stream) that were
    not wanted before; None where that is not known.
    """

    number: int
    request: BackfillRequest
    made_at: int
    taken_at: int | None = None
    group: int = 0
    added: Mapping[tuple[str, str], Spans] | None = None


def ask(db: sqlite3.Connection, request: BackfillRequest, now: int, group: int = 0) -> int:
    """Store a request; returns its number. `group` is the number of the first of those that belong together."""
    inserted = db.execute(
        "INSERT INTO wishes (kind, body, made_at) VALUES ('backfill', ?, ?)", (_body(request, group, None), now)
    )
    return int(inserted.lastrowid or 0)


def _body(request: BackfillRequest, group: int, added: Mapping[tuple[str, str], Spans] | None) -> str:
    spans = None if added is None else [[*pair, *span] for pair, spans in added.items() for span in spans]
    return json.dumps(asdict(request) | {"group": group, "added": spans})


def active(db: sqlite3.Connection) -> list[StoredRequest]:
    """The requests that nobody has cancelled, oldest first."""
    rows = db.execute(
        "SELECT id, body, made_at, done_at FROM wishes WHERE kind = 'backfill' AND id NOT IN "
        "(SELECT json_extract(body, '$.wish') FROM wishes WHERE kind = 'cancel') ORDER BY id"
    )
    return [_stored(*row) for row in rows.fetchall()]


def _stored(number: int, body: str, made_at: int, taken_at: int | None) -> StoredRequest:
    document = json.loads(body)
    group, rows = document.pop("group", 0), document.pop("added", None)
    added: dict[tuple[str, str], Spans] | None = None
    if rows is not None:
        added = {}
        for system, stream, start, end in rows:
            added[system, stream] = union(added.get((system, stream), ()), [Span(start, end)])
    return StoredRequest(number, BackfillRequest(**document), made_at, taken_at, group or number, added)


def waiting_requests(db: sqlite3.Connection) -> list[tuple[int, BackfillRequest]]:
    """The requests that no runner has taken up yet, oldest first."""
    return [(stored.number, stored.request) for stored in active(db) if stored.taken_at is None]


def mark_taken_up(db: sqlite3.Connection, stored: StoredRequest) -> None:
    """Note that the runner has made a request its own, and what came of it."""
    body = _body(stored.request, stored.group, stored.added)
    db.execute("UPDATE wishes SET done_at = ?, body = ? WHERE id = ?", (stored.taken_at, body, stored.number))


def cancel(db: sqlite3.Connection, number: int, now: int) -> None:
    """Ask that a request be cancelled."""
    db.execute("INSERT INTO wishes (kind, body, made_at) VALUES ('cancel', ?, ?)", (json.dumps({"wish": number}), now))


def cancelled_requests(db: sqlite3.Connection) -> list[tuple[int, StoredRequest]]:
    """The cancelled requests of which the runner does not know yet, each with the number of the row that says so."""
    rows = db.execute(
        "SELECT back.id, wish.id, wish.body, wish.made_at, wish.done_at FROM wishes back JOIN wishes wish "
        "ON wish.id = json_extract(back.body, '$.wish') WHERE back.kind = 'cancel' AND back.done_at IS NULL"
    )
    return [(back, _stored(*row)) for back, *row in rows.fetchall()]


def mark_cancelled(db: sqlite3.Connection, number: int, now: int) -> None:
    """Note that the runner knows that a request was cancelled."""
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


def unwant(db: sqlite3.Connection, system: str, stream: str, spans: Spans) -> None:
    """Make spans of history unwanted again. What was read of them stays."""
    skipped = union(unwanted(db).get((system, stream), ()), spans)
    db.execute("DELETE FROM unwanted WHERE system = ? AND stream = ?", (system, stream))
    db.executemany("INSERT INTO unwanted VALUES (?, ?, ?, ?)", [(system, stream, *one) for one in skipped])


def rules(db: sqlite3.Connection, configured: Rules) -> Rules:
    """How the month is divided: as configured, but with the larger share that a request asks for until it is read."""
    share = meta.read(db, SHARE)
    return replace(configured, share=max(configured.share, float(share))) if share else configured


def unwanted(db: sqlite3.Connection) -> dict[tuple[str, str], Spans]:
    """Spans above a pair's floor that nobody wants, by pair."""
    found: dict[tuple[str, str], list[Span]] = {}
    for system, stream, start, end in db.execute("SELECT system, stream, start, end FROM unwanted"):
        found.setdefault((system, stream), []).append(Span(start, end))
    return {pair: union(spans) for pair, spans in found.items()}
