"""The report job, every five minutes: points of the pipeline itself, and a line when something goes bad or good."""

import sys
from collections.abc import Callable
from typing import TextIO

from ingest.core.errors import StateError
from ingest.report import Report, report
from ingest.report.own_points import KEPT, MEASUREMENT, OwnPoints
from ingest.service.pipeline import Pipeline
from ingest.store import archive


class Watch:
    """The report job; called by the owner. `tell` hears every report, and why the state cannot be written."""

    def __init__(
        self,
        pipeline: Pipeline,
        tell: Callable[[Report, StateError | None], None] = lambda *_: None,
    ) -> None:
        self._pipeline, self._tell = pipeline, tell
        self._own = OwnPoints(pipeline.store.db, pipeline.app)
        self._known: dict[str, str] = {}

    def __call__(self) -> None:
        """Look at everything once; a disk that is full now is tried again next time."""
        pipeline = self._pipeline
        current = report(pipeline.settings, pipeline.store.db, pipeline.clock.now())
        failure = None
        try:
            self._write(current)
        except StateError as error:
            failure = error
            pipeline.changes.bad("state", str(error))
        self._tell(current, failure)

    def _write(self, current: Report) -> None:
        pipeline = self._pipeline
        pipeline.store.touch(current.now)
        if due := self._own.due(current):
            with pipeline.store.transaction() as db:
                archive.upsert(db, due)
                archive.forget(db, MEASUREMENT, current.now - KEPT)
            self._own.said(due)
        problems = {at.key: (at.text, at.sentence) for at in current.problems}
        for key, (text, _) in problems.items():
            pipeline.changes.bad(key, text)
        for key in self._known.keys() - problems.keys():
            pipeline.changes.good(key, f"resolved: {self._known[key]}")
        self._known = {key: sentence for key, (_, sentence) in problems.items()}


class Progress:
    """One line of a terminal that tells how much history is still to be read; lines of the log run over it."""

    LEAST = 10
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
        if self._most < self.LEAST:
            return
        done = self._most - left
        text = f"Reading history: {done} of {self._most} calls, {done / self._most:.0%}" if left else ""
        if text != self._shown:
            self._out.write(f"{text:<{len(self._shown)}}\r" + ("" if left else "History is read.\n"))
            self._out.flush()
            self._shown = text
        if not left:
            self._most = 0
