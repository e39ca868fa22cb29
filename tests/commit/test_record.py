"""A commit as the state file sees it: few statements, all of them or none."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.commit.changes import Changes, Loaded
from ingest.commit.save import save
from ingest.fetch.worker import Outcome
from ingest.store import archive, journal, progress, snapshot
from tests.world import DAY, HOUR, World
from tests.worlds import HOME

MOST = 16
FRAME = ("PRAGMA", "BEGIN", "COMMIT")
"""What a transaction begins and ends with."""


def statements(lines: list[str]) -> list[str]:
    """The statements of a trace; the rows that one of them writes are told one by one."""
    found: list[str] = []
    for line in (line for line in lines if not line.startswith(FRAME)):
        head = line.partition(" VALUES ")[0] if line.startswith("INSERT") else line.partition(" WHERE ")[0]
        if not line.startswith(("INSERT", "DELETE")) or not found or head != found[-1]:
            found.append(head)
    return found


def test_a_live_commit_takes_few_statements(tmp_path: Path) -> None:
    world = World(tmp_path, [HOME])
    world.run(6 * DAY)
    seen: list[tuple[str, list[str]]] = []
    honest = world.pipeline._record_outcome

    def traced(outcome: Outcome) -> None:
        lines: list[str] = []
        world.store.db.set_trace_callback(lines.append)
        honest(outcome)
        world.store.db.set_trace_callback(None)
        if outcome.task.stream.grain:
            seen.append((outcome.task.stream.name, statements(lines)))

    world.pipeline._record_outcome = traced  # type: ignore[method-assign]
    world.run(DAY)
    # What fails within a commit is caught, and another outcome recorded.
    assert [found for _, found in seen if len(found) > MOST] == []
    assert {name for name, _ in seen} == {"stats", "rgm_stats", "consumption"}
    world.end()


def test_what_comes_out_as_it_was_is_not_written(tmp_path: Path) -> None:
    world = World(tmp_path, [HOME])
    world.run(DAY)
    known, lines = world.pipeline.inventory.state, list[str]()
    changes = Changes(Loaded(known))
    changes.pairs.update({key: replace(pair) for key, pair in known.pairs.items()})
    changes.systems.update({name: replace(row) for name, row in known.systems.items()})
    assert changes.pairs.maps[0]
    assert changes.systems.maps[0]
    world.store.db.set_trace_callback(lines.append)
    save(world.store.db, changes)
    world.store.db.set_trace_callback(None)
    assert lines == []
    world.end()


def test_what_planning_knows_is_what_the_file_holds(tmp_path: Path) -> None:
    world = World(tmp_path, [HOME])
    world.run(3 * DAY)
    assert world.pipeline.inventory.state == snapshot.load(world.store.db)
    world.end()


@pytest.mark.parametrize("fault", ["save_pair", "save_coverage", "save_log"])
def test_a_commit_that_fails_changes_nothing_anywhere(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, [HOME])
    world.run(DAY)

    def broken(*_: Any) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(progress, fault, broken)
    world.run(2 * HOUR)
    db = world.store.db
    before = archive.size(db)
    assert world.pipeline.inventory.state == snapshot.load(db)
    assert archive.size(db) == db.execute("SELECT count(*) FROM points").fetchone()[0]
    newest = db.execute("SELECT max(seq) FROM points").fetchone()[0]
    assert journal.next_seq(db) == newest + 1
    monkeypatch.undo()
    world.run(2 * HOUR)
    assert archive.size(db) > before
    world.end()
