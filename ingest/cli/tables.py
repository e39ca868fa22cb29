"""Tables on stdout: no id and no date is ever cut off, and what is no terminal gets whole lines."""

import sys

from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table

WIDE = 10_000
"""Characters: no row is longer."""


def stdout() -> Console:
    """Where results are printed; in its full width where that is no terminal."""
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)


def print_table(console: Console, table: Table, *whole: str) -> None:
    """Print a table; the cells of the columns named `whole` stand in one line, and no word of others is cut off. Where
    the terminal is too narrow for that, the table is wider.
    """
    for column in table.columns:
        _keep(column, is_whole=column.header in whole)
    width = console.width
    console.width = WIDE
    least = Measurement.get(console, console.options, table).minimum
    console.width = max(width, least)
    console.print(table, markup=False)
    console.width = width


def _keep(column: Column, *, is_whole: bool) -> None:
    column.overflow = "fold"
    if is_whole:
        column.no_wrap = True
        column.min_width = max((len(str(cell)) for cell in column.cells), default=0)
