"""One run to its end: live and history until pacing allows nothing more, as `ingest once` does from cron."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.core.errors import AuthNeeded, IngestError, SinkDown, StateError
from ingest.core.units import MINUTE, NEVER
from ingest.deliver.sender import Sender
from ingest.enphase.replies import Kind
from ingest.plan import quota
from ingest.plan.state import Pair
from ingest.report.problems import used_up
from ingest.service.leaving import Leaving
from ingest.service.pipeline import Pipeline
from ingest.store import ledger, outbox

UNREAD = (Kind.BUSY, Kind.AHEAD, Kind.EXPIRED, Kind.DENIED, Kind.WRONG_KEY, Kind.GARBLED)
"""What the last call for a stream ended with when it brought nothing."""


@dataclass
class OneRun:
    """A run that ends. The pool of the pipeline must do its work at once.

    `patience` are the seconds that pauses of the cloud are waited out, in all.
    """

    pipeline: Pipeline
    senders: Sequence[Sender]
    patience: int

    def run(self, max_calls: int | None) -> int:
        """Poll, read history and deliver, waiting for minute windows; returns the number of calls made."""
        pipeline, calls = self.pipeline, 0
        self._began_at = pipeline.clock.now()
        while max_calls is None or calls < max_calls:
            tick = pipeline.tick()
            calls += tick.started
            recorded = pipeline.record()
            deliver(pipeline, self.senders)
            if pipeline.transitions.sentence("state"):
                break  # the disk takes nothing: no call could be entered
            if tick.started or tick.recorded or recorded:
                continue
            wait = tick.next_at - pipeline.clock.now()
            if not (tick.waits_for_minute and wait <= MINUTE + 1):
                wait = self._pause()
                if wait > self.patience:
                    break
                self.patience -= wait
            pipeline.clock.sleep(max(wait, 0))
        deliver(pipeline, self.senders)
        if not pipeline.transitions.sentence("state"):
            leave(pipeline)
            outbox.forget_proved(pipeline.store, pipeline.settings.sinks)
        return calls

    def _pause(self) -> int:
        """Seconds until the cloud may be asked again for what it would not give; for ever where nothing waits."""
        now = self.pipeline.clock.now()
        ends = [pair.rest_until for pair in self._unread()]
        if self.pipeline.breaker.paused_until > now:
            ends = [self.pipeline.breaker.paused_until]
        elif any(not self.pipeline.accounts.grant(name, now) for name in self.pipeline.settings.accounts):
            ends.append(self.pipeline.accounts.next_at(now))
        return min((end for end in ends if end > now), default=NEVER) - now

    def _unread(self) -> list[Pair]:
        """The streams that were asked for in this run, in vain."""
        return [
            pair
            for pair in self.pipeline.inventory.pairs.values()
            if pair.state in UNREAD and pair.fails and pair.rest_until > self._began_at
        ]

    def raise_failure(self) -> None:
        """Raise an `IngestError` for what stopped the run, or for what was due and could not be read."""
        pipeline = self.pipeline
        if pipeline.breaker.fatal is not None:
            raise pipeline.breaker.fatal
        for sentence in pipeline.accounts.needed().values():
            raise AuthNeeded(sentence)
        if sentence := pipeline.transitions.sentence("state"):
            raise StateError(sentence)
        for name in pipeline.settings.sinks:
            row = outbox.sink(pipeline.store.db, name)
            if row and row.error:
                raise SinkDown(f"sink {name}: {row.error}; what is not delivered is kept for the next time")
        self._raise_unread()

    def _raise_unread(self) -> None:
        pipeline, now = self.pipeline, self.pipeline.clock.now()
        again = "what is missing is read by the next run"
        if pipeline.breaker.paused_until > now:
            raise IngestError(f"the cloud: {pipeline.breaker.reason}; {again}")
        self._raise_used_up(now)
        for account in pipeline.settings.accounts:
            if sentence := pipeline.transitions.sentence(f"auth.{account}"):
                raise IngestError(f"{sentence}; {again}")
        for pair in self._unread():
            if pair.rest_until > now:
                name = f"system {pair.system}: {pair.stream}"
                raise IngestError(
                    f"{name} could not be read ({pair.reason}); {again}. More: `ingest status --problems`"
                )

    def _raise_used_up(self, now: int) -> None:
        """Nothing can be read for the rest of the month."""
        settings, db = self.pipeline.settings, self.pipeline.store.db
        plan, usage = settings.plan, ledger.usage(db, settings.ledger_name, now)
        if quota.left_of_month(plan, usage, settings.api.reserve) <= 0:
            reserve = quota.reserved(plan, settings.api.reserve)
            raise IngestError(used_up(usage.month, plan.per_month, reserve, quota.month_bounds(now)[1]).text)


def leave(pipeline: Pipeline) -> None:
    """Let leave what may, once all is computed of it, for which the calls of the run need not have sufficed."""
    now = pipeline.clock.now()
    while pipeline.settings.archive.keep and pipeline.derivation.next(
        pipeline.store, pipeline.inventory.systems, pipeline.transitions, now
    ):
        pass
    leaving = Leaving(pipeline)
    while leaving.next():
        pass


def deliver(pipeline: Pipeline, senders: Sequence[Sender]) -> None:
    """Send everything that waits, and what a look at the sink found missing; one that is down is left for later."""
    for sender in senders:
        _deliver_one(pipeline, sender)
        looked = sender.verify(pipeline.clock.now())
        if looked is not None:
            pipeline.events.put(looked)
            pipeline.record()
            _deliver_one(pipeline, sender)


def _deliver_one(pipeline: Pipeline, sender: Sender) -> None:
    while (done := sender.step()) is not None:
        pipeline.events.put(done)
        pipeline.record()
        if done.error:
            break
