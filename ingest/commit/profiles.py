"""What is learned in passing from outcomes: the rhythm of gateways, the hours of light, the meters there are. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from ingest.commit.changes import Changes
from ingest.core.span import Span
from ingest.core.units import WEEK
from ingest.enphase.catalogue import PRODUCTION
from ingest.enphase.streams import BY_NAME, STREAMS
from ingest.enphase.streams.base import Stream
from ingest.fetch.worker import Outcome
from ingest.plan import coverage, rhythm
from ingest.plan.state import EMPTY, NO_METER, NO_POINTS, Pair

LISTED_LATE = 2 * WEEK
"""How long (s) a device measures at most before it is known: they are listed once a week."""


def learn_rhythm(changes: Changes, system: str, now: int, *, is_new: bool) -> None:
    """The cloud was asked how far it knows a system; `is_new` says whether that had changed."""
    row = changes.systems.get(system)
    if row is not None:
        learned = rhythm.look(row.profile.rhythm, changes.log(system), now, is_new=is_new)
        changes.systems[system] = replace(row, profile=replace(row.profile, rhythm=learned))


def count_probes(changes: Changes, system: str, now: int, *, is_new: bool) -> None:
    """Count the live calls in vain while a gateway is silent."""
    row, log = changes.systems.get(system), changes.log(system)
    if row is None:
        return
    quiet = not is_new and bool(log) and now - log[-1].reported_at > row.profile.rhythm.silent_after
    probes = row.probes + 1 if quiet else 0
    if probes or row.probes:
        changes.systems[system] = replace(row, probes=probes, probed_at=now)


def learn_daylight(changes: Changes, outcome: Outcome, offset: int) -> None:
    """Take in when a system produced; `offset` is that of its zone from UTC (s)."""
    if not any(name in PRODUCTION for name in outcome.task.stream.fields):
        return
    row = changes.systems.get(outcome.task.system)
    if row is not None and (profile := row.profile.saw(outcome.tables, offset)) is not row.profile:
        changes.systems[row.system] = replace(row, profile=profile)


def devices(changes: Changes, system: str, meters: tuple[str, ...]) -> None:
    """Remember which meters a system has, and what that says of its pairs without a point."""
    row = changes.systems.get(system)
    if row is None:
        return
    changes.systems[system] = replace(row, profile=replace(row.profile, meters=meters))
    for name, stream in BY_NAME.items():
        pair = changes.pair(system, name)
        if pair.state in EMPTY:
            changes.pairs[system, name] = explain_no_points(changes, replace(pair, state="", reason=""), stream)


def serials(changes: Changes, system: str, found: Mapping[str, tuple[str, ...]], now: int) -> None:
    """Remember the devices that are asked one by one. What a new one measured before it was listed is owed."""
    row = changes.systems.get(system)
    if row is None or not found:
        return
    changes.systems[system] = replace(row, profile=replace(row.profile, serials={**row.profile.serials, **found}))
    for stream in STREAMS:
        kind, key = stream.v4.asks_each, (system, stream.name)
        before = row.profile.serials.get(kind, ())
        if before and key in changes.coverage and not set(found.get(kind, ())) <= set(before):
            changes.coverage[key] = coverage.uncover(changes.coverage[key], Span(now - LISTED_LATE, now))


def explain_no_points(changes: Changes, pair: Pair, stream: Stream) -> Pair:
    """A pair just answered: without any point in the archive its meter may not exist."""
    is_listed = bool(stream.v4.asks_each)  # what is asked one by one is there
    if not (stream.meter and stream.fields) or is_listed or changes.has_points(pair.system, tuple(stream.fields)):
        return pair
    row = changes.systems.get(pair.system)
    meters = row.profile.meters if row else None
    if meters is None:
        reason = f"there is no reading of a {stream.meter} meter yet; the list of devices will say whether there is one"
        return replace(pair, state=NO_POINTS, reason=reason)
    if stream.meter in meters:
        return pair
    reason = f"the cloud lists no {stream.meter} meter for this system; asked again every week"
    return replace(pair, state=NO_METER, reason=reason)


def reach(changes: Changes, outcome: Outcome, *, answered: bool) -> None:
    """Remember how far a longer window was honoured, once two replies say the same.

    An empty answer says nothing, nor does one whose start the cloud moved; a refusal says that it is not honoured.
    """
    task = outcome.task
    if not task.is_trial or outcome.is_moved or (answered and not outcome.points):
        return
    stream = task.stream.name
    honoured = max(task.stream.route("v4").reach, outcome.answered_end - task.window.start if answered else 0)
    honoured = min(honoured, task.reach)
    if changes.trials.get(stream) == honoured:
        changes.reaches[stream] = honoured
    changes.trials[stream] = honoured
