"""Which spans of time to ask for: pure subtraction over coverage, in as few windows as the cloud allows."""

from collections.abc import Iterator

from ingest.core.span import Span, Spans, ceil_to, floor_to, intersect, subtract, total, union
from ingest.core.units import DAY, HOUR
from ingest.plan import deferrals
from ingest.plan.coverage import covered, edge, owed
from ingest.plan.work import Classes, Work

DEBT_PATIENCE = DAY
"""How long a debt too small for a full window waits for more to join it."""
RIDE = 12 * HOUR
"""A second look of this length makes a live call reach back for it."""


def served_from(work: Work, now: int) -> int:
    """The oldest instant that is wanted and that the cloud still serves; an hour of its end is left alone."""
    oldest = now - work.route.history + HOUR if work.route.history else 0
    return ceil_to(max(work.floor, oldest), work.route.step)


def live_window(work: Work, now: int, classes: Classes) -> Span | None:
    """From the oldest unsettled instant within reach to now; None when there is nothing to ask."""
    if work.until is not None and work.until <= now:
        return None
    step = work.route.step
    end = floor_to(now, step)
    start = max(served_from(work, now), end - work.route.reach)
    window = Span(start, end)
    holes = subtract((window,), covered(work.read, classes.settle))
    if not holes or holes[-1].end < end:
        return None
    first = holes[0].start
    again = intersect(_owed(work, now, classes.look_again), window)
    if again and again[-1].end - again[0].start >= RIDE:
        first = min(first, again[0].start)
    first = max(floor_to(first, step), start)
    return Span(first, end) if first < end else None


def debts(work: Work, now: int, classes: Classes) -> tuple[Spans, Spans]:
    """Everything owed, and the part of it that is ripe: worth a history call."""
    if not work.route.reach:
        return (), ()
    resting = deferrals.resting(work.deferred, now)
    owing = {age: subtract(_owed(work, now, age), resting) for age in classes.ages}
    ripe = union(*(_ripe(spans, work, now, age) for age, spans in owing.items()))
    return union(*owing.values()), ripe


def history_windows(work: Work, now: int, classes: Classes) -> Iterator[Span]:
    """The calls that history needs, newest first: as few windows of full reach as cover every ripe debt."""
    owing, ripe = debts(work, now, classes)
    while ripe:
        window = _window(work, owing, ripe)
        yield window
        ripe, owing = subtract(ripe, (window,)), subtract(owing, (window,))


def history_count(work: Work, now: int, classes: Classes) -> int:
    """How many calls `history_windows` holds, counted without making them one by one."""
    return count_windows(work, *debts(work, now, classes))


def count_windows(work: Work, owing: Spans, ripe: Spans) -> int:
    """How many calls cover the ripe part of what is owed."""
    count = 0
    while ripe:
        window = _window(work, owing, ripe)
        count += 1
        if ripe[-1].start <= window.start - work.route.reach:
            full = (window.start - ripe[-1].start) // work.route.reach
            count += full
            window = Span(window.start - full * work.route.reach, window.end)
        ripe, owing = subtract(ripe, (window,)), subtract(owing, (window,))
    return count


def _window(work: Work, owing: Spans, ripe: Spans) -> Span:
    """The next window back from the newest ripe debt. Newer debts that are not ripe yet ride along.

    One window that holds all that is ripe reaches as far on as it can; else it ends where the debts end, so that what
    is read is in one piece.
    """
    step, reach = work.route.step, work.route.reach
    component = next(span for span in reversed(owing) if span.start < ripe[-1].end)
    end, newest = ceil_to(ripe[-1].end, step), ceil_to(component.end, step)
    oldest = intersect(ripe, Span(component.start, end))[0].start
    if end - oldest <= reach:
        oldest = intersect(ripe, Span(end - reach, end))[0].start
        end = max(end, min(newest, floor_to(oldest, step) + reach))
    elif newest - reach < ripe[-1].end:
        end = newest
    inside = intersect(owing, Span(end - reach, end))
    return Span(max(end - reach, floor_to(inside[0].start, step)), end)


def _owed(work: Work, now: int, age: int) -> Spans:
    limit = edge(work.log, now, age)
    if limit is not None and work.until is not None:
        limit = min(limit, work.until)
    floor = served_from(work, now)
    return owed(work.read, age, floor, None if limit is None else floor_to(limit, work.route.step))


def _ripe(spans: Spans, work: Work, now: int, age: int) -> Spans:
    """Debts worth a call: older than `DEBT_PATIENCE`, or of a system with nothing more to come: the house was sold, or
    its gateway has been silent for so long that all it ever reported is old enough.
    """
    limit = edge(work.log, now, age)
    if limit is None or (work.until is not None and limit >= work.until):
        return spans
    if work.log and now - age - DEBT_PATIENCE >= work.log[-1].seen_at:
        return spans
    return intersect(spans, Span(0, limit - DEBT_PATIENCE))


def complete_until(work: Work, age: int, now: int) -> int:
    """Up to when everything wanted has been read for an age class, without a hole."""
    holes = subtract((Span(served_from(work, now), now),), covered(work.read, age))
    return holes[0].start if holes else now


def ratio(work: Work, age: int, now: int) -> float:
    """Share of what is owed that has been read, 0 to 1."""
    limit = edge(work.log, now, age)
    if limit is None or limit <= served_from(work, now):
        return 1.0
    wanted = Span(served_from(work, now), limit)
    return 1 - total(owed(work.read, age, wanted.start, wanted.end)) / wanted.length
