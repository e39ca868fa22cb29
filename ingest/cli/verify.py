"""The command that holds the databases against the archive."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from typing import Any

import click

from ingest.cli.context import Context
from ingest.cli.time_arguments import check_range, moment
from ingest.core.errors import ConfigError, StateLocked
from ingest.core.units import DAY
from ingest.deliver.sender import Sender, record_delivery
from ingest.deliver.sink import Sink, VerifiableSink, open_sink
from ingest.deliver.verify import Mismatch, Period, all_periods, ask_again, deletable, differences
from ingest.enphase.catalogue import INTERVALS
from ingest.report.departed import departed
from ingest.service import identity
from ingest.service.build import target_of
from ingest.store import departures, journal, outbox
from ingest.store.database import Store

RUNNER_PATIENCE_S = 600
ONLY_COPY = "the database may have the only copy"


@click.command()
@click.option("--sink", "only", metavar="NAME", help="This one only.")
@click.option("--since", metavar="WHEN", help="Look at what is younger. Default: everything.")
@click.option("--fix", is_flag=True, help="Send again what differs; delete what is only in the database, "
              "but for what is of a time of which the archive has nothing.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_obj
def verify(context: Context, only: str | None, since: str | None, *, fix: bool, as_json: bool) -> None:
    """Hold each database against the archive: counts and sums by measurement, system and month.

    Ends with 0 when they are equal, else with 1.
    """
    names = list(context.settings.sinks)
    if only is not None and only not in names:
        known = ", ".join(names) or "none are configured"
        raise ConfigError(f"{context.settings.config_path}: no sink is called {only!r}; known: {known}")
    store = context.state()
    try:
        check_range(since, None, (), context.clock.now())
        begin = moment(since, "", context.clock.now())
        found = {name: _look(context, store, name, begin, fix=fix) for name in names if only in (None, name)}
        left = departed(store.db, [name for name in names if only in (None, name)], begin)
    finally:
        store.close()
    if as_json:
        context.show_json({name: [_document(item) for item in items] for name, items in found.items()})
    elif not names:
        context.show("No database is configured; the data are in the embedded archive.")
    else:
        _print(context, found, fix=fix)
    if left:
        context.say(f"{left}; of these nothing is said")
    if any(found.values()):
        raise click.exceptions.Exit(1)


def _look(context: Context, store: Store, name: str, since: int | None, *, fix: bool) -> list[Mismatch]:
    with closing(open_sink(target_of(context.settings.sinks[name]))) as sink:
        if not isinstance(sink, VerifiableSink):
            return []
        now = context.clock.now()
        found = _differences(store, sink, name, all_periods(store.db, since), now)
        # A runner may have delivered something between the two looks.
        found = found and _differences(store, sink, name, _periods(found), now)
        if not (found and fix):
            return found
        with store.transaction() as db:
            departures.end_proofs(db, name)  # nothing leaves the archive from here on: what it has not is surplus
        found = _differences(store, sink, name, _periods(found), now)
        _delete(store, sink, name, found, now)
        with store.transaction() as db:
            ask_again(db, name, found)
        _send(context, store, name, sink)
        found = _differences(store, sink, name, _periods(found), now)
        if any(item.is_surplus for item in found):
            context.say(f"sink {name}: what is of a time of which the archive has nothing was left: {ONLY_COPY}")
        return found


def _delete(store: Store, sink: VerifiableSink, name: str, found: Sequence[Mismatch], now: int) -> None:
    """Delete what only the database has, where the archive is known to be the one that is right; of intervals on those
    days alone that differ.
    """
    surplus = [item for item in found if item.is_surplus]
    quarters = [item for item in surplus if item.measured.measurement in INTERVALS]
    days = sorted({(at, min(at + DAY, end)) for begin, end in _periods(quarters) for at in range(begin, end, DAY)})
    by_day = _differences(store, sink, name, days, now)
    whole = [item for item in surplus if item.measured.measurement not in INTERVALS]
    places = {item.measured for item in quarters}
    for item in (*whole, *(part for part in by_day if part.measured in places and part.is_surplus)):
        for period in deletable(store.db, item):
            sink.delete(item.measured, *period)


def _differences(store: Store, sink: VerifiableSink, name: str, periods: Iterable[Period], now: int) -> list[Mismatch]:
    """What differs, of each period at one moment of the archive. What changed while it was looked at may be there
    already, and is not held against the database.
    """
    found: list[Mismatch] = []
    for period in periods:
        with store.moment() as db:
            seen = journal.next_seq(db) - 1
            differ = list(differences(db, sink, name, [period], now))
        changed = journal.changed_since(store.db, seen) if differ else set()
        found += (item for item in differ if item.measured not in changed)
    return found


def _periods(found: Sequence[Mismatch]) -> list[tuple[int, int]]:
    return sorted({item.period for item in found})


def _send(context: Context, store: Store, name: str, sink: Sink) -> None:
    """Have the replays carried out: by the runner where one is at work, else here."""
    try:
        own = identity.open_store(context.settings, None, own=True)
    except StateLocked:
        until = context.clock.now() + RUNNER_PATIENCE_S
        while outbox.has_replays(store.db, name) and context.clock.now() < until:
            context.clock.sleep(1)
        return
    with ExitStack() as stack:
        stack.enter_context(closing(own))
        row = outbox.register(own.db, name, sink.fingerprint)
        reader = stack.enter_context(closing(own.reader()))
        sender = Sender(name, sink, reader, row.cursor)
        while (done := sender.step()) is not None:
            with own.transaction() as db:
                record_delivery(db, done, context.clock.now())
            if done.error:
                break


def _document(item: Mismatch) -> dict[str, Any]:
    start, end = item.period
    place = {"measurement": item.measured.measurement, "system": item.measured.system, "start": start, "end": end}
    return place | {"field": item.field, "archive": item.archived, "database": item.stored}


def _print(context: Context, found: dict[str, list[Mismatch]], *, fix: bool) -> None:
    for name, items in found.items():
        if not items:
            context.show(f"✓ sink {name} holds what the archive has")
            continue
        for item in items:
            context.show(f"✗ sink {name}: {item.sentence}")
        if not fix:
            context.show(f"To send it again: `ingest verify --sink {name} --fix`")
