"""What other processes ask of the runner: history. The runner carries a wish out and notes that it did."""

import json
import sqlite3
from collections.abc import Mapping
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


@dataclass(frozen=True)
class Asked:
    """A wish as it is stored. `group` is shared by those of one command: the number under which they are shown.

    `taken_at` is when the runner made it its own (epoch s), `added` the spans of each pair (system, stream) that were
    not wanted before; None where that is not known.
    """

    number: int
    wish: BackfillRequest
    made_at: int
    taken_at: int | None = None
    group: int = 0
    added: Mapping[tuple[str, str], Spans] | None = None


def ask(db: sqlite3.Connection, wish: BackfillRequest, now: int, group: int = 0) -> int:
    """Store a wish; returns its number. `group` is the number of the first of those that belong together."""
    made = db.execute(
        "INSERT INTO wishes (kind, body, made_at) VALUES ('backfill', ?, ?)", (_body(wish, group, None), now)
    )
    return int(made.lastrowid or 0)


def _body(wish: BackfillRequest, group: int, added: Mapping[tuple[str, str], Spans] | None) -> str:
    spans = None if added is None else [[*pair, *span] for pair, spans in added.items() for span in spans]
    return json.dumps(asdict(wish) | {"group": group, "added": spans})


def active(db: sqlite3.Connection) -> list[Asked]:
    """The wishes that nobody has taken back, oldest first."""
    rows = db.execute(
        "SELECT id, body, made_at, done_at FROM wishes WHERE kind = 'backfill' AND id NOT IN "
        "(SELECT json_extract(body, '$.wish') FROM wishes WHERE kind = 'cancel') ORDER BY id"
    )
    return [_asked(*row) for row in rows.fetchall()]


def _asked(number: int, body: str, made_at: int, taken_at: int | None) -> Asked:
    stored = json.loads(body)
    group, rows = stored.pop("group", 0), stored.pop("added", None)
    added: dict[tuple[str, str], Spans] | None = None
    if rows is not None:
        added = {}
        for system, stream, start, end in rows:
            added[system, stream] = union(added.get((system, stream), ()), [Span(start, end)])
    return Asked(number, BackfillRequest(**stored), made_at, taken_at, group or number, added)


def waiting(db: sqlite3.Connection) -> list[tuple[int, BackfillRequest]]:
    """The wishes that no runner has taken up yet, oldest first."""
    return [(asked.number, asked.wish) for asked in active(db) if asked.taken_at is None]


def taken_up(db: sqlite3.Connection, asked: Asked) -> None:
    """Note that the runner has made a wish its own, and what came of it."""
    body = _body(asked.wish, asked.group, asked.added)
    db.execute("UPDATE wishes SET done_at = ?, body = ? WHERE id = ?", (asked.taken_at, body, asked.number))


def take_back(db: sqlite3.Connection, number: int, now: int) -> None:
    """Ask that a wish be taken back."""
    db.execute("INSERT INTO wishes (kind, body, made_at) VALUES ('cancel', ?, ?)", (json.dumps({"wish": number}), now))


def taken_back(db: sqlite3.Connection) -> list[tuple[int, Asked]]:
    """The wishes taken back of which the runner does not know yet, each with the number of the row that says so."""
    rows = db.execute(
        "SELECT back.id, wish.id, wish.body, wish.made_at, wish.done_at FROM wishes back JOIN wishes wish "
        "ON wish.id = json_extract(back.body, '$.wish') WHERE back.kind = 'cancel' AND back.done_at IS NULL"
    )
    return [(back, _asked(*row)) for back, *row in rows.fetchall()]


def no_more(db: sqlite3.Connection, number: int, now: int) -> None:
    """Note that the runner knows that a wish was taken back."""
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
    """How the month is divided: as configured, but with the larger share that a wish asked for until it is read."""
    wished = meta.read(db, SHARE)
    return replace(configured, share=max(configured.share, float(wished))) if wished else configured


def unwanted(db: sqlite3.Connection) -> dict[tuple[str, str], Spans]:
    """Spans above a pair's floor that nobody wants, by pair."""
    found: dict[tuple[str, str], list[Span]] = {}
    for system, stream, start, end in db.execute("SELECT system, stream, start, end FROM unwanted"):
        found.setdefault((system, stream), []).append(Span(start, end))
    return {pair: union(spans) for pair, spans in found.items()}
