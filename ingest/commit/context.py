"""What a commit needs to know besides the outcome."""

from dataclasses import dataclass

from ingest.plan.work import Classes


@dataclass(frozen=True)
class CommitContext:
    """The moment, the age classes, the API's version, and what is wanted of the pair: from `floor`, up to `until`.

    `offset` is that of the system's zone from UTC (s), `accounts` are those of the configuration.
    """

    now: int
    classes: Classes
    floor: int
    account: str
    version: str = "v4"
    until: int | None = None
    offset: int = 0
    accounts: frozenset[str] = frozenset()
