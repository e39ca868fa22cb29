"""Which spans of time to ask for: pure subtraction over coverage, in as few windows as the cloud allows."""

from collections.abc import Iterator

from ingest.core.days import local_midnight, zone
from ingest.core.span import Span, Spans, ceil_to, floor_to, intersect, subtract, union
from ingest.core.units import DAY, HOUR
from ingest.enphase.replies import Kind
from ingest.plan import deferrals
from ingest.plan.coverage import covered, edge, owed
from ingest.plan.state import Deferral, Pair
from ingest.plan.work import Classes, Work

DEBT_PATIENCE = DAY
"""How long a debt too small for a full window waits for more to join it."""
TRIED = 3
"""After how many live calls in vain it may be a part of the window that cannot be had."""
ONE_WINDOW = (Kind.BUSY, Kind.GARBLED)
"""What the cloud says where it fails on a window; other refusals are of the stream."""
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
    start = max(served_from(work, now), end - work.route.reach, _good_from(work, now, end))
    window = Span(start, end)
    holes = subtract((window,), covered(work.read, classes.settle))
    if not holes or holes[-1].end < end:
        return None
    first = holes[0].start
    again = intersect(_owed(work, now, classes.look_again, served_from(work, now)), window)
    if again and again[-1].end - again[0].start >= RIDE:
        first = min(first, again[0].start)
    first = max(floor_to(first, step), start)
    return Span(first, end) if first < end else None


def _good_from(work: Work, now: int, end: int) -> int:
    """From when on a live call asks at least: what the cloud refuses is left to history, and where a stream fails
    again and again, or is denied, every other call asks for today alone. It may be an older day that cannot be had.
    """
    refused = max((span.end for span in deferrals.failing(work.deferred) if span.end < end), default=0)
    if not may_be_window(work.pair) or work.pair.fails % 2 == 0:
        return refused
    return max(refused, floor_to(local_midnight(now - HOUR, work.wanted.timezone), work.route.step))


def may_be_window(pair: Pair) -> bool:
    """Whether the live calls of a pair fail so that it may be a part of their window that cannot be had."""
    return pair.state == Kind.DENIED or (pair.state in ONE_WINDOW and pair.fails >= TRIED)


def debts(work: Work, now: int, classes: Classes) -> tuple[Spans, Spans]:
    """What is owed but for what is deferred, and the part of it that is ripe: worth a history call."""
    if not work.route.reach:
        return (), ()
    floor = served_from(work, now)
    owing = {age: spans for age in classes.ages if (spans := _owed(work, now, age, floor))}
    if not owing:
        return (), ()
    resting = union(deferrals.resting(work.deferred, now), deferrals.failing(work.deferred))
    owing = {age: subtract(spans, resting) for age, spans in owing.items()}
    ripe = union(*(_ripe(spans, work, now, age) for age, spans in owing.items()))
    return union(*owing.values()), ripe


def history_windows(work: Work, now: int, classes: Classes) -> Iterator[Span]:
    """The calls that history needs, newest first: as few windows of full reach as cover every ripe debt."""
    owing, ripe = debts(work, now, classes)
    while ripe:
        window = _window(work, owing, ripe)
        yield _fitted(work, window, now)
        ripe, owing = subtract(ripe, (window,)), subtract(owing, (window,))


def history_count(work: Work, now: int, classes: Classes) -> int:
    """How many calls history needs: those of `history_windows`, counted without making them, and what was refused."""
    if work.lacks_devices:
        return 0
    return work.calls * (count_windows(work, *debts(work, now, classes)) + count_refused(work, now, classes))


def refused_debts(work: Work, now: int, classes: Classes) -> list[tuple[Deferral, Spans]]:
    """What was refused and is still owed, with the spans that are."""
    if not work.deferred or not work.route.reach or not any(entry.fails for entry in work.deferred):
        return []
    floor = served_from(work, now)
    owing = union(*(_owed(work, now, age, floor) for age in classes.ages))
    found = [(entry, intersect(owing, entry.span)) for entry in work.deferred if entry.fails]
    return [(entry, spans) for entry, spans in found if spans]


def count_refused(work: Work, now: int, classes: Classes) -> int:
    """How many calls it takes at least to read what was refused. A day that fails alone is not counted while it waits:
    nobody knows whether it can be had.
    """
    if not work.deferred:
        return 0
    local = zone(work.wanted.timezone)
    return sum(
        -(-(spans[-1].end - spans[0].start) // work.route.reach)
        for entry, spans in refused_debts(work, now, classes)
        if entry.until <= now or deferrals.cuts(entry.span, local)
    )


def narrowed(work: Work, now: int, classes: Classes) -> list[Deferral]:
    """What was refused and is still being narrowed down to the day that fails."""
    if not work.deferred:
        return []
    local = zone(work.wanted.timezone)
    return [entry for entry, _ in refused_debts(work, now, classes) if deferrals.cuts(entry.span, local)]


def refused_windows(work: Work, now: int, classes: Classes) -> Iterator[Span]:
    """The calls that come back to what was refused and has waited long enough: what was refused least often first,
    for it may well be good.
    """
    local = zone(work.wanted.timezone)
    for entry, spans in sorted(refused_debts(work, now, classes), key=lambda debt: (debt[0].fails, -debt[0].span.end)):
        if entry.until <= now:
            halves = [(half, owed) for half in deferrals.parts(entry, local) if (owed := intersect(spans, half))]
            windows = [(half, _fitted(work, _hull(work, owed), now, half)) for half, owed in halves]
            whole = _fitted(work, _hull(work, spans), now, entry.span)
            yield next((window for half, window in windows if _is_clean(work, window, half)), whole)


def _hull(work: Work, spans: Spans) -> Span:
    """The newest window that holds as much of some spans as a reply can."""
    end = ceil_to(spans[-1].end, work.route.step)
    return Span(max(floor_to(spans[0].start, work.route.step), end - work.route.reach), end)


def _is_clean(work: Work, window: Span, own: Span) -> bool:
    """Whether a reply to a window holds nothing of what was refused but `own`."""
    length = next((length for length in work.route.lengths if window.length <= length), window.length)
    held = Span(window.start, window.start + length)
    return not intersect(subtract(deferrals.failing(work.deferred), (own,)), held)


def leaving_window(work: Work, oldest: int, newest: Span, now: int) -> Span:
    """The call that begins with the oldest debt, none of which was refused before; `newest` is the newest window."""
    end = min(oldest + work.route.reach, newest.end)
    refused = [span.start for span in deferrals.failing(work.deferred) if oldest < span.start < end]
    return _fitted(work, Span(oldest, min([end, *refused])), now)


def _fitted(work: Work, wanted: Span, now: int, own: Span | None = None) -> Span:
    """A window that can be asked for and holds none of what was refused but `own`: some routes know only the lengths of
    a day and of a week.
    """
    avoid = subtract(deferrals.failing(work.deferred), union((wanted,), (own,) if own else ()))
    length = next((length for length in work.route.lengths if wanted.length <= length), 0)
    if not avoid or not length:
        return wanted
    for start in (wanted.start, wanted.end - length):
        if not intersect(avoid, Span(start, start + length)):
            return Span(start, min(start + length, max(wanted.end, floor_to(now, work.route.step))))
    shorter = work.route.lengths[0]
    newest = Span(max(wanted.start, wanted.end - shorter), wanted.end)
    return wanted if length == shorter else _fitted(work, newest, now, own)


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
    refused = max((span.end for span in deferrals.failing(work.deferred) if span.end <= end), default=0)
    inside = intersect(owing, Span(max(end - reach, refused), end))
    return Span(max(end - reach, floor_to(inside[0].start, step)), end)


def _owed(work: Work, now: int, age: int, floor: int) -> Spans:
    """What a class owes from `floor` on, the oldest instant that is served."""
    limit, until = edge(work.log, now, age), work.wanted.until
    if limit is None:
        return ()
    return owed(work.read, age, floor, floor_to(limit if until is None else min(limit, until), work.route.step))


def _ripe(spans: Spans, work: Work, now: int, age: int) -> Spans:
    """Debts worth a call: older than `DEBT_PATIENCE`, or of a system with nothing more to come: the house was sold, or
    its gateway has been silent for so long that all it ever reported is old enough.
    """
    limit = edge(work.log, now, age)
    if limit is None or (work.until is not None and limit >= work.until):
        return spans
    if work.log.seen and now - age - DEBT_PATIENCE >= work.log.seen[-1]:
        return spans
    return intersect(spans, Span(0, limit - DEBT_PATIENCE))
