"""Who is told what, after every look at the state. Called by the owner of the state; deliveries run beside it.

What each receiver was told is compared with what holds now, so that nothing piles up for one that is away: when it is
back, it hears in one message what still holds. The state is saved as soon as a delivery has arrived.
"""

import queue
import time
from collections.abc import Callable, Mapping
from typing import Any

from ingest.config import Settings, message_name
from ingest.core.days import zone
from ingest.core.errors import StateError
from ingest.core.units import DAY
from ingest.logs import TransitionLog
from ingest.notify import discovery, summary
from ingest.notify.broker import Broker
from ingest.notify.channel import SLOW, Channel, Delivered
from ingest.notify.letters import Letter, letter_of_notice, letter_of_summary
from ingest.notify.memory import Memory
from ingest.notify.troubles import MAX_A_DAY, Notice, Trouble, explained, notice, observe, stopped, troubles
from ingest.report import Report
from ingest.store import notifications
from ingest.store.database import Store

HEARTBEAT, MQTT = "heartbeat", "mqtt"
Deliver = Callable[[Any], str]


class Notifier:
    """Everybody who is told. `carriers` bring a load to each, by the names of `Settings.receivers`; `command` is the
    program as it is called here; `wake` is called from any thread when something has arrived.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        transitions: TransitionLog,
        carriers: Mapping[str, Deliver],
        command: str,
        broker: Broker | None = None,
    ) -> None:
        self.wake: Callable[[], None] = lambda: None
        self._settings, self._store, self._transitions, self._command = settings, store, transitions, command
        self._labels, self._broker = settings.receivers(), broker
        self._entries = {
            message_name(address.get_secret_value()): entry for entry in settings.notify for address in entry.to
        }
        if broker:
            broker.start()
        self._results: queue.SimpleQueue[Delivered] = queue.SimpleQueue()
        self._channels = {name: Channel(name, deliver, self._done) for name, deliver in carriers.items()}
        self._memory = Memory.load(store.db, self._labels)
        self._saved = self._memory.document()

    def consider(self, report: Report, failure: StateError | None = None) -> None:
        """Tell what is to be told after a look; `failure` is why the state cannot be written."""
        now, memory = report.now, self._memory
        self.record(now)
        current = troubles(report.problems)
        if failure is not None:
            current["state"] = Trouble("state", str(failure), "", stops_reading=True)
        memory.seen = observe(memory.seen, current, now, explained(report.problems))
        self._save()
        for name, channel in self._channels.items():
            if channel.is_overdue(now):
                self._failed(name, SLOW, now)
            elif not channel.is_busy and (load := self._load(name, report)) is not None:
                channel.offer(load, now)
        if self._broker:
            self._show(self._broker, report)
        self._save()

    def record(self, now: int) -> None:
        """Note what has arrived."""
        while not self._results.empty():
            done = self._results.get()
            if done.error:
                self._failed(done.receiver, done.error, now)
            else:
                self._arrived(done, now)
            self._save()

    def finish(self, seconds: float, now: int) -> None:
        """End: what is on its way is waited for, but no longer than `seconds`."""
        self.settle(seconds, now)
        if self._broker:
            self._broker.stop()

    def settle(self, seconds: float, now: int) -> None:
        """Wait for what is on its way, but no longer than `seconds`; note what has arrived."""
        deadline = time.monotonic() + seconds
        for channel in self._channels.values():
            channel.join(max(0.0, deadline - time.monotonic()))
        self.record(now)

    def _show(self, broker: Broker, report: Report) -> None:
        """Bring the devices at the broker up to date; a meter is shown once it is saved, so that it never goes back."""
        documents = discovery.documents(self._settings, self._store.db, report, self._memory, self._command)
        if self._save():
            broker.show(documents)
        if broker.error:
            self._failed(MQTT, broker.error, report.now)
        else:
            self._reached(MQTT)

    def _load(self, name: str, report: Report) -> Any:
        """What a receiver is to be brought now; None: nothing."""
        if name == HEARTBEAT:
            return stopped(self._memory.seen, report.now)
        return self._letter(name, report)

    def _letter(self, name: str, report: Report) -> Letter | None:
        """What is to be written to an address now: troubles first, then a summary; nothing in quiet hours."""
        wanted, memory, now = self._entries[name], self._memory, report.now
        local = zone(report.systems[0].timezone if report.systems else "")
        sent = [at for at in memory.sent.get(name, ()) if now - DAY < at <= now]
        if len(sent) >= MAX_A_DAY or (wanted.quiet and wanted.quiet.holds(now, local)):
            return None
        found = notice(memory.seen, memory.told.get(name, {}), now, self._labels[name]) if wanted.problems else Notice()
        if found:
            return letter_of_notice(found, self._command, simulated=report.simulated)
        period = summary.due(wanted.summary, memory.summaries.get(name, ""), now, local)
        if period is None or not report.systems:
            return None
        currencies = {tariff.currency for row in report.households for tariff in self._settings.contract(row.system)}
        title = summary.title(period, report.households)
        lines = summary.lines(self._store.db, period, report.systems, report.households, currencies)
        return letter_of_summary(title, lines, period.name, simulated=report.simulated)

    def _done(self, done: Delivered) -> None:
        self._results.put(done)
        self.wake()

    def _arrived(self, done: Delivered, now: int) -> None:
        self._reached(done.receiver)
        if isinstance(done.load, Letter):
            self._memory.arrived(done.receiver, done.load, now)

    def _reached(self, name: str) -> None:
        self._transitions.good(f"receiver.{self._labels[name]}", f"{self._labels[name]} can be reached")
        self._memory.outages.pop(name, None)

    def _failed(self, name: str, error: str, now: int) -> None:
        self._transitions.bad(f"receiver.{self._labels[name]}", f"{self._labels[name]} cannot be reached: {error}")
        self._memory.failed(name, error, now)

    def _save(self) -> bool:
        """Remember; what the disk does not take is kept in memory and saved with the next look."""
        document = self._memory.document()
        if document == self._saved:
            return True
        try:
            with self._store.transaction() as db:
                notifications.save(db, *document)
            self._saved = document
        except StateError as error:
            self._transitions.bad("state", str(error))
            return False
        return True
