"""Delivery to one sink, by its one sender: changes of the archive in their order, and replays in between.

At least once, never out of order for a row: what is sent is the row as it is now. When a sink comes back after an
outage, all since its return before that is sent again, but for what it was proved to hold: InfluxDB 1.x, killed in the
middle of a write, drops at its next start what it acknowledged in between.
"""

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ingest.core.backoff import backoff
from ingest.core.errors import SinkDown, SinkRefused
from ingest.core.point import parse_series
from ingest.core.tally import MeasuredSystem
from ingest.deliver.batches import Batch, Batches, Place
from ingest.deliver.sink import BulkSink, DeletingSink, Sink, VerifiableSink
from ingest.deliver.verify import Verification, record_verification, verification
from ingest.store import journal, outbox
from ingest.store.journal import Row

log = logging.getLogger(__name__)

BATCH = 5_000
MAX_POISON = 10
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1, 300


@dataclass(frozen=True)
class Delivery:
    """What one batch came to. `error` is why nothing could be taken; `job` the replay it belongs to, if any;
    `returned`: all up to here was sent again after an outage; `own`: how far the sink was told of the pipeline itself.
    """

    sink: str
    cursor: int = 0
    sent: int = 0
    too_old: int = 0
    parked: tuple[tuple[Row, str], ...] = ()
    error: str = ""
    job: int = 0
    position: tuple[int, int] = (0, 0)
    done: bool = False
    returned: int = 0
    own: int = 0


def record_delivery(db: sqlite3.Connection, delivery: Delivery | Verification, now: int) -> None:
    """Write what a batch, or a look at a sink, came to, inside the caller's transaction."""
    if isinstance(delivery, Verification):
        record_verification(db, delivery)
        return
    if delivery.error:
        outbox.record_failure(db, delivery.sink, delivery.error, now)
        return
    outbox.record_delivered(db, delivery.sink, delivery.cursor, delivery.sent, delivery.too_old)
    outbox.record_told(db, delivery.sink, delivery.own)
    if delivery.returned:
        outbox.record_returned(db, delivery.sink, delivery.returned)
    if delivery.job:
        outbox.record_replay_progress(db, delivery.job, *delivery.position, done=delivery.done)
    outbox.park(db, delivery.sink, delivery.parked)
    outbox.unpark(db, delivery.sink)


@dataclass
class _Pushed:
    sent: int = 0
    too_old: int = 0
    parked: list[tuple[Row, str]] = field(default_factory=list)


class Sender:
    """The one sender of a sink, with a connection of its own for reading.

    `reopened` returns a new sink where its secret has changed; it is asked while the sink does not accept writes.
    """

    def __init__(
        self,
        name: str,
        sink: Sink,
        db: sqlite3.Connection,
        cursor: int,
        reopened: Callable[[], Sink | None] = lambda: None,
    ) -> None:
        self.name = name
        self._reopened = reopened
        self.failures = 0
        self._sink = sink
        self._db = db
        self._cursor = cursor
        row = outbox.sink(db, name)
        self._was_down, self._again_to = bool(row and row.error), 0
        self._own = self._own_back = outbox.told(db, name)
        self._positions: dict[int, tuple[int, int] | None] = {}
        self._is_bulk = isinstance(sink, BulkSink)
        size, self._rest_s = (sink.batch, sink.rest_s) if isinstance(sink, BulkSink) else (BATCH, 0)
        self._batches = Batches(db, size)
        self._is_full = False

    @property
    def pause_s(self) -> int:
        """Seconds to wait before the next try, growing while the sink is down; 0 while it is well."""
        return backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S, self.failures)

    @property
    def rest_s(self) -> int:
        """Seconds to let more come together after a batch; 0 where the sink takes each at once, or more waits."""
        return 0 if self._is_full else self._rest_s

    def step(self) -> Delivery | None:
        """Send one batch; None when there is nothing to send. Never raises: a sender runs for ever."""
        try:
            if self.failures:
                self._reopen()
            return self._step()
        except sqlite3.Error as error:
            return self._failed(f"the archive cannot be read ({error}); trying again by itself")
        except Exception as error:  # a fault of ours must not end the one thread that serves this sink
            log.exception("event=sender_failed sink=%s", self.name)
            return self._failed(f"the program failed ({type(error).__name__}); the reason is in its log")

    def _reopen(self) -> None:
        """Take over a secret that has been changed meanwhile."""
        sink = self._reopened()
        if sink is not None:
            self._sink.close()
            self._sink = sink

    def _step(self) -> Delivery | None:
        batch = self._batches.at(Place(self._cursor))
        self._is_full = batch.is_full
        if not batch.rows:
            return self._tell() or self._replay()
        pushed = self._push_all(batch)
        if isinstance(pushed, Delivery):
            return pushed
        self._cursor = served = batch.end.cursor
        if self._was_down:
            self._was_down = False
            self._again_to = max(self._again_to, served)
            back = max(outbox.returned_at(self._db, self.name), journal.forgotten(self._db))
            self._cursor = min(served, back)
        elif self._again_to and served >= self._again_to:
            again, self._again_to = self._again_to, 0
            return replace(self._delivery(pushed), returned=again)
        return self._delivery(pushed)

    def verify(self, now: int) -> Verification | None:
        """Hold what the sink has against the archive, where that is due and nothing is being sent. Never raises."""
        if not isinstance(self._sink, VerifiableSink) or self.failures:
            return None
        try:
            self._db.execute("BEGIN")
            return verification(self._db, self._sink, self.name, now, self._cursor)
        except sqlite3.Error as error:
            return Verification(self.name, now, error=f"the archive cannot be read ({error})")
        except Exception as error:  # as in `step`
            log.exception("event=verification_failed sink=%s", self.name)
            return Verification(self.name, now, error=f"the program failed ({type(error).__name__}); see its log")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _delivery(self, pushed: _Pushed) -> Delivery:
        return Delivery(self.name, self._cursor, pushed.sent, pushed.too_old, tuple(pushed.parked), own=self._own)

    def _tell(self) -> Delivery | None:
        """Send what the pipeline says of itself. How far that has got is recorded with the next delivery, which costs
        nothing; there is one at once where more waits, some was refused, or the sink was down. After a crash some is
        sent again.
        """
        batch = self._batches.at(Place(own=self._own))
        if not batch.rows:
            return None
        pushed = self._push_all(batch)
        if isinstance(pushed, Delivery):
            return pushed
        self._own = batch.end.own or 0
        is_news = self._was_down or batch.is_full or pushed.parked
        return self._delivery(_Pushed(parked=pushed.parked)) if is_news else None

    def _replay(self) -> Delivery | None:
        job = outbox.replay(self._db, self.name, [job for job, at in self._positions.items() if at is None])
        if job is None:
            return None
        series, time = self._positions.get(job.id) or (job.series, job.time)
        if job.id not in self._positions and outbox.is_of_own(job.wanted):
            self._own = 0
        batch = self._batches.at(Place(0, job.wanted, series, time))
        self._is_full = batch.is_full
        pushed = self._push_all(batch)
        if isinstance(pushed, Delivery):
            return pushed
        done, position = not batch.is_full, (batch.end.series, batch.end.time)
        self._positions[job.id] = None if done else position
        parked = tuple(pushed.parked)
        return Delivery(
            self.name, self._cursor, pushed.sent, pushed.too_old, parked, "", job.id, position, done, own=self._own
        )

    def _push_all(self, batch: Batch) -> _Pushed | Delivery:
        """Send a batch, while the next one is made; not after an outage, when all since its return goes first."""
        if batch.is_full and not (self._was_down or self._is_bulk):
            self._batches.prepare(batch.end)
        pushed = _Pushed()
        try:
            self._withdraw(batch, pushed)
            if batch.lines:
                self._push(batch.written, batch.lines, pushed)
        except SinkDown as error:
            return self._failed(str(error))
        self.failures = 0
        return pushed

    def _withdraw(self, batch: Batch, pushed: _Pushed) -> None:
        """Delete what is no longer true."""
        sink = self._sink
        for row, key in batch.gone:
            measurement, tags = parse_series(key)
            if isinstance(sink, DeletingSink):
                sink.delete(MeasuredSystem(measurement, dict(tags).get("system", "")), row[1], row[1] + 1)
            else:
                pushed.parked.append((row, "it is no longer true, and this database cannot delete"))
        pushed.sent += len(batch.rows) - len(batch.written)

    def _failed(self, error: str) -> Delivery:
        self.failures += 1
        if not self._was_down:  # as of the data, all since the last outage is sent again
            self._own, self._own_back = min(self._own, self._own_back), self._own
        self._was_down = True
        return Delivery(self.name, error=error)

    def _push(self, rows: list[Row], lines: list[str], pushed: _Pushed) -> None:
        """Write rows; a refused batch is halved until the refused line is alone."""
        try:
            pushed.too_old += self._sink.write(lines)
            pushed.sent += len(rows)
        except SinkRefused as refused:
            if len(rows) > 1:
                middle = len(rows) // 2
                self._push(rows[:middle], lines[:middle], pushed)
                self._push(rows[middle:], lines[middle:], pushed)
                return
            pushed.parked.append((rows[0], str(refused)))
            if len(pushed.parked) > MAX_POISON:
                raise SinkDown(
                    f"sink {self.name} refuses more than {MAX_POISON} points of a batch ({refused}); if the database "
                    "holds other data under these names, give the sink a database or bucket of its own"
                ) from None

    def close(self) -> None:
        """Release the sink and the connection."""
        self._sink.close()
        self._batches.close()
        self._db.close()
