"""The gaps of a stream, each with its reason."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ingest.core.days import zone
from ingest.core.span import Span, Spans, floor_to, intersect, subtract, total
from ingest.core.units import DAY, HOUR
from ingest.core.words import days_words, span_words
from ingest.enphase.replies import Kind
from ingest.plan import windows
from ingest.plan.coverage import covered, edge
from ingest.plan.deferrals import cuts
from ingest.plan.state import EMPTY, NO_POINTS, Pair
from ingest.plan.state import NO_METER as ABSENT
from ingest.plan.timetable import Timetable
from ingest.plan.work import Work
from ingest.report.model import Gap, RefusedReport

NIGHT = 12 * HOUR
"""About how long (s) production streams rest."""
LATE_AFTER = 12 * HOUR
"""Seconds without a call after which a pair is late, where no pace says otherwise."""
NOT_DUE = "not yet due: read again until it is settled"
WAITING = "waiting for the gateway"
OUTSIDE = "outside history: the cloud no longer has it"
NO_METER_WORDS = "no such meter"
QUIET = (NOT_DUE, WAITING, OUTSIDE, NO_METER_WORDS)
"""Reasons that need no action."""
QUEUED = ("will be read", "not read yet")
"""Reasons of what is in the queue: nothing is wrong."""


def patience(table: Timetable) -> dict[str, int]:
    """How long a pair of each stream may go unasked before it is late (s): a small plan asks many homes seldom."""
    return {line.stream: NIGHT + 2 * max(line.by_day, line.this_month) for line in table.lines}


def wanted(work: Work, now: int) -> Span:
    """What is wanted of a pair and can still be had."""
    floor = windows.served_from(work, now)
    return Span(floor, max(floor, now if work.until is None else min(now, work.until)))


class PairStanding(NamedTuple):
    """How a pair stands: what is `wanted` of it, up to when that should have been read by now (`due_until`, epoch s),
    and the `holes` in what is wanted: none of a meter that there is not. `owed_s` are the seconds that should have
    been read, `read_s` those of them that were; none of what a system has not.
    """

    wanted: Span
    due_until: int
    holes: Spans
    owed_s: int
    read_s: int

    @property
    def ratio(self) -> float:
        """Share of what is owed that has been read, 0 to 1."""
        return self.read_s / self.owed_s if self.owed_s else 1.0

    @property
    def owing(self) -> Spans:
        """The holes in what should have been read by now."""
        return intersect(self.holes, Span(self.wanted.start, self.due_until))

    @property
    def complete_until(self) -> int:
        """Up to when everything wanted has been read, without a hole (epoch s)."""
        return self.holes[0].start if self.holes else self.wanted.end


Standings = dict[str, list[tuple[Work, PairStanding]]]
"""The pairs of intervals by system, and how each stands."""


def standing(work: Work, settle: int, now: int, patience: Mapping[str, int]) -> PairStanding:
    """How a pair of intervals stands; `patience` is how long one of each stream may go unasked (s)."""
    span = wanted(work, now)
    due_until = _due_until(work, span, settle, now, patience.get(work.stream.name, LATE_AFTER))
    holes = () if work.pair.state == ABSENT else subtract((span,), covered(work.read, settle))
    if work.pair.state in EMPTY:
        return PairStanding(span, due_until, holes, 0, 0)
    length = due_until - span.start
    missing = total(intersect(holes, Span(span.start, due_until)))
    return PairStanding(span, due_until, holes, length, length - missing)


def _due_until(work: Work, span: Span, settle: int, now: int, patience: int) -> int:
    """Up to when data were settled when the pair was last asked: what settled since is read by the next call.

    On the grid on which the cloud is asked; a pair that has not been asked for long is late.
    """
    asked = work.asked_at
    limit = edge(work.log, now if asked is None or now - asked > patience else asked, settle)
    if limit is None:
        return span.start
    return min(max(floor_to(limit, max(work.route.step, work.stream.grain)), span.start), span.end)


def rounded(read: int, length: int, digits: int) -> float:
    """The share that is read; less than 1 while anything is missing."""
    return 1.0 if read >= length else min(round(read / length, digits), 1 - 10**-digits)


def gaps(work: Work, stands: PairStanding, now: int) -> list[Gap]:
    """The spans wanted of a pair that were not read to stay, oldest first, each with its reason."""
    span, limit, holes, *_ = stands
    if work.pair.state == ABSENT:
        return [Gap(*span, NO_METER_WORDS)] if span.length else []
    reported = min(max(work.log.newest or span.start, limit), span.end)
    parts = (
        (Span(span.start, limit), reason_of(work.pair)),
        (Span(limit, reported), NOT_DUE),
        (Span(reported, span.end), WAITING),
    )
    found = [Gap(*hole, why) for part, why in parts for hole in intersect(holes, part)]
    for entry in refused_spans(work, holes, now):
        found = [piece for gap in found for piece in _within(gap, entry, now)]
    if span.start - work.floor >= DAY and work.floor:
        found.insert(0, Gap(work.floor, span.start, OUTSIDE))
    return found


def refused_spans(work: Work, holes: Spans, now: int) -> Sequence[RefusedReport]:
    """What the cloud refused of the spans that are not read, oldest first."""
    if not work.deferred:
        return ()
    local = zone(work.wanted.timezone)
    found = []
    for entry in work.deferred:
        left = intersect(holes, entry.span) if entry.fails else ()
        if left:
            span, is_alone = Span(left[0].start, left[-1].end), not cuts(entry.span, local)
            named = days_words(span, local)
            again_at = max(entry.until, work.history_from, now)
            found.append(RefusedReport(*span, named, entry.reason, entry.fails, again_at, is_alone))
    return found


def _within(gap: Gap, refused: RefusedReport, now: int) -> Iterator[Gap]:
    """A gap cut into what was refused, with the cloud's words, and the rest."""
    span = Span(gap.start, gap.end)
    inside = intersect((span,), Span(refused.start, refused.end))
    parts = [Gap(*part, refused_words(refused, now)) for part in inside]
    parts += [Gap(*part, gap.reason) for part in subtract((span,), inside)]
    yield from sorted(parts, key=lambda part: part.start)


def refused_words(refused: RefusedReport, now: int) -> str:
    """Why a span that was asked for is not there."""
    times = f"{refused.fails} times" if refused.fails > 1 else "once"
    again = f"again in {span_words(refused.again_at - now)}" if refused.again_at > now else "again in its turn"
    return f"never delivered: asked {times} in vain ({refused.reason}), {again}"


def reason_of(pair: Pair) -> str:
    """Why what is owed of a pair has not been read."""
    if pair.state == Kind.DENIED:
        return f"denied: {pair.reason}"
    if pair.state in (NO_POINTS, Kind.NOTHING):
        return f"never delivered: {pair.reason}"
    if pair.state:
        return f"{pair.state.replace('_', ' ')}: {pair.reason}"
    return QUEUED[0] if pair.floor is not None else QUEUED[1]
