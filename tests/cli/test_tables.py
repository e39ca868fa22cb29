"""Tables on stdout: what identifies a row is never cut off."""

import io

import pytest
from rich.console import Console
from rich.table import Table

from ingest.cli.tables import print_table, stdout

SERIALS = [f"70001234567{number}" for number in range(3)]
DATE = "2026-11-20 10:15 UTC"


def printed(width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, soft_wrap=True)
    table = Table("system", "device", "kind", "model of the device", "last report")
    for serial in SERIALS:
        table.add_row("1234567", serial, "microinverter", "a name of several words, and long", DATE)
    print_table(console, table, "system", "device", "last report")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [20, 60, 80, 300])
def test_ids_and_dates_are_whole_however_narrow_the_terminal_is(width: int) -> None:
    lines = printed(width).splitlines()
    for serial in SERIALS:
        (row,) = [line for line in lines if serial in line]
        assert DATE in row
        assert "1234567" in row
    assert "…" not in "".join(lines)
    assert len(lines) == 7 if width == 300 else len(lines) > 7


def test_what_is_no_terminal_gets_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("device", "why")
    table.add_row(SERIALS[0], "word " * 100)
    print_table(stdout(), table)
    assert [line.count("word") for line in capsys.readouterr().out.splitlines() if "word" in line] == [100]
