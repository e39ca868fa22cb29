"""What a commit loads is enough: with days more of the archive at hand it would change the same."""

import os
import random
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ingest.commit import derived, load, record
from ingest.commit.changes import Changes, Loaded
from ingest.commit.context import CommitContext, context_of
from ingest.commit.decide import decide
from ingest.core.point import Point, decode_fields, series_key
from ingest.core.span import Span, Spans
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams import BY_NAME
from ingest.fetch.worker import Outcome
from ingest.plan.state import Snapshot
from ingest.simulator import Faults
from ingest.store import archive
from ingest.store.archive import Want
from tests.stories.odd_worlds import OddCloud
from tests.stories.test_convergence import random_faults, random_site, troubled
from tests.world import DAY, START, World
from tests.worlds import HOME

LONG = bool(os.environ.get("INGEST_LONG"))
MOST = 5000 if LONG else 300
"""Commits that are compared."""


def days_around(
    draft: Changes, _: object, outcome: Outcome, __: object, ___: object, at: CommitContext
) -> tuple[Spans, Sequence[Want]]:
    """A day before and after the window, and every day and month."""
    window = outcome.task.window
    around = Span(window.start - 2 * DAY, max(window.end, at.now) + DAY)
    return (around,), [*load._wants(draft.loaded.ids, load.ALWAYS, load.LONG)]


def load_all(patch: pytest.MonkeyPatch) -> None:
    """From now on all is loaded that could count."""
    patch.setattr(load, "_to_derive", days_around)
    patch.setattr(derived, "is_metered", lambda *_: False)


def changed(made: Changes) -> tuple[Any, ...]:
    """What a decision changes."""
    maps = (made.pairs, made.systems, made.logs, made.coverage, made.odd, made.deferred, made.totals)
    points = made.points
    rows = {key: rows for key, rows in points.changed_rows.items() if rows}
    return rows, points.withdrawn, points.added, points.revised, points.retired, [each.maps[0] for each in maps]


@pytest.mark.parametrize("seed", range(20) if LONG else (2,))
def test_what_is_not_loaded_would_change_nothing(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    print(f"world of seed {seed}")
    honest, compared = load.load, list[bool]()

    def both(db: sqlite3.Connection, known: Snapshot, outcome: Outcome, at: CommitContext) -> Loaded:
        found = honest(db, known, outcome, at)
        if outcome.points and outcome.task.stream.grain and len(compared) < MOST:
            with pytest.MonkeyPatch.context() as patch:
                load_all(patch)
                more = honest(db, known, outcome, at)
            made, whole = changed(decide(found, outcome, at)), changed(decide(more, outcome, at))
            compared.append(made == whole)
        return found

    monkeypatch.setattr(record, "load", both)
    rng = random.Random(seed)
    site, until = random_site(rng, 1), START + (8 if LONG else 3) * DAY
    world = World(tmp_path, [site], cloud={"seed": seed}, api={"plan": {"per_minute": 10, "per_month": 20_000}})
    world.cloud.faults = random_faults(rng)
    odd = OddCloud(world, [site], random.Random(f"odd {seed}"), until)
    troubled(world, rng, until, (START + DAY, START - 12 * DAY), odd)
    world.cloud.faults, world.database.down, world.time.wrong_by = Faults(), False, 0.0
    world.run(2 * DAY)
    world.end()
    # A commit that fails is tried again: what is wrong with it is told here.
    assert all(compared), compared.count(False)
    assert len(compared) > 50


def test_a_late_change_of_a_settled_day_loads_the_whole_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, [HOME])
    world.run(4 * DAY)
    db, inventory, now = world.store.db, world.pipeline.inventory, int(world.time.true)
    system, begin = str(HOME.system_id), HOME.midnight(HOME.local_date(now - 2 * DAY))
    noon = begin + 12 * 3600
    task = Task("home", system, BY_NAME["consumption"], Span(begin, begin + DAY), Purpose.HISTORY, reach=7 * DAY)
    held = archive.numbers(db, "consumption", system, "energy_wh", noon, noon + 900)
    point = Point("consumption", (("system", system),), noon, {"energy_wh": held[noon] + 40})
    outcome = Outcome(task, 0, Verdict(Kind.OK, ""), points=[point], answered_end=begin + DAY, date_at=now)
    at = context_of(task, inventory, world.settings.ages, now)
    found = changed(decide(load.load(db, inventory.state, outcome, at), outcome, at))
    load_all(monkeypatch)
    assert found == changed(decide(load.load(db, inventory.state, outcome, at), outcome, at))
    days = archive.numbers(db, "energy_daily", system, "self_consumed_wh", begin, begin + 1)
    day = decode_fields(found[0][f"energy_daily,system={system}"][begin])
    assert day["self_consumed_wh"] == days[begin] + 40
    world.end()


def test_where_the_meter_was_silent_the_microinverters_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, [HOME])
    world.run(4 * DAY)
    db, inventory, now = world.store.db, world.pipeline.inventory, int(world.time.true)
    system, noon = str(HOME.system_id), HOME.midnight(HOME.local_date(now - 2 * DAY)) + 12 * 3600
    tags, window = (("system", system),), Span(noon, noon + 900)
    task = Task("home", system, BY_NAME["consumption"], window, Purpose.HISTORY)
    used = Point("consumption", tags, noon, {"energy_wh": 5.0})
    outcome = Outcome(task, 0, Verdict(Kind.OK, ""), points=[used], answered_end=window.end, date_at=now)
    at = context_of(task, inventory, world.settings.ages, now)
    assert series_key("production_micro", tags) not in load.load(db, inventory.state, outcome, at).rows
    archive.upsert(db, [Point("production_rgm", tags, noon, {"devices_reporting": 0.0, "energy_wh": 0.0})])
    made = decide(load.load(db, inventory.state, outcome, at), outcome, at)
    micro = archive.numbers(db, "production_micro", system, "energy_wh", noon, noon + 900)
    row = decode_fields(made.points.changed_rows[series_key("energy", tags)][noon])
    assert row["produced_wh"] == sum(micro.values()) > 0
    load_all(monkeypatch)
    assert changed(made) == changed(decide(load.load(db, inventory.state, outcome, at), outcome, at))
    world.end()
