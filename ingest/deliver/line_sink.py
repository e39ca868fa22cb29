"""Writing lines to an InfluxDB: cut into requests, retried on temporary failures, replies judged."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt

from ingest.core.errors import SinkDown, SinkRefused
from ingest.core.tally import FieldTotal, MeasuredSystem, Tally
from ingest.deliver.answers import (
    UNREACHABLE,
    SinkAnswer,
    Words,
    down,
    judge,
    passes_by_itself,
    version_words,
    wait_asked,
)
from ingest.deliver.influx_http import (
    READING_PROOF,
    duration_seconds,
    identifier,
    literal,
    query_error,
    query_series,
    series_rows,
)
from ingest.deliver.setup import kept_words

LINES_PER_REQUEST = 5_000
"""About half a megabyte: every server takes it, and larger requests are not faster."""
Sleep = Callable[[float], None]

_ATTEMPTS, _FIRST_PAUSE, _LONGEST_PAUSE = 3, 0.2, 3.0


class LineSink(ABC):
    """A database that takes line protocol over HTTP; its kinds differ in how one request is made."""

    fingerprint: str
    _words: Words

    def __init__(self, sleep: Sleep = time.sleep) -> None:
        self._retrying = Retrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=_pause,
            retry=retry_if_result(_worth_another),
            retry_error_callback=_last,
            sleep=sleep,
        )

    def write(self, lines: Sequence[str]) -> int:
        """Store the lines, 5,000 a request; returns how many are older than the database keeps."""
        return sum(judge(self._retrying(self._post, body), self._words) for body in _bodies(lines))

    def ping(self) -> str:
        """Prove that server, credentials and target are right; returns the version in words."""
        answer = self._retrying(self._hello)
        if answer.status not in (200, 204):
            raise SinkDown(down(answer, self._words))
        # A write of nothing changes nothing but is authorized like any other; 2.x says bad request then.
        with suppress(SinkRefused):
            judge(self._retrying(self._probe), self._words)
        return version_words(answer)

    def prove_reading(self) -> None:
        """Prove that what was stored may be read back. Raises `SinkDown` with what makes that possible."""
        self._query(READING_PROOF)

    def tally(self, measurements: Sequence[str], start: int, end: int) -> Tally:
        """Counts and sums of what is stored with `start <= time < end`. Raises `SinkDown`."""
        sources = ", ".join(map(identifier, measurements))
        period = f"time >= {start}s AND time < {end}s"
        found = self._query(f'SELECT count(*), sum(*) FROM {sources} WHERE {period} GROUP BY "system"')  # noqa: S608
        return {
            MeasuredSystem(series["name"], series["tags"]["system"]): _field_totals(row)
            for series in found
            for row in series_rows(series)
        }

    def kept_from(self, now: int) -> int:
        """Points older than this are no longer kept; 0 where they are kept for ever. Raises `SinkDown`."""
        seconds = self._policy()
        return now - seconds if seconds else 0

    def forgets(self, now: int) -> str:  # noqa: ARG002 - of the protocol
        """Why it is not known to keep points for ever; empty where it is. Only InfluxDB 1.x can be taken at its word:
        2.x answers `0s` whatever the bucket keeps. Raises `SinkDown`.
        """
        answer = self._retrying(self._hello)
        version = (answer.version or "").removeprefix("v")
        seconds = self._kept(version)
        if seconds is None:
            what = version_words(answer)
            return f"it is an {what}, which does not say to a sink of this kind how long it keeps points"
        return f"it keeps points {kept_words(seconds)} only" if seconds else ""

    def _kept(self, version: str) -> int | None:
        """How long (s) points are kept by a server of a version, 0 for ever; None where that is not known."""
        return self._policy() if version.startswith("1.") else None

    def _policy(self) -> int | None:
        """How long (s) the retention policy keeps that is written to, 0 for ever; None where there is none."""
        found = self._query(f"SHOW RETENTION POLICIES{self._on()}")
        policies = [row for series in found for row in series_rows(series)]
        return next((duration_seconds(row["duration"]) for row in policies if row.get("default")), None)

    def delete(self, measured: MeasuredSystem, start: int, end: int) -> None:
        """Delete what is stored of a place with `start <= time < end`. Raises `SinkDown`."""
        whose = f'"system" = {literal(measured.system)} AND ' if measured.system else ""
        self._query(
            f"DELETE FROM {identifier(measured.measurement)} WHERE {whose}time >= {start}s AND time < {end}s"  # noqa: S608
        )

    def _query(self, statement: str) -> list[dict[str, Any]]:
        """The series of the answer to an InfluxQL statement. Raises `SinkDown`."""
        answer = self._retrying(self._ask, statement)
        why = query_error(answer) if answer.status in (200, 403) else ""
        # A user without rights hears "not authorized" of 1.x, and of 2.x that there is no such database.
        if answer.status == 403 or "not authorized" in why or "database not found" in why:
            place = self._words.address
            raise SinkDown(self._words.hide(f"the database at {place} cannot be read back: {self._may_read()}"))
        return query_series(answer, self._words)

    @abstractmethod
    def _on(self) -> str:
        """The end of a statement that asks about the database itself."""

    def _probe(self) -> SinkAnswer:
        return self._post(b"")

    @abstractmethod
    def _ask(self, statement: str) -> SinkAnswer:
        """Run an InfluxQL statement on the target."""

    @abstractmethod
    def _may_read(self) -> str:
        """What makes one who may only write one who may read."""

    @abstractmethod
    def _post(self, body: bytes) -> SinkAnswer:
        """Write one batch."""

    @abstractmethod
    def _hello(self) -> SinkAnswer:
        """Ask /ping, which every version has."""

    @abstractmethod
    def close(self) -> None:
        """Release the connections."""


def _bodies(lines: Sequence[str]) -> Iterator[bytes]:
    for start in range(0, len(lines), LINES_PER_REQUEST):
        yield "\n".join(lines[start : start + LINES_PER_REQUEST]).encode()


def _last(state: RetryCallState) -> SinkAnswer:
    return state.outcome.result() if state.outcome else SinkAnswer(UNREACHABLE)


def _pause(state: RetryCallState) -> float:
    asked = wait_asked(_last(state))
    return _FIRST_PAUSE * 2.0 ** (state.attempt_number - 1) if asked is None else asked


def _worth_another(answer: SinkAnswer) -> bool:
    # Who asks for a long pause is left alone: the sender comes back by itself.
    return passes_by_itself(answer) and (wait_asked(answer) or 0.0) <= _LONGEST_PAUSE


def _field_totals(row: dict[str, Any]) -> dict[str, FieldTotal]:
    counts = {name.removeprefix("count_"): int(value) for name, value in row.items() if name.startswith("count_")}
    return {name: FieldTotal(count, float(row.get(f"sum_{name}", 0.0))) for name, count in counts.items() if count}
