"""A window that several calls read, page by page or device by device: what was answered once all of it was. Pure."""

from dataclasses import replace

from ingest.core.span import Span
from ingest.core.units import DAY
from ingest.enphase import access
from ingest.enphase.call import Purpose
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams.base import Odd
from ingest.fetch.worker import Outcome
from ingest.plan.state import Pair
from ingest.plan.windows import ONE_WINDOW, TRIED

HAS_NOTHING = (Kind.NOTHING, Kind.OUTSIDE)
"""What the cloud says of a device that has no data in a window."""


def skip_failed_device(outcome: Outcome, pair: Pair, life: Span | None = None) -> Outcome:
    """An outcome of a pair. Where one of several devices cannot be read the others are asked, and it is odd.

    One that is unknown or has nothing there costs itself alone. One that gave no answer that can be read is missed:
    the window is not read then; so is one that has nothing in the midst of its `life`, the time of which it has points.
    Where none of them gave one, the stream is refused.
    """
    task, judged = outcome.task, outcome.verdict
    if len(task.devices) < 2:
        return outcome
    is_unknown = judged.kind is Kind.DENIED and access.is_unknown(judged.reason)
    is_missed = judged.kind is Kind.GARBLED or (judged.kind is Kind.BUSY and outcome.sent and tried(pair, outcome))
    is_missed |= judged.kind is Kind.NOTHING and life is not None and _is_amid(life, outcome)
    if is_missed and task.missed + 1 < len(task.devices):
        task = replace(task, missed=task.missed + 1)
    elif not is_unknown and judged.kind not in HAS_NOTHING:
        return outcome
    odd = [Odd(judged.reason[:120], task.device)]
    return replace(
        outcome,
        task=task,
        verdict=Verdict(Kind.OK),
        odd=odd,
        answered_end=task.window.end,
        cursor=task.next_device,
    )


def _is_amid(life: Span, outcome: Outcome) -> bool:
    """Whether a window of history, read from the newest to the oldest, ends amid a device's life."""
    end = outcome.task.window.end
    return outcome.task.purpose is Purpose.HISTORY and life.start < end + DAY and life.end >= end


def tried(pair: Pair, outcome: Outcome) -> bool:
    """Whether the cloud has failed so often in a row that waiting alone is of no use."""
    return pair.state == outcome.verdict.kind.value and pair.fails + 1 >= TRIED


def answered(outcome: Outcome) -> Span:
    """The span that is read with this outcome: nothing while more calls are to follow for it, or one was in vain."""
    task, end = outcome.task, _end(outcome)
    if outcome.cursor or task.missed:
        return Span(task.window.start, task.window.start)
    return Span(task.window.start, min(end, task.window.end) if task.begun_at else end)


def cursor(outcome: Outcome, now: int) -> str:
    """Where the pair goes on; empty where nothing follows, or the reply ends before the window begins."""
    task, name = outcome.task, outcome.cursor
    if not name or not task.window.length:
        return task.following(name) if name else ""
    end = min(_end(outcome), task.window.end)
    return task.going_on(name, end, now) if end > task.window.start else ""


def _end(outcome: Outcome) -> int:
    """How far a window was answered. One of several devices whose reply ends before it begins has nothing there."""
    window, end = outcome.task.window, outcome.answered_end
    return window.end if len(outcome.task.devices) > 1 and end <= window.start else end


def is_part(outcome: Outcome, cursor: str) -> bool:
    """Whether more calls are to follow for what a call was made for; pages of a list stand each by itself."""
    return bool(cursor and (outcome.task.window.length or outcome.task.devices))


def may_wait(pair: Pair, outcome: Outcome) -> bool:
    """Whether a window of history that the cloud failed on keeps its place: other calls for it were or will be good."""
    is_one_of_several = bool(pair.cursor) or len(outcome.task.devices) > 1
    return outcome.verdict.kind is Kind.BUSY and is_one_of_several and not tried(pair, outcome)


def dropped(before: Pair, pair: Pair, outcome: Outcome) -> Pair:
    """A pair after a call in vain: what will be asked for again as a whole is not gone on with."""
    return replace(pair, cursor="") if pair.cursor and _is_given_up(before, outcome) else pair


def _is_given_up(before: Pair, outcome: Outcome) -> bool:
    task, kind = outcome.task, outcome.verdict.kind
    if kind in HAS_NOTHING:
        return True
    if kind in (Kind.GARBLED, Kind.DENIED) and (task.purpose is Purpose.HISTORY or task.missed):
        return True
    # a list without a window keeps its page: from its first one on it would fail there again, without a longer pause
    is_whole = bool(task.window.length or task.missed)
    return is_whole and kind in ONE_WINDOW and tried(before, outcome)
