"""The checks of the databases: they answer, take points, can be read back, and keep what they are given."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

from ingest.config import Settings, SinkEntry
from ingest.core.errors import ConfigError, IngestError, SinkDown
from ingest.core.words import many
from ingest.deliver.proof import NOT_SAID
from ingest.deliver.sink import LastingSink, Sink, Target
from ingest.plan.inventory import Inventory
from ingest.report import Problem
from ingest.report.departed import day, departed
from ingest.report.problems import not_kept
from ingest.service.build import target_of
from ingest.service.check import BAD, OK, WARN, Check
from ingest.service.leaving import waiting
from ingest.store import departures, outbox, snapshot
from ingest.store.database import Store

NOT_LASTING = "Let it keep points for ever, or see that another database has what is older"


def sink_checks(
    sinks: Mapping[str, SinkEntry],
    store: Store | None,
    opener: Callable[[Target], Sink],
    known: Mapping[str, Problem],
) -> Iterator[Check]:
    """What each database says when it is asked, and what the state knows of it; `known` are the problems by sink."""
    for name, entry in sinks.items():
        label, problem = f"sink {name}", known.get(name)
        try:
            with closing(opener(target_of(entry))) as sink:
                version, fingerprint = sink.ping(), sink.fingerprint
                reading = _reading(name, sink)
        except (IngestError, ConfigError) as error:
            remedy = "Nothing is lost: points are kept until it takes them"
            yield Check(label, BAD, problem.sentence if problem else str(error), problem.remedy if problem else remedy)
            continue
        if problem:
            yield Check(label, BAD, problem.sentence, problem.remedy)
        else:
            yield _delivery(name, store, version, fingerprint)
        yield from _too_old(name, store)
        yield from reading
    if not sinks:
        yield Check("sinks", OK, "none configured; the data are in the embedded archive")


def keeping_checks(
    settings: Settings, store: Store | None, opener: Callable[[Target], Sink], now: int
) -> Iterator[Check]:
    """What has left the archive, and each database that lets nothing leave, for it is not known to keep it, or may
    lose what has left; nothing where all stays and has stayed, as it does by default.
    """
    left = departed(store.db, settings.sinks) if store else ""
    for name, entry in settings.sinks.items() if settings.archive.keep or left else ():
        try:
            with closing(opener(target_of(entry))) as sink:
                forgets, error = sink.forgets(now) if isinstance(sink, LastingSink) else NOT_SAID, ""
        except (IngestError, ConfigError) as failed:
            forgets, error = "", str(failed)
        if settings.archive.keep and (why := forgets or error):
            found = not_kept(name, why)
            yield Check("archive", WARN, found.sentence, found.remedy)
        if left and forgets:
            yield Check("archive", WARN, f"Sink {name} may lose what has left the archive: {forgets}", NOT_LASTING)
    if store and settings.archive.keep:
        for why, count in waiting(store.db, settings, Inventory(settings, snapshot.load(store.db)), now).items():
            yield Check("archive", OK, f"no interval of {many(count, 'system')} leaves it now: {why}")
    if left or settings.archive.keep:
        yield Check("archive", OK, left or "it has every interval that was read")


def _reading(name: str, sink: Sink) -> list[Check]:
    """What is stored is proved by reading it back, which a token that may only write cannot."""
    try:
        sink.prove_reading()
    except SinkDown as error:
        remedy = "Points are delivered all the same, but that they are there cannot be proved"
        return [Check(f"sink {name}: reading", WARN, str(error), remedy)]
    return []


def _delivery(name: str, store: Store | None, version: str, fingerprint: str) -> Check:
    row = outbox.sink(store.db, name) if store else None
    label = f"sink {name}"
    left = max(departures.untils(store.db).values(), default=0) if store else 0
    begin = "the beginning" + f", intervals from {day(left)} on: what is older has left the archive" * bool(left)
    if row is None:
        return Check(label, OK, f"{version} may be written; the runner fills it from {begin}")
    if row.fingerprint != fingerprint:
        return Check(label, OK, f"{version}; a new target: the runner fills it from {begin}")
    return Check(label, OK, f"{version} takes points; {many(row.sent, 'point')} were sent")


def _too_old(name: str, store: Store | None) -> Iterator[Check]:
    row = outbox.sink(store.db, name) if store else None
    if row and row.too_old:
        found = f"{many(row.too_old, 'point')} are older than it keeps; the archive has them"
        remedy = f"If the database is to have them, let it keep data longer, then `ingest replay --sink {name}`"
        yield Check(f"sink {name}: retention", WARN, found, remedy)
