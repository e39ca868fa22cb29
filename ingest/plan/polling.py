"""What planning needs of the settings."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from ingest.core.when import When
from ingest.plan.budget import Rules


class SystemEntry(Protocol):
    """What the owner wrote of one system."""

    @property
    def id(self) -> int: ...  # noqa: D102 - said by the configuration
    @property
    def account(self) -> str: ...  # noqa: D102
    @property
    def streams(self) -> tuple[str, ...]: ...  # noqa: D102 - `AUTO` leaves it to the program
    @property
    def since(self) -> When: ...  # noqa: D102
    @property
    def until(self) -> date | None: ...  # noqa: D102


class Polling(Protocol):
    """What planning needs of the settings. `systems` is None for all that the accounts can see; times are seconds."""

    @property
    def version(self) -> str: ...  # noqa: D102 - said by the configuration
    @property
    def accounts(self) -> Mapping[str, object]: ...  # noqa: D102
    @property
    def systems(self) -> Sequence[SystemEntry] | None: ...  # noqa: D102
    @property
    def default_streams(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def rules(self) -> Rules: ...  # noqa: D102
    @property
    def settle(self) -> int: ...  # noqa: D102
    @property
    def look_again(self) -> int: ...  # noqa: D102

    def every(self, stream: str) -> int:
        """The cadence of a stream."""
