"""Many systems: the totals first, the worst first, one row a system."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from ingest.cli.fleet_table import fleet
from ingest.report import Report, build_report, metrics
from ingest.report.fleet import fleet_totals, ordered, worst_first
from ingest.store import progress
from tests.world import DAY, World
from tests.worlds import SITE


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    world = World(tmp_path_factory.mktemp("fleet"), [SITE])
    world.run(DAY + DAY // 2)
    with world.store.transaction() as db:
        row, pairs = progress.system(db, str(SITE.system_id)), progress.pairs(db)
        assert row is not None
        for number in range(40):
            system = str(9000 + number)
            progress.save_system(db, replace(row, system=system, name=f"House {number}"))
            for (_, stream), pair in pairs.items():
                state = "denied" if (number, stream) == (17, "stats") else ""
                progress.save_pair(db, replace(pair, system=system, state=state, reason="not ticked"))
    yield build_report(world.settings, world.store.db, int(world.time.true))
    world.end()


def screen(made: Report, most: int | None) -> str:
    out = io.StringIO()
    console = Console(file=out, width=160)
    for part in fleet(made, most):
        console.print(part, markup=False)
    return out.getvalue()


def test_the_first_screen_has_the_totals_and_the_worst(made: Report) -> None:
    text = screen(made, 20)
    lines = text.splitlines()
    assert lines[0].startswith("41 systems: 1 with problems")
    rows = [line for line in lines if "House" in line]
    assert "House 17 (9017)" in rows[0]
    assert len([line for line in lines if "(9" in line or f"({SITE.system_id})" in line]) <= 20
    assert "The worst 20 of 41" in lines[-1]


def test_all_of_them_are_shown_where_that_is_asked_for(made: Report) -> None:
    text = screen(made, None)
    assert all(f"({9000 + number})" in text for number in range(40))


def test_totals_are_the_sums_of_the_systems(made: Report) -> None:
    totals = fleet_totals(made)
    assert totals.systems == len(made.systems) == 41
    assert totals.reporting == 1
    assert totals.power_w == next(row.power_w for row in made.systems if row.power_w is not None)
    assert worst_first(made)[0].system == "9017"


def test_series_of_single_systems_can_be_left_out(made: Report) -> None:
    whole = metrics.exposition(made, made.now, "ingest")[0].decode()
    sums = metrics.exposition(made, made.now, "ingest", by_system=False)[0].decode()
    assert "ingest_system_info" in whole
    assert "ingest_stream_up" in whole
    assert "ingest_system_" not in sums
    assert "ingest_stream_" not in sums
    assert "\ningest_systems 41.0" in sums
    assert len(sums.splitlines()) < 120


def test_the_page_of_many_systems_begins_with_the_worst(tmp_path: Path, made: Report) -> None:
    from ingest.web.page import listing  # noqa: PLC0415 - only the page needs Flask

    rows = listing(made, {})["rows"]
    assert rows[0][0].system == "9017"


@pytest.mark.parametrize(
    ("by", "attribute"), [("power", "power_w"), ("today", "today_wh"), ("yield", "specific_yield"), ("age", "age_s")]
)
def test_systems_are_ordered_by_a_column_and_what_is_not_known_comes_last(
    made: Report, by: str, attribute: str
) -> None:
    rows = [replace(row, size_w=5000.0, today_wh=3.0 * at, power_w=7.0 * at, age_s=at) for at, row in
            enumerate(made.systems[:6])]  # fmt: skip
    rows[2] = replace(rows[2], power_w=None, today_wh=None, age_s=None)
    few = replace(made, systems=rows)
    for order, downwards in ((by, False), (f"-{by}", True)):
        values = [getattr(row, attribute) for row in ordered(few, order)]
        assert values[-1] is None
        assert values[:-1] == sorted(values[:-1], reverse=downwards)
    assert ordered(few, "nothing") == worst_first(few)


def test_where_nothing_is_wrong_the_oldest_and_then_the_smallest_yield_comes_first(made: Report) -> None:
    row = next(row for row in made.systems if row.power_w is not None)
    yields = {"a": (900, 9000.0), "b": (900, 5000.0), "c": (1800, 20_000.0), "d": (900, 7000.0)}
    rows = [
        replace(row, system=name, name=name, size_w=5000.0, age_s=age, today_wh=wh)
        for name, (age, wh) in yields.items()
    ]
    found = worst_first(replace(made, systems=rows, problems=[], homes=[]))
    assert [at.system for at in found] == ["c", "b", "d", "a"]
