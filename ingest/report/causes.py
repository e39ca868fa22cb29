"""One model of trouble: a cause hides its symptoms, so that each thing that is wrong is said once.

What a cause explains is not reported beside it, but named in it (`Problem.explains`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ingest.report.model import Problem

ORDER = (
    "runner",
    "credentials",
    "auth",
    "renewal",
    "application",
    "wrong_key",
    "cloud",
    "quota",
    "clock",
    "zone",
    "disk",
    "sink",
    "refused",
    "denied",
    "gateway",
    "stream",
    "days",
    "crowd",
    "odd",
    "behind",
    "receiver",
    "start",
)
"""Kinds of problem, causes before what they may cause."""

_OF_THE_CLOUD = frozenset({"gateway", "stream", "days", "start"})
EXPLAINS: Mapping[str, frozenset[str]] = {
    # Without a runner nothing is known of the outside world but what was true then.
    "runner": _OF_THE_CLOUD | {"renewal", "cloud", "clock", "sink", "receiver"},
    "credentials": _OF_THE_CLOUD | {"auth", "renewal", "cloud"},
    "auth": _OF_THE_CLOUD | {"renewal", "cloud"},
    "renewal": _OF_THE_CLOUD | {"cloud"},
    "application": _OF_THE_CLOUD | {"wrong_key", "cloud"},
    "wrong_key": _OF_THE_CLOUD | {"cloud"},
    "cloud": _OF_THE_CLOUD,
    "quota": frozenset({"gateway", "stream"}),
}
"""The kinds that a problem of each kind explains."""


def without_symptoms(found: Iterable[Problem], accounts: Mapping[str, str]) -> list[Problem]:
    """The problems that explain all the others, causes first. `accounts` gives the account of each system."""
    causes: list[Problem] = []
    for problem in sorted(found, key=lambda problem: ORDER.index(problem.kind)):
        at = next((at for at, cause in enumerate(causes) if _explains(cause, problem, accounts)), None)
        if at is None:
            causes.append(problem)
        else:
            causes[at] = replace(causes[at], explains=(*causes[at].explains, problem.key))
    return causes


def _explains(cause: Problem, symptom: Problem, accounts: Mapping[str, str]) -> bool:
    if symptom.kind not in EXPLAINS.get(cause.kind, ()):
        return False
    if cause.kind not in ("auth", "renewal"):
        return True
    mine = {system for system, account in accounts.items() if account == cause.subject}
    if symptom.subject:
        subject = symptom.subject.partition(".")[0]
        return subject in mine or subject.removeprefix("@") == cause.subject
    return len(mine) == len(accounts)
