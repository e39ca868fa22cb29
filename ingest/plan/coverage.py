"""Coverage: what has been read, what is still owed, and how far a reply is final.

An *age class* is an age in seconds (`settle`, `look_again`). Time is covered for a class when it was read after the
cloud had known it for that long; so a young interval is read again, an old one never.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, overload

from ingest.core.span import NONE, Span, Spans, add, holds, subtract, union


class Advance(NamedTuple):
    """At `seen_at` we first saw that the gateway had reported up to `reported_at`."""

    seen_at: int
    reported_at: int


class Log(Sequence[Advance]):
    """The reports of a gateway, oldest first: two columns of numbers, for there are hundreds of each of thousands."""

    __slots__ = ("reported", "seen")

    def __init__(self, entries: Iterable[tuple[int, int]] = ()) -> None:
        listed = [*entries]
        self.seen, self.reported = array("q", [seen for seen, _ in listed]), array("q", [at for _, at in listed])

    @classmethod
    def of_columns(cls, seen: Iterable[int], reported: Iterable[int]) -> "Log":
        """One of its columns."""
        made = cls()
        made.seen, made.reported = array("q", seen), array("q", reported)
        return made

    @property
    def newest(self) -> int | None:
        """The newest report (epoch s), None before the first."""
        return self.reported[-1] if self.reported else None

    def followed_by(self, entry: Advance, first: int = 0) -> "Log":
        """The entries from the number `first` on, and one more."""
        return Log.of_columns([*self.seen[first:], entry.seen_at], [*self.reported[first:], entry.reported_at])

    def __len__(self) -> int:
        return len(self.seen)

    @overload
    def __getitem__(self, index: int) -> Advance: ...
    @overload
    def __getitem__(self, index: slice) -> "Log": ...
    def __getitem__(self, index: int | slice) -> "Advance | Log":
        if isinstance(index, slice):
            return Log.of_columns(self.seen[index], self.reported[index])
        return Advance(self.seen[index], self.reported[index])

    def __iter__(self) -> Iterator[Advance]:
        return map(Advance, self.seen, self.reported)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    def __hash__(self) -> int:
        return hash((*self,))


NO_LOG = Log()
Covered = Mapping[int, Spans]
"""Spans read, by the age class (seconds) they were read for."""


def known(log: Log, at: int) -> int | None:
    """How far the cloud knew the system at the moment `at`: the newest report seen by then; None without any.

    Before we looked for the first time the gateway is taken to have reported as it went, up to what we saw first.
    """
    if not log.seen:
        return None
    index = bisect_right(log.seen, at)
    return log.reported[index - 1] if index else min(at, log.reported[0])


def edge(log: Log, now: int, age: int) -> int | None:
    """The newest instant that the cloud has known for `age` seconds; None while nothing is known."""
    then = known(log, now - age)
    return None if then is None else min(now - age, then)


def trusted(log: Log, now: int, age: int, window: Span) -> Span:
    """The part of an answered window that is final for an age class; may be empty."""
    limit = edge(log, now, age)
    return Span(window.start, window.start if limit is None else min(window.end, limit))


def covered(read: Covered, age: int) -> Spans:
    """The time read for this age or an older one."""
    found = NONE
    for cls, spans in read.items():
        if cls >= age and spans:
            is_held = found and holds(found, Span(spans[0].start, spans[-1].end))  # as a rule, the younger being first
            found = found if is_held else union(found, spans) if found else spans
    return found


def owed(read: Covered, age: int, floor: int, limit: int | None) -> Spans:
    """What a class still owes in `(floor, limit]`."""
    if limit is None or limit <= floor:
        return NONE
    for cls, spans in read.items():  # as a rule all was read; a fleet has tens of thousands of pairs
        if cls >= age and holds(spans, Span(floor, limit)):
            return NONE
    return subtract((Span(floor, limit),), covered(read, age))


def cover(read: Covered, age: int, span: Span) -> Covered:
    """The same, with a span added to what was read for an age class."""
    return {**read, age: add(read.get(age, ()), span)} if span.length else read


def uncover(read: Covered, span: Span) -> Covered:
    """The same without a span, for every age class: the planner reads it again."""
    return {age: subtract(spans, (span,)) for age, spans in read.items()}


def uncover_class(read: Covered, age: int, spans: Spans) -> Covered:
    """The same without some spans for an age class and every older one; what was read for a younger one stays."""
    return {cls: subtract(held, spans) if cls >= age else held for cls, held in read.items()} if spans else read


def advanced(log: Log, seen: Advance, keep: int) -> Log:
    """A log with one more report where that is news, else the same; what is older than `keep` s is folded into one."""
    if log and seen.reported_at <= log.reported[-1]:
        return log
    return log.followed_by(seen, max(0, bisect_right(log.seen, seen.seen_at - keep) - 1))
