"""Prints the command reference, from the commands themselves: `make commands` writes it to docs/commands.md."""

import sys
from collections.abc import Iterator

import click

from ingest.cli import cli

HEAD = """# Commands

Made from the commands themselves by `make commands`; a test fails where it differs. Each of them answers `--help`.

Exit codes: 0 done; 1 failed; 2 the configuration or a command line is wrong; 3 a person must authorize; 4 another
`run` or `once` owns the state. Results go to stdout, progress and logs to stderr.
"""


def section(command: click.Command, context: click.Context) -> Iterator[str]:
    """A command: how it is called, what it does, its options; then its own commands."""
    words = context.command_path
    yield f"## `{words}`"
    yield f"```text\n{words} {' '.join(command.collect_usage_pieces(context))}\n```"
    yield (command.help or "").strip()
    options = [one for one in command.get_params(context) if isinstance(one, click.Option) and "--help" not in one.opts]
    if rows := [record for one in options if (record := one.get_help_record(context))]:
        lines = "\n".join(f"| `{name}` | {' '.join(text.split())} |" for name, text in map(escaped, rows))
        yield f"| Option | Meaning |\n|---|---|\n{lines}"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from section(found, click.Context(found, info_name=name, parent=context))


def escaped(row: tuple[str, str]) -> tuple[str, str]:
    """A name and its text for a cell of a table, where a bar would end it."""
    return row[0].replace("|", "\\|"), row[1].replace("|", "\\|")


def reference() -> str:
    """The whole page."""
    context = click.Context(cli, info_name="ingest")
    return "\n\n".join([HEAD.strip(), *section(cli, context)]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
