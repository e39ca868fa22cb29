"""The database is proved, not believed: what a sink holds, counted and summed, against the archive.

Acknowledged is not stored: InfluxDB 1.x, killed in the middle of a write, drops at its next start what it acknowledged
in between; a volume can be lost or restored from an old backup; somebody can drop a database.
"""

import sqlite3
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest.core.derive import QUARTER
from ingest.core.errors import SinkDown
from ingest.core.tally import NOTHING, MeasuredSystem, Totals, is_equal
from ingest.core.units import DAY, HOUR, WEEK
from ingest.core.words import many
from ingest.deliver import proof
from ingest.deliver.sink import VerifiableSink
from ingest.enphase.catalogue import INTERVALS
from ingest.plan.quota import month_bounds
from ingest.store import archive, departures, extents, journal, outbox
from ingest.store.archive import Filter
from ingest.store.departures import Proof
from ingest.store.outbox import Verified

Period = tuple[int, int]
"""`start <= time < end`, epoch seconds."""


@dataclass(frozen=True)
class Mismatch:
    """A measurement of a system in a month (or the part of one that was looked at), where the two do not agree.
    `strange`: the database has a field of which the archive has none.
    """

    measured: MeasuredSystem
    period: Period
    archived: int
    stored: int
    field: str
    strange: bool = False

    @property
    def is_surplus(self) -> bool:
        """Whether the database holds what the archive does not: sending again cannot mend that."""
        return self.stored > self.archived

    @property
    def wanted(self) -> Filter:
        """Which points of the archive are meant."""
        return Filter((self.measured.measurement,), self.measured.system, *self.period)

    @property
    def sentence(self) -> str:
        """What differs, in words."""
        name, system = self.measured
        month = datetime.fromtimestamp(self.period[0], UTC).strftime("%Y-%m")
        where = f"{name}{f' of {system}' if system else ''}, {month}"
        if self.archived == self.stored:
            return f"{where}: the sums of {self.field} differ"
        return f"{where}: {self.stored:,} of {many(self.archived, 'point')} in the database ({self.field})"


def months(first: int, last: int) -> list[Period]:
    """The calendar months (UTC) from the one that holds `first` to the one that holds `last`."""
    found, month = [], month_bounds(first)
    while month[0] <= last:
        found.append(month)
        month = month_bounds(month[1])
    return found


def all_periods(db: sqlite3.Connection, since: int | None = None) -> list[Period]:
    """Every month of the archive, the newest first; `since` cuts the oldest one."""
    bounds = extents.bounds(db)
    if bounds is None:
        return []
    first, last = bounds
    first = first if since is None else max(first, since)
    return [(max(start, first), end) for start, end in reversed(months(first, last))]


def daily_periods(db: sqlite3.Connection, now: int, seq: int) -> list[Period]:
    """What is looked at once a day: the last week, the months of what changed after the number `seq`, and one older
    month, another one each day.
    """
    older = [(start, min(end, now - WEEK)) for start, end in all_periods(db) if start < now - WEEK]
    changed = journal.changed_days(db, seq)
    turn = now // DAY % len(older) if older else 0
    wanted = [
        (start, end)
        for number, (start, end) in enumerate(older)
        if number == turn or changed is None or any(start // DAY <= day <= end // DAY for day in changed)
    ]
    return [(now - WEEK, now + DAY), *wanted]


def differences(
    db: sqlite3.Connection,
    sink: VerifiableSink,
    name: str,
    periods: Iterable[Period],
    now: int,
    cursor: int | None = None,
) -> Iterator[Mismatch]:
    """Where sink `name` holds something else than the archive. Raises `SinkDown`.

    What the database no longer keeps, what it refused and what still waits for it is not held against it.
    """
    kept_from = sink.kept_from(now)
    for start, end in periods:
        begin = max(start, kept_from + HOUR) if kept_from else start
        if begin < end:
            yield from _of_period(
                db, sink, (begin, end), outbox.undelivered(db, name, cursor), outbox.parked_rows(db, name)
            )


def deletable(db: sqlite3.Connection, surplus: Mismatch) -> list[Period]:
    """The parts of a period in which what only the database has may be deleted.

    That is no time before the oldest that the archive has of it, nor a period of which it has none; of intervals it is
    only between those that follow upon each other in the archive, and of no field that it has not: beside a state that
    was begun anew the database may have the only copy, and nobody can read it again.
    """
    (name, system), (begin, end) = surplus.measured, surplus.period
    extent = extents.extent(db, name, system)
    begin = max(begin, extent[0]) if extent else end
    times = extents.times(db, name, system, begin, end)
    if name in INTERVALS:
        return [] if surplus.strange else _runs(times)
    return [(begin, end)] if any(True for _ in times) else []


def _runs(times: Iterable[int]) -> list[Period]:
    """From the first to the last of times that follow upon each other."""
    found: list[Period] = []
    for time in times:
        if found and time - found[-1][1] < QUARTER:
            found[-1] = found[-1][0], time + 1
        else:
            found.append((time, time + 1))
    return found


def _of_period(
    db: sqlite3.Connection,
    sink: VerifiableSink,
    period: Period,
    waiting: Container[MeasuredSystem],
    refused: Container[tuple[int, int]],
) -> Iterator[Mismatch]:
    for begin, all_measured in _by_begin(db, period):
        stored = sink.tally(sorted({measured.measurement for measured in all_measured}), begin, period[1])
        for measured in all_measured:
            archived, held = archive.tally(db, measured, (begin, period[1]), refused), stored.get(measured, {})
            if measured not in waiting and not is_equal(archived, held):
                yield _difference(measured, (begin, period[1]), archived, held)


def _by_begin(db: sqlite3.Connection, period: Period) -> Iterator[tuple[int, list[MeasuredSystem]]]:
    """What is to be looked at in a period, by when that begins: of what has left the archive nothing is said."""
    begins: dict[int, list[MeasuredSystem]] = {}
    left = departures.untils(db)
    for measured in archive.measured_systems(db):
        since = left.get(measured.system, 0) if measured.measurement in INTERVALS else 0
        begins.setdefault(max(period[0], since), []).append(measured)
    yield from ((begin, all_measured) for begin, all_measured in sorted(begins.items()) if begin < period[1])


def _difference(measured: MeasuredSystem, period: Period, archived: Totals, held: Totals) -> Mismatch:
    """The field whose numbers differ most stands for all."""

    def numbers(field: str) -> tuple[int, int]:
        return archived.get(field, NOTHING).number, held.get(field, NOTHING).number

    def distance(field: str) -> tuple[int, float]:
        ours, theirs = numbers(field)
        return abs(ours - theirs), abs(archived.get(field, NOTHING).sum - held.get(field, NOTHING).sum)

    field = max(sorted({*archived, *held}), key=distance)
    return Mismatch(measured, period, *numbers(field), field, strange=not held.keys() <= archived.keys())


@dataclass(frozen=True)
class Verification:
    """What the look at one sink found, of all changes up to `seq` (0: something waited, so that not all was seen).
    `error` says why it could not be looked at. `proofs` are of what may leave the archive, good while `ended` is what
    it was; `forgets` is why there are none (None: not asked).
    """

    sink: str
    at: int
    found: tuple[Mismatch, ...] = ()
    error: str = ""
    seq: int = 0
    proofs: tuple[Proof, ...] = ()
    forgets: str | None = None
    ended: int = 0

    @property
    def is_good(self) -> bool:
        """Whether the sink holds what the archive has."""
        return not (self.found or self.error)

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        if self.error:
            return f"sink {self.sink}: {self.error}"
        if not self.found:
            return f"sink {self.sink} holds what the archive has"
        examples = "; ".join(difference.sentence for difference in self.found[:3])
        return f"sink {self.sink} does not hold what was sent ({examples}); it is sent again"


def verification(db: sqlite3.Connection, sink: VerifiableSink, name: str, now: int, cursor: int) -> Verification | None:
    """Run the daily check if it is due: a sample first, the whole archive if that differs. While something waits behind
    `cursor`, up to which the sink has taken all, it is put off for an hour at most. In a transaction of the caller's,
    so that what comes meanwhile is neither held against the sink nor taken for proved.
    """
    state = outbox.last_verification(db, name)
    waits = bool(outbox.undelivered(db, name, cursor))
    if now < state.next_at + HOUR * waits or outbox.has_replays(db, name):
        return None
    seq = journal.next_seq(db) - 1
    try:
        # What differed is looked at again as a whole: has it helped to send it again?
        found = (
            () if state.differs else tuple(differences(db, sink, name, daily_periods(db, now, state.seq), now, cursor))
        )
        if found or state.differs:
            found = tuple(differences(db, sink, name, all_periods(db), now, cursor))
        held = proof.ProofLook() if found or waits else proof.proofs(db, sink, name, now, state)
        if held.lacks:
            found = tuple(differences(db, sink, name, all_periods(db), now, cursor))
    except SinkDown as error:
        return Verification(name, now, error=str(error))
    # What waits is not held against the database, and so is not proved either.
    ended = departures.ended(db, name)
    return Verification(name, now, found, "", 0 if waits else seq, held.proofs, held.forgets, ended)


def record_verification(db: sqlite3.Connection, done: Verification) -> None:
    """Note what was found, inside the caller's transaction, and ask that what differs is sent again.

    Whether that has mended it is seen an hour later; what it cannot mend is left to a person.
    """
    before = outbox.last_verification(db, done.sink)
    sentences = [difference.sentence for difference in done.found]
    stays = bool(sentences) and sentences == before.differs
    pause = HOUR if done.found and not stays else DAY
    forgets = before.forgets if done.forgets is None else done.forgets
    ended = done.ended if done.is_good and done.seq else -1
    state = Verified(done.at, done.at + pause, done.seq or before.seq, sentences, done.error, stays, forgets, ended)
    outbox.save_verification(db, done.sink, state)
    if not done.is_good:
        departures.disprove(db, done.sink)
    elif done.ended == departures.ended(db, done.sink):
        departures.prove(db, done.sink, done.proofs, done.at)
    if not stays:
        ask_again(db, done.sink, done.found)


def ask_again(db: sqlite3.Connection, name: str, found: Sequence[Mismatch]) -> None:
    """Store what it takes to send again what differs."""
    for difference in found:
        outbox.ask_replay(db, name, difference.wanted)
