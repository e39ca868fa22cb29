"""What casts doubt on whether an interval may leave the archive."""

from collections.abc import Callable
from dataclasses import replace

from ingest.core.span import Span
from ingest.core.units import DAY, HOUR
from ingest.store import backfills, meta, outbox, removal
from ingest.store.archive import Filter
from ingest.store.backup import restore
from ingest.store.journal import Row
from tests.service.fleeting import BEGIN, Fleet, Lasting


def a_bad_look(fleet: Fleet) -> None:
    database = fleet.databases["b"]
    del database.rows[next(key for key in database.rows if key[2] > BEGIN + 397 * DAY)]
    fleet.now += DAY
    assert fleet.look("b").found


def a_look_in_vain(fleet: Fleet) -> None:
    fleet.databases["b"].tally = lambda *_: 1 / 0  # type: ignore[method-assign,assignment]
    fleet.now += DAY
    assert fleet.look("b").error


def a_replay(fleet: Fleet) -> None:
    with fleet.store.transaction() as db:
        outbox.ask_replay(db, "b", Filter(since=BEGIN + 390 * DAY))
    fleet.deliver("b")
    assert not outbox.has_replays(fleet.store.db, "b")


def another_address(fleet: Fleet) -> None:
    fleet.databases["b"].fingerprint = "elsewhere"
    fleet.end()
    fleet.begin()
    fleet.deliver("b")


def two_days(fleet: Fleet) -> None:
    fleet.now += 2 * DAY


def a_restored_backup(fleet: Fleet) -> None:
    fleet.store.backup(fleet.folder / "backup", {})
    fleet.end()
    restore(fleet.folder / "backup", fleet.store.folder)
    fleet.begin()


def an_outage(fleet: Fleet) -> None:
    fleet.databases["b"].down = True
    fleet.say("1", fleet.now, fleet.now + 1)
    fleet.deliver("b")


def an_outage_that_is_over(fleet: Fleet) -> None:
    an_outage(fleet)
    fleet.databases["b"].down = False
    fleet.deliver("b")
    row = outbox.sink(fleet.store.db, "b")
    assert row
    assert not row.error


def a_refused_point(fleet: Fleet) -> None:
    number = removal.series(fleet.store.db, "1")[0]
    row: Row = (number, BEGIN + 12 * HOUR, "", 1)
    with fleet.store.transaction() as db:
        outbox.park(db, "b", [(row, "no")])


def a_change_that_waits(fleet: Fleet) -> None:
    fleet.say("1", BEGIN, BEGIN + DAY, wh=7.0)


def a_change_that_was_sent(fleet: Fleet) -> None:
    a_change_that_waits(fleet)
    fleet.deliver("a")
    fleet.deliver("b")


def a_new_sink(fleet: Fleet) -> None:
    fleet.databases["c"] = Lasting()
    fleet.end()
    fleet.settings = Fleet(fleet.folder / "c", dict(fleet.databases), days=1).settings
    fleet.settings = fleet.settings.model_copy(update={"state_dir": fleet.folder / "state"})
    fleet.begin()
    fleet.deliver("c")


def a_gap(fleet: Fleet) -> None:
    whole, hole = Span(0, 2**40), BEGIN + 14 * DAY
    fleet.state.coverage["1", "stats"] = {4 * DAY: (Span(whole.start, hole), Span(hole + HOUR, whole.end))}
    fleet.pipeline.inventory.replace(fleet.state)


def a_look_again(fleet: Fleet) -> None:
    """Read when it was young, and not again since."""
    fleet.state.coverage["1", "stats"] = {6 * HOUR: (Span(0, 2**40),)}
    fleet.pipeline.inventory.replace(fleet.state)


def a_wish(fleet: Fleet) -> None:
    with fleet.store.transaction() as db:
        backfills.ask(db, backfills.BackfillRequest(BEGIN), fleet.now)


def a_wrong_clock(fleet: Fleet) -> None:
    with fleet.store.transaction() as db:
        meta.write(db, "clock_wrong_by", "90000")


def a_clock_that_nobody_confirmed(fleet: Fleet) -> None:
    fleet.clock.is_confirmed = False


def sums_to_compute(fleet: Fleet) -> None:
    fleet.pipeline.derivation.waits = True


def no_zone(fleet: Fleet) -> None:
    for name, row in fleet.state.systems.items():
        fleet.state.systems[name] = replace(row, timezone="")


def nobody_polls_it(fleet: Fleet) -> None:
    fleet.pipeline.inventory.works_of = lambda *_: []


DOUBTS: list[Callable[[Fleet], None]] = [
    a_bad_look, a_look_in_vain, a_replay, another_address, two_days, a_restored_backup, an_outage,
    an_outage_that_is_over, a_refused_point, a_change_that_waits, a_change_that_was_sent, a_new_sink, a_gap,
    a_look_again, a_wish, a_wrong_clock, a_clock_that_nobody_confirmed, no_zone, nobody_polls_it, sums_to_compute,
]  # fmt: skip
