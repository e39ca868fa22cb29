"""A file with the large pages of a former version gets small ones, where there is room for it."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ingest.core.point import Point
from ingest.store import archive, compaction, migrations
from ingest.store.database import Store
from tests.store.test_compaction import content, owner


def large_pages(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The content of a state as it was made with pages of 4 kB."""
    with monkeypatch.context() as former_one:
        former_one.setattr(migrations, "PAGE", 4096)
        with closing(owner(folder)) as store, store.transaction() as db:
            archive.upsert(db, [Point("energy", (), at, {"wh": at / 7}) for at in range(300)])
    return content(folder / "state.db")


def test_a_new_state_has_small_pages_and_a_log_as_long_as_one_with_large_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large_pages(tmp_path / "former", monkeypatch)
    (tmp_path / "new").mkdir()
    for name, size in (("former", 4096), ("new", migrations.PAGE)):
        with closing(Store(tmp_path / name)) as store:
            assert store.db.execute("PRAGMA page_size").fetchone() == (size,)
            (pages,) = store.db.execute("PRAGMA wal_autocheckpoint").fetchone()
            assert pages * size == 4 * 2**20


def test_where_it_would_just_fit_a_file_keeps_its_large_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = large_pages(tmp_path, monkeypatch)
    size = (tmp_path / "state.db").stat().st_size
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=size))
    with caplog.at_level(logging.INFO), closing(owner(tmp_path)) as store:
        assert store.db.execute("PRAGMA page_size").fetchone() == (4096,)
    told = [record for record in caplog.records if record.getMessage() == "archive_not_compacted"]
    assert [record.levelno for record in told] == [logging.INFO]
    assert content(tmp_path / "state.db") == before
    assert not (tmp_path / compaction.FRESH).exists()


def test_a_file_with_large_pages_gets_small_ones_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = large_pages(tmp_path, monkeypatch)
    with closing(sqlite3.connect(tmp_path / compaction.FRESH)) as half_made, monkeypatch.context() as former_one:
        former_one.setattr(migrations, "PAGE", 4096)
        migrations.migrate(half_made)
        half_made.execute("INSERT INTO meta VALUES (?, '301 0')", (compaction.OF,))
        half_made.commit()
    with closing(owner(tmp_path)) as store:
        assert store.db.execute("PRAGMA page_size").fetchone() == (migrations.PAGE,)
        assert not compaction.is_due(store.db), "once"
    assert content(tmp_path / "state.db") == before
