"""A window that several calls read, page by page or device by device: what was answered once all of it was. Pure."""

from dataclasses import replace

from ingest.core.span import Span
from ingest.enphase import access
from ingest.enphase.call import Purpose
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams.base import Odd
from ingest.fetch.worker import Outcome
from ingest.plan.state import Pair

OF_ONE = (Kind.GARBLED, Kind.NOTHING, Kind.OUTSIDE)
"""What the cloud may say of one device while it answers for others."""


def passed_over(outcome: Outcome) -> Outcome:
    """An outcome. A device that cannot be read costs itself alone where there are others: it is odd, they are asked."""
    task, judged = outcome.task, outcome.verdict
    is_its_own = judged.kind in OF_ONE or (judged.kind is Kind.DENIED and access.is_unknown(judged.reason))
    if len(task.devices) < 2 or not is_its_own:
        return outcome
    odd = [Odd(judged.reason[:120], task.device)]
    return replace(outcome, verdict=Verdict(Kind.OK), odd=odd, answered_end=task.window.end, cursor=task.next_device)


def answered(outcome: Outcome) -> Span:
    """The span that is read with this outcome: nothing while more calls are to follow for it."""
    window, end = outcome.task.window, outcome.answered_end
    if outcome.cursor:
        return Span(window.start, window.start)
    return Span(window.start, min(end, window.end) if outcome.task.begun_at else end)


def cursor(outcome: Outcome, now: int) -> str:
    """Where the pair goes on; empty where nothing follows, or the reply ends before the window begins."""
    task, name = outcome.task, outcome.cursor
    if not name or not task.window.length:
        return task.following(name) if name else ""
    end = min(outcome.answered_end, task.window.end)
    return task.going_on(name, end, now) if end > task.window.start else ""


def dropped(pair: Pair, outcome: Outcome) -> Pair:
    """A pair after a call in vain: what will be asked for again as a whole is not gone on with."""
    kind, is_past = outcome.verdict.kind, outcome.task.purpose is Purpose.HISTORY
    given_up = (Kind.NOTHING, Kind.OUTSIDE) + ((Kind.GARBLED, Kind.BUSY) if is_past else ())
    return replace(pair, cursor="") if pair.cursor and kind in given_up else pair
