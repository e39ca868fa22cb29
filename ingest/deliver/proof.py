"""Whether a sink holds, for good, the intervals that are to leave the archive: part of the daily look at it."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from ingest.core.tally import is_equal
from ingest.core.units import DAY
from ingest.deliver.sink import LastingSink, VerifiableSink
from ingest.enphase.catalogue import INTERVALS
from ingest.store import archive, departures, removal
from ingest.store.departures import APART_S, Departure, Proof
from ingest.store.outbox import Verified

NOT_SAID = "it does not say how long it keeps points"
MAX_SPANS = 4
"""How many spans of time are looked at in a day, the others in the next: it takes as long as the rest of the look."""


class ProofLook(NamedTuple):
    """Why a sink is not known to keep for good what it has (None: not asked), what it is proved to hold of what is
    proposed to leave, and whether it lacks any of that.
    """

    forgets: str | None = None
    proofs: tuple[Proof, ...] = ()
    lacks: bool = False


def proofs(db: sqlite3.Connection, sink: VerifiableSink, name: str, now: int, before: Verified) -> ProofLook:
    """What a sink in which all else is good holds of what is proposed to leave. A database may show what it has not on
    its disk yet: it must have taken all of it before the look `before`, which must have been good, too (of what it
    looked at), and nothing must have happened to it since. Raises `SinkDown`.
    """
    proposed = [row for row in departures.known(db).values() if row.next_until > row.until]
    if not proposed:
        return ProofLook()
    why = sink.forgets(now) if isinstance(sink, LastingSink) else NOT_SAID
    if why or before.ended != departures.ended(db, name) or not 0 < now - before.at <= APART_S:
        return ProofLook(why)
    spans: dict[tuple[int, int], list[Departure]] = {}
    for row in sorted(proposed, key=lambda row: (row.next_until, row.system)):
        spans.setdefault((row.until, row.next_until), []).append(row)
    held, lacking = list[Proof](), set[str]()
    turn = now // DAY * MAX_SPANS % len(spans)  # what cannot be proved for long keeps nobody else
    for rows in [*spans.values(), *spans.values()][turn : turn + min(MAX_SPANS, len(spans))]:
        quiet = [row for row in rows if _is_quiet(db, name, row, before.seq)]
        lacks = _lacking(db, sink, quiet) if quiet else set()
        held += [Proof(row.system, row.next_until, before.seq) for row in quiet if row.system not in lacks]
        lacking |= lacks
    return ProofLook("", tuple(held), bool(lacking))


def _lacking(db: sqlite3.Connection, sink: VerifiableSink, rows: Sequence[Departure]) -> set[str]:
    """Of systems of which the same span is to leave: those not all of whose intervals are there as they are here."""
    begins = [at for row in rows if (at := removal.oldest(db, row.system, row.until)) is not None]
    begin, end = rows[0].until or min(begins, default=0), rows[0].next_until
    systems = {row.system for row in rows}
    held = archive.measured_systems(db)
    all_measured = [each for each in held if each.system in systems and each.measurement in INTERVALS]
    stored = sink.tally(sorted({measured.measurement for measured in all_measured}), begin, end) if all_measured else {}
    return {
        measured.system
        for measured in all_measured
        if not is_equal(archive.tally(db, measured, (begin, end), ()), stored.get(measured, {}))
    }


def _is_quiet(db: sqlite3.Connection, sink: str, row: Departure, seq: int) -> bool:
    """Whether nothing of what is to leave has changed since, or was refused."""
    is_unchanged = removal.is_unchanged(db, row.system, row.until, row.next_until, seq)
    return is_unchanged and not removal.is_refused(db, sink, row.system, row.next_until)
