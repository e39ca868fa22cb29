"""Dates between which nothing can lie are a wrong command line, in every command that takes them."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ingest.cli.time_arguments import check_range
from tests.cli.command import call
from tests.stories.program import Program, Vendor
from tests.world import DAY, HOUR, START
from tests.worlds import HOME

IMPOSSIBLE = (
    (("--since", "2099-01-01"), "in the future"),
    (("--since", "7d", "--until", "30d"), "not after --since 7d"),
    (("--since", "2025-05-20", "--until", "2025-05-01"), "not after --since 2025-05-20"),
)
COMMANDS = (
    ("backfill", "--dry-run"),
    ("export", "--format", "csv"),
    ("export", "--format", "statistics"),
    ("replay", "--sink", "lake"),
    ("verify",),
)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor([HOME], START) as started:
        yield started


def test_dates_between_which_nothing_lies_are_refused_everywhere(
    program: Program, vendor: Vendor, tmp_path: Path
) -> None:
    program.document["sinks"] = {"lake": {"type": "parquet", "path": str(tmp_path / "lake")}}
    assert call(program, vendor, "systems", "--refresh").exit_code == 0
    for command in COMMANDS:
        for words, sentence in IMPOSSIBLE:
            if "--until" in words and command[0] in ("replay", "verify"):
                continue
            result = call(program, vendor, *command, *words)
            assert result.exit_code == 2, (command, words, result.output)
            assert sentence in result.stderr, (command, words)
            assert not result.stdout, (command, words)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (None, None),
        ("all", None),
        ("all", "all"),
        ("7d", "1d"),
        ("7d", "all"),
        ("2026-11-20", "2026-11-20"),
        ("2026-11-29", None),
        ("7d", "2026-12-31"),
        (None, "2026-11-20"),
    ],
)
def test_what_can_be_meant_is_let_through(since: str | None, until: str | None) -> None:
    check_range(since, until, ["UTC", "America/Los_Angeles"], 1_795_910_400 + 12 * HOUR)  # 2026-11-29 12:00 UTC


def test_a_day_that_has_begun_somewhere_is_not_the_future() -> None:
    now = 1_795_910_400 - 2 * HOUR  # 2026-11-28 22:00 UTC
    check_range("2026-11-29", None, ["UTC", "Europe/Helsinki"], now)
    with pytest.raises(click.UsageError, match="in the future"):
        check_range("2026-11-29", None, ["UTC"], now)
    with pytest.raises(click.UsageError, match="in the future"):
        check_range("2026-11-30", None, ["UTC", "Europe/Helsinki"], now + DAY - 4 * HOUR)
