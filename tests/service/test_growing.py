"""A long list of systems: what it costs to take it in, and that every system of it is polled."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.core.span import Span
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams.base import SystemInfo
from ingest.enphase.streams.site import SYSTEMS
from ingest.fetch.worker import Outcome
from ingest.plan.inventory import listing
from ingest.plan.state import SystemRow
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


class Counted(dict[str, SystemRow]):
    """What is remembered of the systems, and how often any of it was looked up."""

    lookups = 0

    def get(self, *words: Any) -> Any:
        """Count."""
        self.lookups += 1
        return super().get(*words)


def test_what_a_page_of_a_list_costs_does_not_grow_with_the_list(tmp_path: Path) -> None:
    """Counted, not timed."""
    world = World(tmp_path, [SITE])
    world.run(HOUR)
    inventory = world.pipeline.inventory
    systems = Counted(inventory.systems)
    inventory.replace(replace(inventory.state, systems=systems))
    costs = []
    for number in range(1, PAGES + 1):
        before = systems.lookups
        page(world, number)
        costs.append(systems.lookups - before)
    # where another choice of streams follows from their number, which is seldom, all of them are looked at
    assert sorted(costs)[PAGES // 2] <= 10 * ON_PAGE, costs
    assert sum(costs) <= 20 * PAGES * ON_PAGE, costs
    assert len(list(inventory.wanted())) == 1 + PAGES * ON_PAGE
    world.end()


def test_what_was_listed_is_polled_also_where_the_list_breaks_off(tmp_path: Path) -> None:
    world = World(tmp_path, [SITE])
    world.run(HOUR)
    for number in range(1, 11):
        page(world, number)
        assert len(list(world.pipeline.inventory.wanted())) == 1 + number * ON_PAGE
    page(world, 11, Kind.BUSY)
    assert len(list(world.pipeline.inventory.wanted())) == 1 + 10 * ON_PAGE
    world.end()


def test_what_is_due_is_held_once_however_often_its_system_is_asked(tmp_path: Path) -> None:
    world = World(tmp_path, [SITE])
    world.run(48 * HOUR)
    queue = world.pipeline.due_queue
    entries = [*queue._heap, *(entry for heap in queue._due_now._heaps.values() for entry in heap)]
    assert len(world.cloud.calls) > 60
    slots = [*queue._every_slot()]
    assert len(entries) <= 2 * len(slots), len(entries)
    assert len(queue._owed._ready) + len(queue._owed._resting) <= 2 * len(slots)
    world.end()
