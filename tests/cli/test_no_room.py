"""A disk or an output without room: a sentence that is true of a command, and nothing is left behind."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.core.errors import IngestError, StateError
from ingest.store.database import plain_words
from tests.cli.command import call
from tests.disks import own_disk
from tests.stories.program import Program, Vendor
from tests.world import START
from tests.worlds import HOME

NOWHERE = ("sh", "-c", 'exec "$@" > /dev/full', "sh")


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor([HOME], START) as started:
        yield started


@pytest.fixture
def known(program: Program, vendor: Vendor) -> Program:
    assert call(program, vendor, "systems", "--refresh").exit_code == 0
    return program


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own on which a page or two are left."""
    with own_disk(tmp_path / "disk", "256k") as folder:
        with (folder / "ballast").open("wb") as ballast, contextlib.suppress(OSError):
            while True:
                os.write(ballast.fileno(), bytes(4096))
        yield folder


def test_an_output_without_room_is_named_as_that(known: Program) -> None:
    ended = known.run("export", "--format", "csv", code=1, wrap=NOWHERE)
    assert ended.sentence == "the output: No space left on device; free some space, or write to another place"
    assert len(ended.err.splitlines()) == 1, ended.err


@pytest.mark.parametrize("words", [("backup", "-o"), ("diagnostics", "-o"), ("export", "--format", "csv", "-o")])
def test_a_file_without_room_leaves_nothing_behind(
    known: Program, vendor: Vendor, full_disk: Path, words: tuple[str, ...]
) -> None:
    result = call(known, vendor, *words, str(full_disk / "file"))
    assert isinstance(result.exception, IngestError)
    text = str(result.exception)
    assert "disk is full" in text or "No space left" in text
    assert "program goes on" not in text
    assert [path.name for path in full_disk.iterdir()] == ["ballast"]


def test_a_full_disk_is_no_matter_of_permissions(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="the disk is full") as caught, plain_words(tmp_path / "state.db"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "writable" not in str(caught.value)
