"""What could not be read of a reply is remembered until something readable stands in its place. Pure."""

from collections.abc import Collection, Iterable

from ingest.commit.changes import Changes
from ingest.enphase.call import Purpose
from ingest.enphase.streams.base import Odd
from ingest.fetch.worker import Outcome
from ingest.plan.state import OddRow, OddRows

MAX_PER_PAIR = 500
"""How many are remembered of a pair, the newest."""
ANYWHERE = 0
"""The time of what belongs to no known interval."""


def remember(changes: Changes, outcome: Outcome, now: int) -> None:
    """Take in what a reply holds that cannot be read; what is read again is taken off the list.

    What has no time of its own is there or gone as the newest reply says.
    """
    task = outcome.task
    before = changes.odd.get(task.pair, {})
    if not before and not outcome.odd:
        return
    known: dict[tuple[int, str], OddRow] = {}
    for odd in outcome.odd:
        key = (ANYWHERE if odd.time is None else odd.time, odd.reason)
        known[key] = OddRow(odd.reason, odd.sample, before[key].first_at if key in before else now, now)
    remaining = {key: row for key, row in before.items() if key not in known and not _is_answered(outcome, key[0])}
    rows = sorted([*remaining.items(), *known.items()], key=lambda entry: entry[0])[-MAX_PER_PAIR:]
    after: OddRows = dict(rows)
    if after.keys() != before.keys() or task.purpose is not Purpose.LIVE:
        changes.odd[task.pair] = after


def judged_anew(
    changes: Changes, pair: tuple[str, str], found: Iterable[Odd], now: int, reasons: Collection[str]
) -> None:
    """Remember what has turned out to be odd, for one of some reasons, of what was read before; what is odd for them no
    more is taken off the list.
    """
    before = changes.odd.get(pair, {})
    fresh = {(odd.time or ANYWHERE, odd.reason): OddRow(odd.reason, odd.sample, now, now) for odd in found}
    remaining = {key: row for key, row in before.items() if key in fresh or row.reason not in reasons}
    if before or fresh:
        changes.odd[pair] = dict(sorted({**fresh, **remaining}.items())[-MAX_PER_PAIR:])


def _is_answered(outcome: Outcome, time: int) -> bool:
    """Whether a reply says again what stood at a time; one that goes on with a window says nothing of its beginning."""
    if outcome.task.begun_at:
        return False
    if time == ANYWHERE:
        return outcome.task.purpose is not Purpose.HISTORY
    return outcome.task.window.start <= time < outcome.answered_end
