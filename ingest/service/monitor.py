"""The report job, every five minutes: points of the pipeline itself, and a line when something goes bad or good."""

import contextlib
import queue
import sqlite3
import sys
from collections.abc import Callable
from typing import TextIO

from ingest.core.errors import StateError
from ingest.report import Report, build_report, turn
from ingest.report.own_points import KEPT, OwnPoints
from ingest.service.pipeline import Pipeline
from ingest.store import own
from ingest.store.own import Said


class ReportJob:
    """The report job. `look` makes a report in any thread, `record` writes by the owner what it found, a little a tick;
    a call does both. `tell` hears every report, and why the state cannot be written.
    """

    MAX_POINTS = 100
    """How many points are written in a tick at most."""

    def __init__(
        self,
        pipeline: Pipeline,
        tell: Callable[[Report, StateError | None], None] = lambda *_: None,
    ) -> None:
        self._pipeline, self._tell = pipeline, tell
        self._own = OwnPoints(pipeline.store.db, pipeline.app)
        self._known: dict[str, str] = {}
        self._made: queue.SimpleQueue[tuple[Report, list[Said]]] = queue.SimpleQueue()
        self._due: list[Said] = []

    def __call__(self) -> None:
        """Look at everything once; a disk that is full now is tried again next time."""
        self._take(*self._report(self._pipeline.store.db))
        while self._due and self._write():
            pass

    def look(self) -> None:
        """Make a report for the owner to record. It may take longer than a tick, which does not wait for it."""
        pipeline = self._pipeline
        with contextlib.closing(pipeline.store.reader()) as db:
            self._made.put(self._report(db))
        pipeline.wake()

    def _report(self, db: sqlite3.Connection) -> tuple[Report, list[Said]]:
        """A report, and what is to be said of it to the databases."""
        pipeline = self._pipeline
        with turn():
            known = pipeline.inventory.frozen()
            made = build_report(pipeline.settings, db, pipeline.clock.now(), inventory=known)
            return made, self._own.due(made)

    def record(self) -> None:
        """Record what was made since, and go on writing."""
        with contextlib.suppress(queue.Empty):
            self._take(*self._made.get_nowait())
            return
        if self._due and self._write():
            self._pipeline.wake()

    def _take(self, current: Report, due: list[Said]) -> None:
        pipeline = self._pipeline
        pipeline.store.touch(current.now)
        self._due = due
        failure = None
        try:
            self._save()
            self._log(current)
        except StateError as error:
            failure = error
            pipeline.transitions.bad("state", str(error))
        self._tell(current, failure)
        if self._due:
            pipeline.wake()

    def _write(self) -> bool:
        """Write some more of what is due; whether the disk took it."""
        try:
            self._save()
        except StateError as error:
            self._pipeline.transitions.bad("state", str(error))
            self._due = []
            return False
        return bool(self._due)

    def _save(self) -> None:
        some, self._due = self._own.still_due(self._due[: self.MAX_POINTS]), self._due[self.MAX_POINTS :]
        if some:
            with self._pipeline.store.transaction() as db:
                own.write(db, some)
                if not self._due:
                    own.forget(db, some[0][1] - KEPT)
            self._own.said(some)

    def _log(self, current: Report) -> None:
        transitions = self._pipeline.transitions
        problems = {problem.key: (problem.text, problem.sentence) for problem in current.problems}
        for key, (text, _) in problems.items():
            transitions.bad(key, text)
        for key in self._known.keys() - problems.keys():
            transitions.good(key, f"resolved: {self._known[key]}")
        self._known = {key: sentence for key, (_, sentence) in problems.items()}


class Progress:
    """One line of a terminal that tells how much history is still to be read; lines of the log run over it."""

    MIN_CALLS = 10
    """Fewer calls are over before a line is read."""

    def __init__(self, pipeline: Pipeline, out: TextIO = sys.stderr) -> None:
        self._pipeline, self._out = pipeline, out
        self._most = 0
        self._shown = ""

    def __call__(self) -> None:
        """Show how it stands after a tick."""
        if not self._out.isatty():
            return
        left = self._pipeline.pace.needs_history
        self._most = max(self._most, left)
        if self._most < self.MIN_CALLS:
            return
        done = self._most - left
        text = f"Reading history: {done} of {self._most} calls, {done / self._most:.0%}" if left else ""
        if text != self._shown:
            self._out.write(f"{text:<{len(self._shown)}}\r" + ("" if left else "History is read.\n"))
            self._out.flush()
            self._shown = text
        if not left:
            self._most = 0
