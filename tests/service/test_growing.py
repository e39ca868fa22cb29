"""A long list of systems: what it costs to take it in, and that every system of it is polled."""

from pathlib import Path

from ingest.core.span import Span
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams.base import SystemInfo
from ingest.enphase.streams.site import SYSTEMS
from ingest.fetch.worker import Outcome
from ingest.plan.inventory import listing
from tests.world import HOUR, World
from tests.worlds import SITE

PAGES, ON_PAGE = 40, 25


def page(world: World, number: int, kind: Kind = Kind.OK) -> None:
    """The answer to one page of the list; the last says that it is."""
    infos = [SystemInfo(f"7{number:03}{at:02}", "House", "Europe/Berlin", None) for at in range(ON_PAGE)]
    task = Task("home", listing("home"), SYSTEMS, Span(0, 0), Purpose.SNAPSHOT)
    cursor = "more" if number < PAGES else ""
    outcome = Outcome(task, 0, Verdict(kind, ""), systems=infos if kind is Kind.OK else [], cursor=cursor)
    world.pipeline.events.put(outcome)
    world.pipeline.record()


def test_a_long_list_is_worked_out_anew_a_few_times_and_all_of_it_is_polled(tmp_path: Path) -> None:
    """Counted, not timed: every working out looks at all systems."""
    world = World(tmp_path, [SITE])
    world.run(HOUR)
    before = world.pipeline.inventory.generation
    for number in range(1, PAGES + 1):
        page(world, number)
    assert world.pipeline.inventory.generation - before <= 20
    assert len(list(world.pipeline.inventory.wanted())) == 1 + PAGES * ON_PAGE
    world.end()


def test_where_a_list_breaks_off_what_was_listed_is_polled(tmp_path: Path) -> None:
    world = World(tmp_path, [SITE])
    world.run(HOUR)
    for number in range(1, 11):
        page(world, number)
    assert len(list(world.pipeline.inventory.wanted())) < 1 + 10 * ON_PAGE, "the newest wait for the next page"
    page(world, 11, Kind.BUSY)
    assert len(list(world.pipeline.inventory.wanted())) == 1 + 10 * ON_PAGE
    world.end()
