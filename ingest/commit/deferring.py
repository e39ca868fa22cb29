"""What the cloud refuses of a stream is asked for later, by itself. Pure."""

from dataclasses import replace
from datetime import UTC

from ingest.commit.changes import Changes
from ingest.commit.context import CommitContext
from ingest.core.backoff import backoff
from ingest.core.span import Span, intersect, subtract, union
from ingest.core.units import DAY, HOUR, MINUTE
from ingest.enphase.replies import Kind
from ingest.fetch.worker import Outcome
from ingest.plan import deferrals
from ingest.plan.state import Deferral, Pair
from ingest.plan.windows import may_be_window

WINDOW_PAUSE = 7 * DAY
"""The longest pause (s) of one window of history that is refused again and again."""
HISTORY_PAUSES = {Kind.BUSY: (MINUTE, DAY), Kind.OK: (HOUR, HOUR)}
"""First pause and the longest (s) of the history of a pair; an hour to a week for what is not listed. `OK` is a window
that some of several devices answered.
"""


def refused(changes: Changes, pair: Pair, outcome: Outcome, now: int) -> Pair:
    """A window of history that was asked for in vain, if only of one device, is stepped over. Only what was never
    refused before says anything of the windows beside it, which wait too.
    """
    window, fails = outcome.task.window, pair.history_fails + 1
    first, longest = HISTORY_PAUSES.get(outcome.verdict.kind, (HOUR, WINDOW_PAUSE))
    later = changes.deferred.get(outcome.task.pair, ())
    is_new = not intersect(deferrals.failing(later), window)
    changes.deferred[outcome.task.pair] = deferrals.refused(
        later,
        window,
        changes.zone(pair.system) or UTC,
        lambda fails: now + backoff(first, WINDOW_PAUSE, fails),
        fails,
        _why(outcome),
    )
    wait = now + backoff(first, longest, fails) if is_new else pair.history_from
    return replace(pair, history_fails=fails, history_from=wait)


def _why(outcome: Outcome) -> str:
    if outcome.verdict.kind is not Kind.OK:
        return outcome.verdict.reason
    return f"{outcome.task.missed} of {len(outcome.task.devices)} devices gave no answer that can be read"


def left_out(changes: Changes, pair: Pair, outcome: Outcome, context: CommitContext) -> None:
    """A live call that asked for less after others had failed, and was answered: what it left out is the trouble."""
    task = outcome.task
    if not may_be_window(pair):
        return
    before = Span(max(context.floor, task.window.end - task.reach), task.window.start)
    later = changes.deferred.get(task.pair, ())
    read = union(changes.settled(*task.pair, context.classes.look_again), deferrals.failing(later))
    if left := subtract((before,) if before.length else (), read):
        fresh = [Deferral(span, context.now + MINUTE, 1, pair.reason) for span in left]
        changes.deferred[task.pair] = tuple(sorted((*later, *fresh), key=lambda entry: entry.span))
