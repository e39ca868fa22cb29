"""The contract of a sink; each kind of database is one file of this room."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from ingest.core.errors import ConfigError
from ingest.core.tally import MeasuredSystem, Tally


class Sink(Protocol):
    """A database that takes points. Used by one thread at a time; no call after `close`."""

    fingerprint: str
    """Names the target (address, database or bucket, organisation): another text means another database."""

    def write(self, lines: Sequence[str]) -> int:
        """Store the lines (line protocol, times in whole seconds); writing them again changes nothing.

        Returns how many of them are older than the database keeps. Raises `SinkDown` when none can be taken
        now and `SinkRefused` when this batch can never be taken whole; good lines of it may have been stored.
        """

    def ping(self) -> str:
        """Prove that the target can be reached and written; returns its version in words. Raises `SinkDown`."""

    def prove_reading(self) -> None:
        """Prove that what was stored may be read back. Raises `SinkDown` with what makes that possible."""

    def close(self) -> None:
        """Release the connections."""


@runtime_checkable
class DeletingSink(Protocol):
    """A sink in which points can be deleted."""

    def delete(self, measured: MeasuredSystem, start: int, end: int) -> None:
        """Delete what is stored of a place with `start <= time < end`. Raises `SinkDown`."""


@runtime_checkable
class VerifiableSink(DeletingSink, Protocol):
    """A sink whose content can be counted, and so be held against the archive. Each method raises `SinkDown`."""

    def tally(self, measurements: Sequence[str], start: int, end: int) -> Tally:
        """Counts and sums of what is stored with `start <= time < end`, by measurement and system."""

    def kept_from(self, now: int) -> int:
        """Points older than this are no longer kept; 0 where they are kept for ever."""


@runtime_checkable
class LastingSink(Protocol):
    """A sink that can say whether it keeps for ever what it holds."""

    def forgets(self, now: int) -> str:
        """Why it is not known to keep points for ever; empty where it is. Raises `SinkDown`."""


@runtime_checkable
class BulkSink(Protocol):
    """A sink that takes much at once and seldom: `batch` points, and then nothing for `rest_s` seconds."""

    batch: int
    rest_s: int


class SinkSettings(Protocol):
    """What `open_sink` reads of the configuration of one sink."""

    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def url(self) -> str: ...  # noqa: D102
    @property
    def token(self) -> str | None: ...  # noqa: D102
    @property
    def org(self) -> str | None: ...  # noqa: D102
    @property
    def bucket(self) -> str | None: ...  # noqa: D102
    @property
    def database(self) -> str | None: ...  # noqa: D102
    @property
    def username(self) -> str | None: ...  # noqa: D102
    @property
    def password(self) -> str | None: ...  # noqa: D102
    @property
    def path(self) -> str | None: ...  # noqa: D102


@dataclass(frozen=True)
class Target:
    """The settings of one sink; their text form shows no secret."""

    type: str
    url: str = field(default="", repr=False)
    token: str | None = field(default=None, repr=False)
    org: str | None = None
    bucket: str | None = None
    database: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    path: str | None = None


SINK_TYPES = ("influxdb", "influxdb_v1", "parquet")


def open_sink(target: SinkSettings) -> Sink:
    """The sink for a target; nothing is sent yet. Raises ConfigError when the target cannot be one."""
    # Imported where needed: a client that is not used costs half a second and 20 MB.
    match target.type:
        case "influxdb":
            from ingest.deliver.influx import InfluxSink  # noqa: PLC0415

            return InfluxSink(target.url, target.token, target.org, _needed(target, "bucket"))
        case "influxdb_v1":
            from ingest.deliver.influx_v1 import InfluxV1Sink  # noqa: PLC0415

            return InfluxV1Sink(target.url, _needed(target, "database"), target.username, target.password)
        case "parquet":
            from ingest.deliver.lake import ParquetSink  # noqa: PLC0415

            return ParquetSink(_needed(target, "path"))
    raise ConfigError(f"a sink of type {target.type!r} is not known; there are {', '.join(SINK_TYPES)}")


def _needed(target: SinkSettings, key: str) -> str:
    value: str | None = getattr(target, key)
    if not value:
        raise ConfigError(f"a sink of type {target.type} needs `{key}`")
    return value
