"""What a database is to be like for the pipeline and for Grafana, and how its set-up tells what it did.

The set-up is a state that is reached: each step looks, and changes only what differs. So it may be cut short at any
request and be run again, and costs next to nothing where all is right.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from ingest.core.errors import IngestError, SinkDown
from ingest.core.units import DAY, HOUR, WEEK
from ingest.core.words import many, span_words
from ingest.deliver.answers import NO_USE, UNREACHABLE, SinkAnswer, Words, reason, wait_asked
from ingest.deliver.influx_http import InfluxHttp

WRITER = "ingest"
"""The name of the pipeline's user of InfluxDB 1.x."""


class SecretFile(Protocol):
    """Where the secret with which the pipeline writes is kept: a token of 2.x, a password of 1.x."""

    def read(self) -> str:
        """The secret, empty when there is none yet."""

    def write(self, secret: str) -> None:
        """Put a new one in its place, all or nothing."""

    def mark(self) -> str:
        """A word of this installation alone, by which the tokens made for it are known again."""


@dataclass(frozen=True)
class WantedDatabase:
    """What is wanted of a database. `retention` is in seconds, 0 for ever; without a `reader` none is made."""

    bucket: str
    org: str = ""
    retention: int = 0
    may_delete: bool = False
    reader: str = ""
    reader_password: str = field(default="", repr=False)
    admin_password: str = field(default="", repr=False)


class SetupChange(NamedTuple):
    """Something that differed: what was found, and what was done about it. `is_open`: nothing, a person decides."""

    found: str
    done: str
    is_open: bool = False


SetupChanges = Iterator[SetupChange]


class Setup(Protocol):
    """The set-up of one database."""

    def run(self) -> SetupChanges:
        """Repair what differs, one after the other. Raises `IngestError` where a person is needed."""

    def close(self) -> None:
        """Release the connections."""


def kept_words(seconds: int) -> str:
    """How long points are kept."""
    if not seconds:
        return "for ever"
    return f"for {many(seconds // DAY, 'day')}" if seconds % DAY == 0 else f"for {span_words(seconds)}"


def shard_seconds(retention: int) -> int:
    """How much time one part of a database spans: what InfluxDB 1.x and 2 choose for a new one of that retention.

    It cannot be longer than the retention, and does not follow it by itself: a retention that was short leaves parts
    of an hour behind, thousands a year. https://docs.influxdata.com/influxdb/v2/reference/internals/shards/
    """
    if not retention or retention >= 180 * DAY:
        return WEEK
    return DAY if retention >= 2 * DAY else HOUR


def retention_change(have: int, wanted: WantedDatabase) -> SetupChange | None:
    """What another retention is to be told as; None where it is right.

    A shorter one deletes what is older, which takes a word of the owner.
    """
    if have == wanted.retention:
        return None
    found = f"{wanted.bucket} keeps points {kept_words(have)}, not {kept_words(wanted.retention)}"
    shorter = wanted.retention and (not have or wanted.retention < have)
    if shorter and not wanted.may_delete:
        left = (
            f"{wanted.bucket} keeps points {kept_words(have)} and goes on so: to keep them "
            f"{kept_words(wanted.retention)} deletes what is older. If you want that, set "
            "INFLUXDB_RETENTION_MAY_DELETE=yes and run this again"
        )
        return SetupChange(found, left, is_open=True)
    return SetupChange(
        found, f"{wanted.bucket} keeps points {kept_words(wanted.retention)} now, no longer {kept_words(have)}"
    )


def refused(http: InfluxHttp, words: Words, answer: SinkAnswer, what: str) -> IngestError:
    """What a request of the set-up that failed means, with what to do."""
    if answer.status in (UNREACHABLE, NO_USE):
        return SinkDown(words.hide(f"the database at {http.url} {reason(answer.body)}"))
    sentence = f"{answer.status} {reason(answer.body)}".strip()
    if answer.status == 429 or answer.status >= 500:
        asked = wait_asked(answer)
        later = f"; it asks for {asked:.0f} s" if asked else ""
        return SinkDown(
            words.hide(f"the database at {http.url} answers {sentence} to {what}: run this again later{later}")
        )
    return IngestError(
        words.hide(f"the database at {http.url} answers {sentence} to {what}: {words.remedy(answer.status, sentence)}")
    )
