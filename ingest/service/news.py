"""What the log says of the pipeline's events: one line when something fails, one when it works again."""

import logging

from ingest.auth.accounts import Renewal
from ingest.core.units import DAY, MINUTE
from ingest.deliver.sender import Delivery
from ingest.deliver.verify import Verification
from ingest.enphase import access
from ingest.enphase.replies import Kind
from ingest.fetch.worker import Outcome
from ingest.logs import Change, event

log = logging.getLogger(__name__)


def outcome(changes: Change, outcome: Outcome, pause: int) -> None:
    """Log a call; `pause` is how long its stream of that system is not asked again, in seconds."""
    task, verdict = outcome.task, outcome.verdict
    event(
        log,
        logging.DEBUG,
        "call",
        system=task.system,
        stream=task.stream.name,
        purpose=task.purpose.value,
        verdict=verdict.kind.value,
        points=len(outcome.points),
    )
    name, label = f"{task.system}.{task.stream.name}", f"system {task.system}: {task.stream.name}"
    if verdict.kind in (Kind.OK, Kind.NOTHING, Kind.OUTSIDE):
        changes.good(name, f"{label} answers again")
        changes.good("cloud", "the cloud answers again")
    elif verdict.kind in (Kind.THROTTLED, Kind.BUSY):
        changes.bad("cloud", f"the cloud: {verdict.reason}; trying again by itself")
    elif verdict.kind is Kind.DENIED:
        remedy = access.denied(verdict.reason, task.stream.group, task.account)
        again = f"asked again in {max(pause, 0) // DAY} d"
        changes.bad(name, f"{label} is not allowed ({verdict.reason}): {remedy}; {again}")
    elif verdict.kind is not Kind.AHEAD:
        changes.bad(name, f"{label}: {verdict.reason}")


def renewal(changes: Change, renewal: Renewal) -> None:
    """Log the renewal of an account's tokens."""
    name = f"auth.{renewal.account}"
    if renewal.error is None:
        changes.good(name, f"account {renewal.account} is authorized")
    else:
        changes.bad(name, str(renewal.error))


def delivery(changes: Change, delivery: Delivery | Verification) -> None:
    """Log a batch sent to a sink."""
    if isinstance(delivery, Verification):
        tell = changes.good if delivery.is_good else changes.bad
        tell(f"verify.{delivery.sink}", delivery.sentence)
        return
    name = f"sink.{delivery.sink}"
    if delivery.error:
        changes.bad(name, f"{delivery.error}; points are kept and sent later")
    else:
        changes.good(name, f"sink {delivery.sink} accepts points")


def clock(changes: Change, wrong_by: int) -> bool:
    """Log how far this machine's clock is ahead of the cloud's, in seconds; returns whether that was news."""
    if not wrong_by:
        return changes.good("clock", "this machine's clock agrees with the cloud's")
    way = "ahead of" if wrong_by > 0 else "behind"
    return changes.bad(
        "clock",
        f"this machine's clock is {abs(wrong_by) // MINUTE} min {way} the cloud's; the cloud's is used. "
        "Set the clock, for example with `timedatectl set-ntp true`",
    )
