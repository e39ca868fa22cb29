"""The service: some jobs, one owner thread, one thread that reports, one sender thread a sink.

Jobs carry no data: what to do is computed from the state, so a restart loses nothing.
"""

import logging
import signal
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler

from ingest.core.errors import StateError
from ingest.core.units import HOUR
from ingest.deliver.sender import Sender
from ingest.logs import event
from ingest.service import underperformance
from ingest.service.garbage import search_all, seldom_searched
from ingest.service.leaving import Leaving
from ingest.service.pipeline import Pipeline
from ingest.service.short_turns import short_turns
from ingest.service.tick import Tick
from ingest.store import journal, ledger, outbox

log = logging.getLogger(__name__)

TICK_S, REPORT_S, DAILY_S = 30, 300, 86_400
SOON_S = 0.01
"""Between two ticks of which one follows the other at once: other jobs have their turn."""
STOP_S = 8.0
"""How long calls in flight are waited for at the end; abandoned ones stay counted."""


class Service:
    """A running pipeline. `run` blocks until SIGTERM, SIGINT or `stop`; `report` is called every five minutes in a
    thread of its own, `ticked` by the owner after every tick.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        senders: Sequence[Sender],
        report: Callable[[], None],
        ticked: Callable[[], None] = lambda: None,
    ) -> None:
        self.pipeline = pipeline
        self.last_tick_at = self._said_at = pipeline.clock.now()
        self._calls, self._changes = 0, journal.next_seq(pipeline.store.db)
        self._report, self._ticked = report, ticked
        self._ending = threading.Event()
        self._ticking = threading.Event()
        self._wanted = threading.Event()
        self._leaving = Leaving(pipeline)
        self._loops = [SenderLoop(sender, self) for sender in senders]
        self._scheduler = BlockingScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1), "report": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        pipeline.wake = self.wake

    def run(self) -> None:
        """Work until told to stop, then finish cleanly."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._on_signal)
            signal.signal(signal.SIGINT, self._on_signal)
        now = datetime.now(UTC)
        add = self._scheduler.add_job
        # of two the one waits for the other's end: the scheduler would skip it, and come back half a minute later
        add(self._tick, "interval", seconds=TICK_S, id="tick", next_run_time=now, max_instances=2)
        soon = now + timedelta(seconds=TICK_S)
        add(self._report, "interval", seconds=REPORT_S, id="report", executor="report", next_run_time=soon)
        add(self._compare, "interval", seconds=REPORT_S, id="compare", next_run_time=now + timedelta(seconds=REPORT_S))
        add(self._daily, "interval", seconds=DAILY_S, id="daily", next_run_time=now + timedelta(seconds=REPORT_S))
        add(self._hourly, "interval", seconds=HOUR, id="hourly")
        add(search_all, "interval", seconds=DAILY_S, id="memory")
        for loop in self._loops:
            loop.start()
        try:
            with seldom_searched(), short_turns():
                self._scheduler.start()
        finally:
            self._finish()

    def wake(self) -> None:
        """Tick soon: something has come back. Called from any thread."""
        self._wanted.set()
        if not self._ticking.is_set() and self._scheduler.running:
            self._next_tick(SOON_S)

    def stop(self) -> None:
        """End `run`; returns at once."""
        if not self._ending.is_set():
            self._ending.set()
            threading.Thread(target=self._scheduler.shutdown, daemon=True).start()

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if not self.pipeline.stopping:
            event(log, logging.INFO, "stopping", signal=signal.Signals(number).name)
        self.pipeline.stopping = True
        self.stop()

    def _tick(self) -> None:
        self._ticking.set()
        try:
            while not self._ending.is_set():
                self._wanted.clear()
                tick = self.pipeline.tick()
                self.last_tick_at = self.pipeline.clock.now()
                self._after(tick)
                if not self._wanted.is_set():
                    self._next_tick(self._wait(tick))
                    break
        finally:
            self._ticking.clear()
        if self._wanted.is_set():
            self.wake()

    def _wait(self, tick: Tick) -> float:
        """Seconds until the next tick. Calls of a large plan are counted by the second: it comes as that begins."""
        wait = 1 if self._leaving.next() else self.pipeline.clock.until(tick.next_at)
        return SOON_S if tick.may_go_on else max(SOON_S, min(TICK_S, wait or 1))

    def _after(self, tick: Tick) -> None:
        if tick.recorded:
            for loop in self._loops:
                loop.wake()
        self._say(tick)
        self._ticked()

    def _say(self, tick: Tick) -> None:
        """One line for what was done; calls that follow upon each other share one, at most every tick's length."""
        self._calls += tick.started
        now = self.last_tick_at
        if not self._calls or (self.pipeline.in_flight and 0 <= now - self._said_at < TICK_S):
            return
        changes = journal.next_seq(self.pipeline.store.db)
        event(log, logging.INFO, "tick", calls=self._calls, points=changes - self._changes)
        self._said_at, self._calls, self._changes = now, 0, changes

    def _next_tick(self, seconds: float) -> None:
        if self._ending.is_set():
            return
        self._scheduler.modify_job("tick", next_run_time=datetime.now(UTC) + timedelta(seconds=seconds))

    def _compare(self) -> None:
        """Hold plants against their clear days, each once a day."""
        pipeline = self.pipeline
        try:
            underperformance.look(pipeline.store, pipeline.inventory.systems, pipeline.clock.now())
        except StateError as error:
            pipeline.transitions.bad("state", str(error))

    def _daily(self) -> None:
        with self.pipeline.store.transaction() as db:
            ledger.forget(db, self.pipeline.clock.now())
        self.pipeline.store.optimize()

    def _hourly(self) -> None:
        pipeline = self.pipeline
        try:
            outbox.forget_proved(pipeline.store, pipeline.settings.sinks)
        except StateError as error:
            pipeline.transitions.bad("state", str(error))

    def _finish(self) -> None:
        self.pipeline.stopping = True
        self._ending.set()
        for loop in self._loops:
            loop.wake()
        self.pipeline.finish(STOP_S)
        for loop in self._loops:
            loop.join(STOP_S)
        self.pipeline.record()


class SenderLoop(threading.Thread):
    """Serves one sink for as long as the service runs; a sink that is down delays nobody else."""

    def __init__(self, sender: Sender, service: Service) -> None:
        super().__init__(name=f"sender-{sender.name}", daemon=True)
        self._sender, self._service = sender, service
        self._event_came = threading.Event()

    def wake(self) -> None:
        """Look for something to send."""
        self._event_came.set()

    def run(self) -> None:
        """Send while there is something, then wait."""
        pipeline = self._service.pipeline
        while not pipeline.stopping:
            self._event_came.clear()
            done = self._sender.step()
            if done is None:
                looked = self._sender.verify(pipeline.clock.now())
                if looked is None:
                    self._event_came.wait(TICK_S)
                    continue
                pipeline.events.put(looked)
                self._service.wake()
                self._event_came.wait(TICK_S)  # until it is recorded
                continue
            pipeline.events.put(done)
            self._service.wake()
            if done.error or self._sender.rest_s:
                self._rest(self._sender.pause_s or self._sender.rest_s)

    def _rest(self, seconds: float) -> None:
        """Wait without heeding events: a database that is down gains nothing from more points."""
        deadline = threading.Event()
        timer = threading.Timer(seconds, deadline.set)
        timer.daemon = True
        timer.start()
        while not deadline.wait(0.5) and not self._service.pipeline.stopping:
            pass
        timer.cancel()
