"""Messages to people, through apprise: it knows some hundred services, and is loaded when the first message goes."""

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ingest.notify.letters import Letter

if TYPE_CHECKING:
    import apprise

UNKNOWN_ADDRESS = (
    "this kind of address is not known, or a part of it is missing; see the list of services at appriseit.com"
)
_STATUS = re.compile(r"error=(\d{3})\b")


def messenger(address: str) -> Callable[[Letter], str]:
    """What sends a letter to an address; returns the error in words, which hold no part of the address."""

    def send(letter: Letter) -> str:
        import apprise  # noqa: PLC0415 - a third of a second, and longer on a small machine

        with _listening() as lines:
            service = _service(address)
            if service is None:
                return UNKNOWN_ADDRESS
            kind = apprise.NotifyType.WARNING if letter.is_bad else apprise.NotifyType.INFO
            text = apprise.NotifyFormat.TEXT
            sent = service.notify(title=letter.title, body=letter.body, notify_type=kind, body_format=text)
        return "" if sent else _why(lines)

    return send


def is_known(address: str) -> bool:
    """Whether a letter can be sent to such an address: its kind is known, and no part is missing. Nobody is asked."""
    with _listening():
        return _service(address) is not None


def _service(address: str) -> "apprise.NotifyBase | None":
    """The service itself, not the pool of apprise: what is said of an address must be said in this thread."""
    import apprise  # noqa: PLC0415 - a third of a second, and longer on a small machine

    return apprise.Apprise.instantiate(address, asset=apprise.AppriseAsset(secure_logging=True))


def _why(lines: list[str]) -> str:
    """The reason, from what apprise logged: a status or a word of ours, never its own text."""
    statuses = [match[1] for line in lines if (match := _STATUS.search(line))]
    if statuses:
        return f"the service answers {statuses[-1]}"
    if any("onnection" in line or "ocket" in line for line in lines):
        return "the service cannot be reached"
    return "the service does not take the message"


@contextmanager
def _listening() -> Iterator[list[str]]:
    """The lines that apprise logs in this thread; they go nowhere else, since they may hold the address."""
    lines: list[str] = []
    here = threading.get_ident()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == here:
                lines.append(record.getMessage())

    ear, logger = Ear(), logging.getLogger("apprise")
    logger.propagate = False
    logger.addHandler(ear)
    try:
        yield lines
    finally:
        logger.removeHandler(ear)
