"""Who owns a state: asked at any time, it keeps nobody from starting."""

import fcntl
import os
from pathlib import Path

import pytest

from ingest.core.errors import StateLocked
from ingest.store.database import Store
from ingest.store.ownership import is_owned, own_folder


def test_a_runner_starts_while_somebody_asks_whether_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.close(own_folder(tmp_path))
    asking = os.open(tmp_path / "runner.lock", os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_SH)
    monkeypatch.setattr("ingest.store.ownership.time.sleep", lambda _: fcntl.flock(asking, fcntl.LOCK_UN))
    os.close(own_folder(tmp_path))
    os.close(asking)


def test_a_second_runner_is_refused_and_a_question_opens_nothing(tmp_path: Path) -> None:
    assert not is_owned(tmp_path)
    assert list(tmp_path.iterdir()) == []
    first = Store(tmp_path, own=True)
    assert is_owned(tmp_path)
    with pytest.raises(StateLocked, match="another `run` or `once` is at work"):
        Store(tmp_path, own=True)
    first.close()
    assert not is_owned(tmp_path)
