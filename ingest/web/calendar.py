"""How completely each local day of a stream has been read, as squares in a calendar."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from ingest.core.days import LocalDay, date_at, days_between, zone
from ingest.core.span import Span, Spans, intersect, subtract, total
from ingest.core.units import DAY
from ingest.core.words import local_words, span_words
from ingest.enphase.catalogue import SERIES
from ingest.plan import state
from ingest.plan.coverage import covered
from ingest.plan.inventory import Inventory
from ingest.plan.work import Work
from ingest.report.gaps import (
    NO_METER_WORDS,
    NOT_DUE,
    QUEUED,
    WAITING,
    reason_of,
    refused_spans,
    refused_words,
    standing,
    wanted,
)
from ingest.report.model import DifferenceReport

CELL = 13
TOP = 16
SHORT = 13
"""Weeks that are shown unless more are asked for."""
ABSENT = {state.NO_METER: NO_METER_WORDS, state.NO_POINTS: "never had a value"}
"""What is said of a stream that the system has not, or not yet, by the state of its pair."""
WEEKS = {13: "3 months", 26: "6 months", 53: "1 year", 106: "2 years"}


class Cell(NamedTuple):
    """One day: where it stands, what it is (a class of the style sheet), and why."""

    x: int
    y: int
    kind: str
    why: str
    day: str


class Month(NamedTuple):
    """The name of a month above its first week."""

    x: int
    name: str


class Stretch(NamedTuple):
    """The newest time without a hole, in epoch s; `day` is the local day (ISO) with which it begins, empty where it
    begins within one.
    """

    start: int
    end: int
    day: str


class Calendar(NamedTuple):
    """One stream, newest week last; `whole` is None where nothing of it was read to stay."""

    stream: str
    width: int
    height: int
    cells: list[Cell]
    months: list[Month]
    summary: str
    whole: Stretch | None


def enough(works: list[Work], now: int) -> int:
    """The fewest weeks that show everything wanted, two years at most."""
    oldest = min((wanted(work, now).start for work in works), default=now)
    return next((weeks for weeks in WEEKS if now - oldest < (weeks - 1) * 7 * DAY), 106)


def calendar(
    inventory: Inventory, work: Work, now: int, weeks: int, differences: Sequence[DifferenceReport]
) -> Calendar:
    """The last weeks of a stream; `differences` are those of its system."""
    row = inventory.systems.get(work.system)
    timezone = row.timezone if row else ""
    local = zone(timezone)
    last = date_at(now, local)
    first = last - timedelta(days=last.weekday() + 7 * (weeks - 1))
    judge = _Judge(
        inventory,
        work,
        now,
        timezone,
        {difference.day: difference for difference in differences if _concerns(difference, work)},
    )
    days = list(days_between(first, (last - first).days + 1, local))
    cells = [Cell(*_place(index), *judge.kind(day), day.date.isoformat()) for index, day in enumerate(days)]
    count = sum(cell.kind == "complete" for cell in cells)
    summary = f"{work.stream.name}: {count} of the last {len(cells)} days are complete"
    whole = _whole(judge.read, timezone)
    return Calendar(work.stream.name, weeks * CELL, TOP + 7 * CELL, cells, list(_months(days)), summary, whole)


def _whole(read: Spans, timezone: str) -> Stretch | None:
    """The newest of the read spans."""
    if not read:
        return None
    day, _, time = local_words(read[-1].start, timezone).partition(" ")
    return Stretch(*read[-1], day if time == "00:00" else "")


def _concerns(found: DifferenceReport, work: Work) -> bool:
    return found.series in SERIES and SERIES[found.series].stream == work.stream.name


def _place(index: int) -> tuple[int, int]:
    return index // 7 * CELL, TOP + index % 7 * CELL


def _months(days: list[LocalDay]) -> Iterator[Month]:
    seen: date | None = None
    for index in range(0, len(days), 7):
        day = days[index].date
        if (seen is None and day.day < 22) or (seen is not None and day.month != seen.month):
            yield Month(index // 7 * CELL, f"{day:%b}")
            seen = day
        elif seen is None:
            seen = day


class _Judge:
    """What each day of a stream is, and why."""

    def __init__(
        self, inventory: Inventory, work: Work, now: int, timezone: str, differences: dict[str, DifferenceReport]
    ) -> None:
        settle = inventory.settings.settle
        stands = standing(work, settle, now, inventory.patience)
        self.span, self.due_until = stands.wanted, stands.due_until
        self.read: Spans = intersect(covered(work.read, settle), self.span)
        known = inventory.state
        read = covered(known.coverage.get(work.key, {}), settle)
        self.skipped = subtract(known.unwanted.get(work.key, ()), read)
        self.reported = work.log[-1].reported_at if work.log else 0
        self.absent = ABSENT.get(work.pair.state, "")
        self.is_asked = bool(work.log) or work.pair.asked_at is not None or bool(work.pair.state)
        self.why = reason_of(work.pair)
        self.refused = refused_spans(work, stands.owing, now)
        self.timezone, self.now, self.differences = timezone, now, differences
        self._from = 0

    def kind(self, day: LocalDay) -> tuple[str, str]:
        """The class of a day and one sentence."""
        kind, why = self._kind(day)
        return kind, f"{day.date:%a} {day.date.day} {day.date:%b %Y}: {why}"

    def _kind(self, day: LocalDay) -> tuple[str, str]:
        span = Span(max(day.start, self.span.start), min(day.end, self.span.end))
        if outside := self._outside(span):
            return "outside", outside
        read = total(self._within(span))
        found = self.differences.get(day.date.isoformat())
        if found:
            return "partial", (
                f"never delivered: the intervals add up to {found.held_wh:,.0f} Wh, the cloud's own total is "
                f"{found.vendor_wh:,.0f} Wh; read again in vain"
            )
        if read >= span.length and day.end <= self.span.end:
            return "complete", "complete"
        due = max(0, min(span.end, self.due_until) - span.start)
        if read >= due or not self.is_asked:
            return self._not_due(day)
        why = next(
            (
                refused_words(refused, self.now)
                for refused in self.refused
                if refused.start < span.end and refused.end > span.start
            ),
            self.why,
        )
        if read:
            return "partial", f"{span_words(read)} of {span_words(due)} read; {why}"
        return ("queued" if why in QUEUED else "missing"), why

    def _outside(self, span: Span) -> str:
        """Why nobody waits for the wanted part of a day; empty where somebody does."""
        if self.absent:
            return self.absent
        if span.length <= 0:
            return f"not included: available and wanted from {local_words(self.span.start, self.timezone)[:10]} on"
        if total(intersect(self.skipped, span)) == span.length:
            return "not included: history was requested only before and after it"
        return ""

    def _not_due(self, day: LocalDay) -> tuple[str, str]:
        if not self.is_asked:
            return "queued", "not asked yet"
        return "waiting", self._waits(day)

    def _waits(self, day: LocalDay) -> str:
        if self.reported >= min(day.end, self.now - DAY // 24):
            return NOT_DUE
        if not self.reported:
            return WAITING
        return f"{WAITING}, which last reported at {local_words(self.reported, self.timezone)}"

    def _within(self, span: Span) -> Spans:
        """The read spans inside a day; days come in order, so what lies behind is not looked at again."""
        while self._from < len(self.read) and self.read[self._from].end <= span.start:
            self._from += 1
        return intersect(self.read[self._from : self._from + 200], span)
