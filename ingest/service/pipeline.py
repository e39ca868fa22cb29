"""The pipeline: plan → fetch → commit → deliver. One owner calls `tick`; workers only fetch and hand outcomes back."""

import logging
import queue
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from ingest.auth.accounts import Accounts, Renewal
from ingest.commit import adopt_day_counts, ages, record
from ingest.commit.context import context_of
from ingest.config import Settings
from ingest.core.errors import ConfigError, StateError
from ingest.core.http import Transport
from ingest.core.units import DAY, NEVER
from ingest.deliver.sender import Delivery, record_delivery
from ingest.deliver.verify import Verification
from ingest.enphase.call import Task
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.requests import ApiTarget, request
from ingest.fetch.worker import FAILED, Outcome, fetch, instead
from ingest.logs import TransitionLog
from ingest.plan import quota
from ingest.plan.breaker import Breaker, accepted, after, stopped
from ingest.plan.budget import Pace
from ingest.plan.dispatcher import LONGEST_WAIT, Dispatcher
from ingest.plan.inventory import Inventory
from ingest.plan.queue import DueQueue
from ingest.service import backfill, event_log
from ingest.service.clock import Clock
from ingest.service.tick import Tick, save_breaker
from ingest.service.valuing import derivation
from ingest.store import backfills, future, ledger, meta, snapshot
from ingest.store.database import Store
from ingest.store.renewals import note_renewal

log = logging.getLogger(__name__)

LONG_S = 0.02
"""CPU time (s) of a recording after which its tick does nothing else."""
TOKEN_SOON_S = 5
"""Seconds after which it is worth looking whether a token has come."""

Event = Outcome | Renewal | Delivery | Verification


@dataclass
class Pipeline:
    """Everything a runner holds. `wake` is called from workers when an event waits for the owner."""

    settings: Settings
    api: ApiTarget
    store: Store
    clock: Clock
    accounts: Accounts
    transport: Transport
    pool: Executor
    wake: Callable[[], None] = lambda: None
    events: "queue.SimpleQueue[Event]" = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self.classes = self.settings.ages
        self.plan = self.settings.plan
        self.app = self.settings.ledger_name
        self.clock.not_before(ledger.last_at(self.store.db, self.app))
        with self.store.transaction() as db:
            ages.adopt(db, self.classes, self.clock.now())
            adopt_day_counts.adopt(db)
        self.inventory = Inventory(self.settings, snapshot.load(self.store.db))
        self.derivation = derivation(self.settings, self.store.db, self.inventory.systems)
        self.due_queue = DueQueue(self.inventory, self.classes)
        self.dispatcher = Dispatcher(self.due_queue, self.settings.rules)
        self.pace = Pace()
        self.transitions = TransitionLog(log)
        self.stopping = False
        self._flying: dict[tuple[str, str], Task] = {}
        self._unrecorded: list[Event] = []
        self._corrections = self.clock.corrections
        with self.store.transaction() as db:
            ledger.settle(db, self.app, self.clock.now())
            meta.write(db, "fatal", "")
            self._was_wrong = meta.read(db, "clock_wrong_by") not in (None, "0")  # until the cloud says otherwise
            self.breaker = Breaker.resumed(meta.read(db, "paused_until"), meta.read(db, "weather"))
        self.accounts.due(now := self.clock.now())  # reads the token files, so that it is known whom to ask
        self.due_queue.keep_up(now, self._granted(now))  # of a fleet it takes seconds, which no tick has

    def tick(self) -> Tick:
        """Record one event; then start a call that the plan admits, after a long recording in the next tick."""
        began = time.thread_time()
        done = Tick(recorded=self.record(most=1))
        is_long = time.thread_time() - began > LONG_S
        now = self._clamped_now()
        done.next_at = now + LONGEST_WAIT
        if self._unrecorded or self.stopping or (done.recorded and is_long):
            if done.recorded:
                self.wake()
            return done
        done.recorded += (valued := self.derivation.next(self.store, self.inventory.systems, self.transitions, now))
        if self.breaker.stops(now):
            return done
        for account in self.accounts.due(now):
            if self.breaker.fatal and self.in_flight:
                break  # one call is enough to ask whether the application is still refused
            if quota.open_at(self.breaker.plan(self.plan, now), ledger.usage(self.store.db, self.app, now), now) <= now:
                self._start_renewal(account)
        now = self._clamped_now()  # a renewal may have corrected it
        done.next_at = now + (1 if valued else LONGEST_WAIT)
        return self._start_calls(done, now)

    def record(self, most: int | None = None) -> int:
        """Write the events that wait, `most` of them at most; what the disk does not take stays and is tried again."""
        while True:
            try:
                self._unrecorded.append(self.events.get_nowait())
            except queue.Empty:
                break
        recorded = 0
        while self._unrecorded and recorded != most:
            try:
                self._record(self._unrecorded[0])
            except StateError as error:
                self.transitions.bad("state", str(error))
                break
            except Exception:  # whatever a reply makes of us costs that reply alone
                log.exception("event=record_failed")
                self._unrecorded[:1] = instead(self._unrecorded[0])
                continue
            self.transitions.good("state", "the state file can be written again")
            self._unrecorded.pop(0)
            recorded += 1
        return recorded

    def _clamped_now(self) -> int:
        """The time; when the cloud has corrected it, nothing written by the wrong time may hold us up."""
        corrections = self.clock.corrections
        now = self.clock.now()
        if corrections != self._corrections:
            try:
                with self.store.transaction() as db:
                    self.breaker.paused_until = future.clamp_future(db, self.app, now)
            except StateError as error:
                self.transitions.bad("state", str(error))
                return now
            self._corrections = corrections
            self.breaker.fatal_until = min(self.breaker.fatal_until, now + DAY)
            self.accounts.clamp_future(now)
            self.inventory.replace(snapshot.load(self.store.db))
            self.due_queue = DueQueue(self.inventory, self.classes)
            self.dispatcher = Dispatcher(self.due_queue, self.settings.rules)
        return now

    def _start_calls(self, done: Tick, now: int) -> Tick:
        usage = ledger.usage(self.store.db, self.app, now)
        for system in backfill.take_up(self.store, self.inventory, now):
            self.due_queue.touch(system, now)
        self.dispatcher.rules = backfills.rules(self.store.db, self.settings.rules)
        accounts = self._granted(now)
        choice = self.dispatcher.choose(now, usage, accounts, self._flying)
        self.pace = self.dispatcher.pace
        if not self.due_queue.needs and len(accounts) == len(self.settings.accounts) and self.due_queue.is_priced:
            backfill.end_larger_share(self.store)
        if self.breaker.paused_until > now:
            done.next_at = min(done.next_at, self.breaker.paused_until)
            return done
        open_at = quota.open_at(self.breaker.plan(self.plan, now), usage, now)
        for task in choice.tasks[: int(open_at <= now and self._may_start())]:
            done.started += self._start(task, now)
        done.waits_for_minute = len(choice.tasks) > done.started
        done.may_go_on = done.waits_for_minute and done.started > 0 and self._may_start()
        soonest = max(open_at, now + 1) if done.waits_for_minute else min(choice.next_at, self.accounts.next_at(now))
        done.next_at = min(done.next_at, soonest, now + TOKEN_SOON_S if self.accounts.renewing else NEVER)
        return done

    def _granted(self, now: int) -> frozenset[str]:
        """The accounts that can be asked now."""
        return frozenset(name for name in self.settings.accounts if self.accounts.grant(name, now))

    def _may_start(self) -> bool:
        """Whether a worker is free; where everything is refused, one call at a time finds out whether it still is."""
        return len(self._flying) < (1 if self.breaker.fatal else quota.workers(self.plan))

    def _start(self, task: Task, now: int) -> int:
        grant = self.accounts.grant(task.account, now)
        try:
            call = self._reserve(now, (task.system, task.stream.name, task.purpose.value))
        except StateError as error:
            self.transitions.bad("state", str(error))
            return 0
        self._flying[task.pair] = task
        self.dispatcher.made(task)
        row = self.inventory.systems.get(task.system)
        began_at = row.operational_at if row else None
        asked = request(self.api, task, grant)

        def work() -> Outcome:
            try:
                outcome = fetch(task, call, asked, self.api.version, grant, began_at, self.transport, now)
            except Exception:  # a fault of ours must not leave the pair in flight for ever
                log.exception("event=fetch_failed system=%s stream=%s", *task.pair)
                return Outcome(task, call, Verdict(Kind.BUSY, FAILED), grant)
            self.clock.observe(outcome.date_at)  # here and once: what cannot be written now would be old later
            return outcome

        self._submit(work)
        return 1

    def _reserve(self, now: int, call: tuple[str, str, str]) -> int:
        """Enter a call (system, stream, purpose) before it is sent; returns its number. On the disk when it returns."""
        with self.store.transaction(durable=True) as db:
            return ledger.reserve(db, self.app, now, call)

    def _start_renewal(self, account: str) -> None:
        now = self.clock.now()
        try:
            call = self._reserve(now, (f"@{account}", "token", "token"))
        except StateError as error:
            self.transitions.bad("state", str(error))
            return
        self.accounts.begin(account)
        self._submit(lambda: self.accounts.renew(account, call))

    def _submit(self, work: Callable[[], Event]) -> None:
        def run() -> None:
            self.events.put(work())
            self.wake()

        self.pool.submit(run)

    @property
    def in_flight(self) -> int:
        """Calls that have been sent and not recorded yet."""
        return len(self._flying) + self.accounts.renewing

    def finish(self, seconds: float) -> None:
        """Record what is still in flight, waiting at most `seconds`; abandoned calls stay counted."""
        self.stopping = True
        deadline = time.monotonic() + seconds
        while self.in_flight:
            try:
                self._unrecorded.append(self.events.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                break
            self.record()
        self.record()

    def _record(self, happened: Event) -> None:
        if isinstance(happened, Delivery | Verification):
            self._record_delivery(happened)
        elif isinstance(happened, Renewal):
            self._record_renewal(happened)
        else:
            self._record_outcome(happened)

    def _record_outcome(self, outcome: Outcome) -> None:
        task, now = outcome.task, self.clock.now()
        outcome = self.accounts.judge(outcome, now)
        context = context_of(task, self.inventory, self.classes, now)
        breaker = after(self.breaker, outcome.verdict, self.plan, now)
        with self.store.transaction() as db:
            committed = record.record(db, self.inventory.state, outcome, context)
            self.derivation.follow(db, committed, now)
            self.breaker = save_breaker(db, self.breaker, breaker)
        self._flying.pop(task.pair, None)
        with self.inventory.guard:
            changed = committed.apply(self.inventory.state)
            self.inventory.follow(changed)
        self.due_queue.touch(task.system, now)
        self.due_queue.look_soon(dict.fromkeys([*changed, *(info.system for info in outcome.systems)]))
        pause = committed.pairs[task.pair].rest_until - now
        event_log.outcome(self.transitions, outcome, pause, self.breaker.fatal, self.inventory.version)
        self._report_clock()

    def _report_clock(self) -> None:
        wrong_by = self.clock.wrong_by
        if not self.clock.is_confirmed:
            return
        if event_log.clock(self.transitions, wrong_by) or bool(wrong_by) != self._was_wrong:
            with self.store.transaction() as db:
                meta.write(db, "clock_wrong_by", str(wrong_by))
            self._was_wrong = bool(wrong_by)

    def _record_renewal(self, renewal: Renewal) -> None:
        now = self.clock.now()
        error = renewal.error
        breaker = accepted(self.breaker) if not error and self.breaker.of_client else self.breaker
        if isinstance(error, ConfigError):
            breaker = stopped(self.breaker, error, now, of_client=True)
        with self.store.transaction() as db:
            ledger.end(db, renewal.call, now, "ok" if renewal.token else "no_token")
            note_renewal(db, renewal.account, now, error)
            self.breaker = save_breaker(db, self.breaker, breaker)
        self.accounts.finish(renewal, now)
        event_log.renewal(self.transitions, renewal, self.breaker.fatal)

    def _record_delivery(self, delivery: Delivery | Verification) -> None:
        with self.store.transaction() as db:
            record_delivery(db, delivery, self.clock.now())
        event_log.delivery(self.transitions, delivery)
