"""One model of trouble: a cause hides its symptoms, so that each thing that is wrong is said once.

What a cause explains is not reported beside it, but named in it (`Problem.explains`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ingest.report.model import Problem

ORDER = (
    "runner",
    "credentials",
    "auth",
    "renewal",
    "application",
    "cloud",
    "quota",
    "clock",
    "denied",
    "zone",
    "home",
    "disk",
    "sink",
    "refused",
    "keep",
    "gateway",
    "stream",
    "days",
    "crowd",
    "no_system",
    "odd",
    "behind",
    "receiver",
    "start",
)
"""Kinds of problem, causes before what they may cause."""

_OF_THE_CLOUD = frozenset({"gateway", "stream", "days", "no_system", "start"})
EXPLAINS: Mapping[str, frozenset[str]] = {
    # Without a runner nothing is known of the outside world but what was true then.
    "runner": _OF_THE_CLOUD | {"renewal", "cloud", "clock", "sink", "keep", "receiver"},
    "credentials": _OF_THE_CLOUD | {"auth", "renewal", "cloud"},
    "auth": _OF_THE_CLOUD | {"renewal", "cloud"},
    "renewal": _OF_THE_CLOUD | {"cloud"},
    "application": _OF_THE_CLOUD | {"cloud"},
    "cloud": _OF_THE_CLOUD,
    "quota": frozenset({"gateway", "stream"}),
}
"""The kinds that a problem of each kind explains."""


def without_symptoms(found: Iterable[Problem], accounts: Mapping[str, str]) -> list[Problem]:
    """The problems that explain all the others, causes first. `accounts` gives the account of each system."""
    causes: list[Problem] = []
    able: list[int] = []
    explained: defaultdict[int, list[str]] = defaultdict(list)
    only = next(iter(accounts.values())) if len(set(accounts.values())) == 1 else ""
    for problem in sorted(found, key=lambda problem: ORDER.index(problem.kind)):
        at = next((cause for cause in able if _explains(causes[cause], problem, accounts, only)), None)
        if at is not None:
            explained[at].append(problem.key)
            continue
        if problem.kind in EXPLAINS:
            able.append(len(causes))
        causes.append(problem)
    return [
        replace(cause, explains=(*cause.explains, *explained[at])) if at in explained else cause
        for at, cause in enumerate(causes)
    ]


def _explains(cause: Problem, symptom: Problem, accounts: Mapping[str, str], only: str) -> bool:
    """Whether a problem follows from another; `only` is the account of all systems, where they have one."""
    if symptom.kind not in EXPLAINS.get(cause.kind, ()):
        return False
    if cause.kind not in ("auth", "renewal"):
        return True
    if symptom.subject:
        subject = symptom.subject.partition(".")[0]
        return accounts.get(subject) == cause.subject or subject.removeprefix("@") == cause.subject
    return not accounts or only == cause.subject
