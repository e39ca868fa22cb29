"""What is asked and what comes back, as plain values: the transport turns one into the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Request:
    """One request to the cloud. Its repr names neither parameters nor credentials: they hold secrets. `more` are
    further parameters, whose names may repeat.
    """

    method: str
    url: str
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    more: Sequence[tuple[str, str]] = field(default=(), repr=False)


@dataclass(frozen=True)
class Reply:
    """What came back. `status` 0 means no answer, and `failure` says why in words; `sent` is then whether the
    request may have reached the cloud. `date_at` is the server's own clock from its `Date` header,
    `location` where a redirect leads, without the query, which may repeat the key.
    """

    status: int
    body: bytes = field(default=b"", repr=False)
    date_at: int | None = None
    failure: str = ""
    sent: bool = True
    location: str = ""


class Transport(Protocol):
    """Sends one request and returns what came of it; never raises for what the network or the cloud does."""

    def send(self, request: Request) -> Reply:
        """The reply, or one of status 0 with the failure in words."""
