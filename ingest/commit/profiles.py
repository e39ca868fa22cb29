"""What is learned in passing from outcomes: the rhythm of gateways, the hours of light, the meters there are."""

import sqlite3
from dataclasses import replace

from ingest.core.span import Span, intersect
from ingest.enphase.catalogue import PRODUCTION
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Stream
from ingest.fetch.worker import Outcome
from ingest.plan import coverage, rhythm
from ingest.plan.state import EMPTY, NO_METER, NO_POINTS, Pair
from ingest.plan.work import Classes
from ingest.store import archive, progress
from ingest.store import meta as kept


def looked(db: sqlite3.Connection, system: str, now: int, *, news: bool) -> None:
    """The cloud was asked how far it knows a system; `news` says whether that had changed."""
    row = progress.system(db, system)
    if row is not None:
        learned = rhythm.look(row.profile.rhythm, progress.log_of(db, system), now, news=news)
        progress.save_system(db, replace(row, profile=replace(row.profile, rhythm=learned)))


def silence(db: sqlite3.Connection, system: str, now: int, *, news: bool) -> None:
    """Count the live calls in vain while a gateway is silent."""
    row, log = progress.system(db, system), progress.log_of(db, system)
    if row is None:
        return
    quiet = not news and bool(log) and now - log[-1].reported_at > row.profile.rhythm.silent_after
    probes = row.probes + 1 if quiet else 0
    if probes or row.probes:
        progress.save_system(db, replace(row, probes=probes, probed_at=now))


def light(db: sqlite3.Connection, outcome: Outcome, offset: int) -> None:
    """Take in when a system produced; `offset` is that of its zone from UTC (s)."""
    if not any(name in PRODUCTION for name in outcome.task.stream.fields):
        return
    row = progress.system(db, outcome.task.system)
    if row is not None and (profile := row.profile.saw(outcome.points, offset)) is not row.profile:
        progress.save_system(db, replace(row, profile=profile))


def devices(db: sqlite3.Connection, system: str, meters: tuple[str, ...]) -> None:
    """Remember which meters a system has, and what that says of its pairs without a point."""
    row = progress.system(db, system)
    if row is None:
        return
    progress.save_system(db, replace(row, profile=replace(row.profile, meters=meters)))
    for name, stream in BY_NAME.items():
        pair = progress.pair(db, system, name)
        if pair.state in EMPTY:
            progress.save_pair(db, judged(db, replace(pair, state="", reason=""), stream))


def judged(db: sqlite3.Connection, pair: Pair, stream: Stream) -> Pair:
    """A pair just answered: without any point in the archive its meter may not exist."""
    if not (stream.meter and stream.fields) or any(archive.extent(db, name, pair.system) for name in stream.fields):
        return pair
    row = progress.system(db, pair.system)
    meters = row.profile.meters if row else None
    if meters is None:
        reason = f"there is no reading of a {stream.meter} meter yet; the list of devices will say whether there is one"
        return replace(pair, state=NO_POINTS, reason=reason)
    if stream.meter in meters:
        return pair
    reason = f"the cloud lists no {stream.meter} meter for this system; asked again every week"
    return replace(pair, state=NO_METER, reason=reason)


# ── age classes ───────────────────────────────────────────────────────────────────────────────────────


def classes(db: sqlite3.Connection, wanted: Classes, now: int) -> None:
    """What was read counts for an age class that is new in the settings too; else all of it would be bought again.

    Only what is younger than the old class was is owed: cut by the difference, for it was not looked at that late.
    """
    known = [int(age) for age in (kept.read(db, "classes") or "").split()]
    if known == [*wanted.ages]:
        return
    for (system, stream), read in progress.coverage(db).items() if known else ():
        log = progress.log_of(db, system)
        for age in set(wanted.ages) - set(known):
            younger = max((old for old in known if old < age), default=None)
            limit = coverage.edge(log, now, age)
            if younger is None or limit is None:
                continue  # a class of a greater age covers it already
            for span in intersect(coverage.covered(read, younger), Span(0, limit - (age - younger))):
                progress.cover(db, system, stream, age, span)
    kept.write(db, "classes", " ".join(map(str, wanted.ages)))


# ── how long a window the cloud honours ───────────────────────────────────────────────────────────────


def reach(db: sqlite3.Connection, outcome: Outcome, *, answered: bool) -> None:
    """Remember how far a longer window was honoured. An empty answer says nothing; a refusal says that it is not."""
    task = outcome.task
    if task.hopes and (outcome.points or not answered):
        honoured = max(task.stream.route("v4").reach, outcome.answered_end - task.window.start if answered else 0)
        kept.write(db, f"reach.{task.stream.name}", str(min(honoured, task.reach)))
