"""What the log says of the pipeline's events: one line when something fails, one when it works again."""

import logging

from ingest.auth.accounts import Renewal
from ingest.core.errors import ConfigError
from ingest.core.units import DAY
from ingest.core.words import span_words
from ingest.deliver.sender import Delivery
from ingest.deliver.verify import Verification
from ingest.enphase import access
from ingest.enphase.replies import Kind
from ingest.fetch.worker import Outcome
from ingest.logs import TransitionLog, event
from ingest.report import refusals
from ingest.report.problems import wrong_clock

log = logging.getLogger(__name__)


def outcome(transitions: TransitionLog, outcome: Outcome, pause: int, fatal: ConfigError | None, version: str) -> None:
    """Log a call to API `version`; `pause` is how long its stream of that system is not asked again, in seconds, and
    `fatal` why the application is refused.
    """
    _application(transitions, fatal)
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
        transitions.good(name, f"{label} answers again")
        transitions.good("cloud", "the cloud answers again")
    elif verdict.kind in (Kind.THROTTLED, Kind.BUSY):
        transitions.bad("cloud", f"the cloud: {verdict.reason}; trying again by itself")
    elif verdict.kind is Kind.DENIED and pause > 0:  # else it is of one window
        remedy = access.denied(verdict.reason, task.stream.group, task.account, version)
        again = f"asked again in {max(pause, 0) // DAY} d"
        transitions.bad(name, f"{label} is not allowed ({verdict.reason}): {remedy}; {again}")
    elif verdict.kind not in (Kind.AHEAD, Kind.WRONG_KEY):
        transitions.bad(name, f"{label}: {verdict.reason}; {_again(pause)}")


def renewal(transitions: TransitionLog, renewal: Renewal, fatal: ConfigError | None) -> None:
    """Log the renewal of an account's tokens; `fatal` is why the application is refused."""
    _application(transitions, fatal)
    name = f"auth.{renewal.account}"
    if renewal.error is None:
        transitions.good(name, f"account {renewal.account} is authorized")
    elif not isinstance(renewal.error, ConfigError):
        transitions.bad(name, str(renewal.error))


def _application(transitions: TransitionLog, error: ConfigError | None) -> None:
    """Log that the cloud refuses the application itself, in the words of the report."""
    if error is None:
        transitions.good("application", "the cloud accepts the application again")
    else:
        transitions.bad("application", refusals.application(str(error)).text)


def delivery(transitions: TransitionLog, delivery: Delivery | Verification) -> None:
    """Log a batch sent to a sink."""
    if isinstance(delivery, Verification):
        tell = transitions.good if delivery.is_good else transitions.bad
        tell(f"verify.{delivery.sink}", delivery.sentence)
        return
    name = f"sink.{delivery.sink}"
    if delivery.error:
        transitions.bad(name, f"{delivery.error}; points are kept and sent later")
    else:
        transitions.good(name, f"sink {delivery.sink} accepts points")


def clock(transitions: TransitionLog, wrong_by: int) -> bool:
    """Log how far this machine's clock is ahead of the cloud's, in seconds; returns whether that was news."""
    if not wrong_by:
        return transitions.good("clock", "this machine's clock agrees with the cloud's")
    return transitions.bad("clock", wrong_clock(wrong_by).text)


def _again(pause: int) -> str:
    return f"asked again by itself in {span_words(pause)}" if pause > 0 else "asked again by itself"
