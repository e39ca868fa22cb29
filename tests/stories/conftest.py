"""The real servers, for stories too, and a folder in memory: most of a story's time would be waiting for the disk."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.conftest import guarded_influxd, influxd, ready_influxd2

__all__ = ["guarded_influxd", "influxd", "ready_influxd2"]

MEMORY = Path("/dev/shm")
ENOUGH = 2 * 2**30


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder, in memory where there is enough of it."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH
    folder = Path(tempfile.mkdtemp(dir=MEMORY)) if roomy else tmp_path_factory.mktemp("story")
    yield folder
    if roomy:
        shutil.rmtree(folder, ignore_errors=True)
