"""Which troubles are told, and when: pure decisions over what is wrong now, what was wrong before, what was told."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace

from ingest.core.units import DAY, MINUTE
from ingest.report import Problem

STOPS_READING = frozenset({"disk", "state", "credentials", "auth", "renewal", "application", "quota", "cloud"})
"""Kinds of problems while which nothing is read."""
SOON, LATE = 15 * MINUTE, DAY
"""How long a trouble lasts before it is told: one that stops reading, and any other."""
SETTLED = 15 * MINUTE
"""A trouble that comes back sooner was never over."""
MAX_A_DAY = 12
"""Messages to one receiver; what is due beyond goes into the next one."""


@dataclass(frozen=True)
class Trouble:
    """Something wrong that a person should know: one sentence, and what to do."""

    key: str
    sentence: str
    remedy: str
    stops_reading: bool
    receiver: str = ""
    """The receiver that it is about: that one cannot be told."""


@dataclass(frozen=True)
class Lasting:
    """A trouble over time (epoch seconds): since when it lasts, and since when it is gone, None while it is there.

    A `hidden` one follows from another: it is neither told nor over.
    """

    trouble: Trouble
    since: int
    gone: int | None = None
    hidden: bool = False

    def is_ripe(self, now: int) -> bool:
        """Whether it has lasted for long enough to be told."""
        return (
            self.gone is None and not self.hidden and now - self.since >= (SOON if self.trouble.stops_reading else LATE)
        )


@dataclass(frozen=True)
class Notice:
    """What one receiver is still to be told: troubles that began, and sentences, by key, of those that are over."""

    begun: tuple[Trouble, ...] = ()
    over: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.begun or self.over)


NO_NOTICE = Notice()


def troubles(found: Iterable[Problem]) -> dict[str, Trouble]:
    """The problems of a report as troubles, by key: the one place that knows what a problem is."""
    return {
        problem.key: Trouble(
            problem.key,
            problem.sentence,
            problem.remedy,
            problem.kind in STOPS_READING,
            problem.subject if problem.kind == "receiver" else "",
        )
        for problem in found
        if problem.kind != "runner"  # it is the runner that tells
    }


def explained(found: Iterable[Problem]) -> frozenset[str]:
    """The keys of what follows from the problems of a report, and is therefore not reported beside them."""
    return frozenset(key for problem in found for key in problem.explains)


def observe(
    seen: Mapping[str, Lasting], current: Mapping[str, Trouble], now: int, hidden: Container[str] = ()
) -> dict[str, Lasting]:
    """What lasts after another look; of `hidden` troubles nothing is known but that they are not over.

    A clock that was set back makes nothing younger than it is now.
    """
    lasting = {
        key: Lasting(trouble, min(seen[key].since, now) if key in seen else now) for key, trouble in current.items()
    }
    for key, old in seen.items():
        if key not in current and key in hidden:
            lasting[key] = replace(old, gone=None, hidden=True)
            continue
        gone = now if old.gone is None else min(old.gone, now)
        if key not in current and now - gone < SETTLED:
            lasting[key] = replace(old, gone=gone)
    return lasting


def notice(seen: Mapping[str, Lasting], told: Mapping[str, str], now: int, label: str = "") -> Notice:
    """What a receiver, known by its label, is to be told now; `told` holds the sentences it was told and whose end it
    was not.
    """
    begun = tuple(
        lasting.trouble
        for key, lasting in seen.items()
        if key not in told and lasting.is_ripe(now) and not (label and lasting.trouble.receiver == label)
    )
    return Notice(begun, tuple((key, sentence) for key, sentence in told.items() if key not in seen))


def after(told: Mapping[str, str], delivered: Notice) -> dict[str, str]:
    """What a receiver has been told, once a notice has arrived."""
    over = dict(delivered.over)
    still = {key: sentence for key, sentence in told.items() if key not in over}
    return {**still, **{trouble.key: trouble.sentence for trouble in delivered.begun}}


def stopped(seen: Mapping[str, Lasting], now: int) -> bool:
    """Whether something has stopped reading for long enough to raise the alarm."""
    return any(lasting.trouble.stops_reading and lasting.is_ripe(now) for lasting in seen.values())
