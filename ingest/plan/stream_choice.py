"""Which streams a system gets whose owner names none: what its devices have, and what the plan carries. Pure.

Nothing that is added makes production and consumption staler than the streams that are read by default. Where the plan
is too small for all, those which say the same as a meter are read once a day, and others in the room that this leaves.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil

from ingest.core.units import DAY, HOUR, WEEK, YEAR
from ingest.core.words import span_words
from ingest.enphase import access, catalogue
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Auto, Scope, Stream
from ingest.plan import pacing
from ingest.plan.budget import Rules
from ingest.plan.pacing import Factors, Group

LIT = 14 * HOUR
"""A day in which a production stream is awake, wherever the system is: a choice must not change with the season."""
DAYS_PER_MONTH = YEAR / DAY / 12
ASSUMED_KINDS = ("consumption", "micro", "production")
"""What a system is taken to have until its devices are known."""
OFF = "off by default"
AUTO = ("auto",)
"""In place of the names of streams: the program chooses."""

Kinds = tuple[str, ...]
"""The kinds of device of a system that measure, in order of the alphabet."""
Cadences = dict[str, int]
"""How often each stream is asked (s), by name."""


@dataclass(frozen=True)
class StreamChoice:
    """A stream that is in or out, and why. `every` is how often it is asked (s), `calls` what it costs or would cost,
    in calls a month for all systems that have the device.
    """

    stream: str
    is_in: bool
    reason: str
    every: int
    calls: float


@dataclass(frozen=True)
class SystemsByKind:
    """The systems to choose for, counted by their kinds of device; `others` are the pairs that are asked besides.
    `every` is how often the owner wants each stream (s), `looks` the calls that one look takes on average, of streams
    that take several.
    """

    counts: Mapping[Kinds, int]
    rules: Rules
    every: Mapping[str, int]
    version: str = "v4"
    others: Mapping[Group, int] = field(default_factory=dict)
    looks: Mapping[str, float] = field(default_factory=dict)

    def cadence(self, name: str, kinds: Kinds, cadences: Cadences) -> int:
        """How often a stream is asked of a system; what a meter measures too is slowed only where there is one."""
        stream = BY_NAME[name]
        is_told_twice = stream in catalogue.PRODUCERS and not stream.meter
        return cadences[name] if "production" in kinds or not is_told_twice else self.every[name]

    def factors(self, cadences: Cadences) -> Factors:
        """How far live polling must be thinned out with some streams."""
        groups, again = Counter(self.others), 0.0
        for kinds, many in self.counts.items():
            for name, group, looks in self._pairs(kinds, cadences):
                if name in cadences:
                    groups[group] += ceil(many * self.looks.get(name, 1.0))
                    again += many * looks * self.looks.get(name, 1.0)
        per_day = self.rules.plan.per_month * (1 - self.rules.reserve) / DAYS_PER_MONTH - self.rules.renewals - again
        return pacing.fit(groups, max(1e-6, min(per_day, pacing.per_day(self.rules.plan))))

    def calls(self, names: Cadences, factors: Factors) -> float:
        """Calls a month that some streams take of all systems."""
        pairs = ((many, pair) for kinds, many in self.counts.items() for pair in self._pairs(kinds, names))
        return DAYS_PER_MONTH * sum(
            many * self.looks.get(name, 1.0) * (group.calls(factors) + again) for many, (name, group, again) in pairs
        )

    def _pairs(self, kinds: Kinds, cadences: Cadences) -> Iterator[tuple[str, Group, float]]:
        """The streams that a system with some devices has: name, price class, and second looks a day."""
        for name in cadences:
            stream = BY_NAME[name]
            if not stream.meter or stream.meter in kinds:
                group = Group(self.cadence(name, kinds, cadences), 0, LIT if stream in catalogue.PRODUCERS else DAY)
                yield name, group, self._looks(stream, group)

    def _looks(self, stream: Stream, group: Group) -> float:
        """Second looks a day. What is asked once a day is asked for a week at once, which the grid's series honour."""
        route = stream.route(self.version)
        reach = (
            route.trial_reach
            if route.trial_reach and group.is_slow and stream not in catalogue.PRODUCERS
            else route.reach
        )
        return DAY / reach if 0 < reach <= DAY else 0.0


@dataclass(frozen=True)
class Chosen:
    """Of all streams that an owner may name (`served`) those that are in, and how often they are asked (s), with their
    daily totals. `explain` says of each why it is in or out.
    """

    served: Sequence[str] = ()
    cadences: Mapping[str, int] = field(default_factory=dict)
    explain: Callable[[str], StreamChoice] | None = None

    @cached_property
    def choices(self) -> Mapping[str, StreamChoice]:
        """Every stream, in or out: made when somebody looks, for that takes longer than the choice."""
        return {name: self.explain(name) for name in self.served} if self.explain else {}

    def is_alike(self, other: "Chosen") -> bool:
        """Whether every system gets the same by another choice."""
        return self.served == other.served and self.cadences == other.cadences

    def streams(self, kinds: Kinds | None) -> tuple[str, ...]:
        """The streams of a system with some devices; what is read by default while these are not known."""
        if kinds is None:
            return tuple(name for name in catalogue.DEFAULTS if name in self.served)
        names = (name for name in self.served if name in self.cadences)
        return tuple(name for name in names if not BY_NAME[name].meter or BY_NAME[name].meter in kinds)

    def slow(self, kinds: Kinds | None) -> Mapping[str, int]:
        """How often each stream is asked of it at most (s), where that is less often than the owner wants."""
        twice = {stream.name for stream in catalogue.PRODUCERS if not stream.meter}
        is_metered = kinds is not None and "production" in kinds
        return {name: every for name, every in self.cadences.items() if is_metered or name not in twice}


def choose(systems: SystemsByKind) -> Chosen:
    """What the systems get."""
    served = [name for name in catalogue.CHOICES if BY_NAME[name].is_served(systems.version)]
    base = {name: systems.every[name] for name in catalogue.DEFAULTS if name in served}
    base |= _totals(systems, [*base], DAY)
    bar = systems.factors(base)
    cadences = dict(base)
    if bar.stretch > 1:
        slowed = {stream.name: DAY for stream in catalogue.PRODUCERS if not stream.meter and stream.name in base}
        cadences |= slowed if systems.factors(base | slowed).slow <= DAY else {}
    wanted = [name for name in served if name not in base and not _why_not(systems, BY_NAME[name])]
    added = [name for name in wanted if _add(systems, name, cadences, bar)]
    if not added:
        cadences = dict(base)
    for name in added:
        _raise(systems, _totals(systems, [name], DAY), cadences, bar)
    for name in added:
        _raise(systems, {name: systems.every[name]}, cadences, bar)
    return Chosen(served, cadences, lambda name: _choice(systems, name, cadences, bar))


def _totals(systems: SystemsByKind, names: list[str], every: int) -> Cadences:
    """The daily totals that belong to some streams."""
    found = (stream for stream in catalogue.totals_of(names) if stream.is_served(systems.version))
    return {stream.name: max(every, systems.every[stream.name]) for stream in found}


def _add(systems: SystemsByKind, name: str, cadences: Cadences, bar: Factors) -> bool:
    """Take a stream in, once a day, if it fits; its daily totals once a week."""
    totals = {total: every for total, every in _totals(systems, [name], WEEK).items() if total not in cadences}
    return _raise(systems, {name: max(DAY, systems.every[name]), **totals}, cadences, bar)


def _raise(systems: SystemsByKind, more: Cadences, cadences: Cadences, bar: Factors) -> bool:
    """Ask streams as often as that, if production and consumption stay as fresh."""
    found = systems.factors(cadences | more)
    fits = found.stretch <= bar.stretch * (1 + 1e-9) and found.slow <= DAY
    if fits:
        cadences.update(more)
    return fits


def _why_not(systems: SystemsByKind, stream: Stream) -> str:
    """Why a stream is not even tried; empty where it is."""
    plan = plan_name(systems.rules)
    if plan not in access.GROUPS.get(stream.group, access.EVERY_PLAN):
        return f'the plan {plan} has no access control "{stream.group}"'
    if stream.auto is Auto.NEVER:
        return OFF
    if stream.auto is Auto.PAID and plan == access.EVERY_PLAN[0]:
        return f"{OFF} on the plan {plan}"
    if stream.meter and not any(stream.meter in kinds for kinds in systems.counts):
        return f"no {_device(stream.meter)}"
    return ""


def _device(meter: str) -> str:
    return {"battery": "battery", "micro": "microinverter"}.get(meter, f"{meter.replace('_', ' ')} meter")


def _choice(systems: SystemsByKind, name: str, cadences: Cadences, bar: Factors) -> StreamChoice:
    stream, factors = BY_NAME[name], systems.factors(cadences)
    every = cadences.get(name, max(DAY, systems.every[name]))
    own = {name: every, **{total: cadences.get(total, WEEK) for total in _totals(systems, [name], WEEK)}}
    why = _why_not(systems, stream)
    priced = own | {name: systems.every[name]} if why.startswith(OFF) else own  # it comes when its owner names it
    calls = systems.calls(
        {choice: priced[choice] for choice in priced if choice == name or name not in catalogue.DEFAULTS}, factors
    )
    if name not in cadences:
        why = why or _staler(systems, {**cadences, **own}, bar)
        return StreamChoice(name, is_in=False, reason=why, every=every, calls=calls)
    if every > systems.every[name]:
        why = "once a day, in the room that the plan leaves"
        why = "once a day: the production meter says the same" if name in catalogue.DEFAULTS else why
    else:
        why = "by default" if name in catalogue.DEFAULTS else "the plan carries it"
    return StreamChoice(name, is_in=True, reason=why, every=every, calls=calls)


def _staler(systems: SystemsByKind, cadences: Cadences, bar: Factors) -> str:
    fastest = min(systems.every[name] for name in catalogue.DEFAULTS)
    with_it = systems.factors(cadences)
    if with_it.slow > DAY:
        return "the plan is too small: daily totals would come once a week"
    now, then = (span_words(int(fastest * factors.stretch)) for factors in (bar, with_it))
    return f"production and consumption would be read every {then} instead of every {now}"


def plan_name(rules: Rules) -> str:
    """The plan of the portal by the calls that it admits a minute."""
    names = zip((50, 100, 300, 2**31), access.EVERY_PLAN, strict=True)
    return next(name for below, name in names if rules.plan.per_minute < below)


def always_asked(scope: Scope, count: int) -> Counter[Group]:
    """What is asked of a number of systems or accounts, whatever they have."""
    return Counter({Group(stream.every): count for stream in catalogue.of_scope(scope)})
