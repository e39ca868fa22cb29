"""For the shell: its completion, and the manual page, both from the commands themselves."""

from collections.abc import Iterator

import click

import ingest

SHELLS = ("bash", "zsh", "fish")
EXITS = (
    ("0", "done"),
    ("1", "something failed; one sentence says what, where and what to do"),
    ("2", "the configuration or the call is wrong"),
    ("3", "a person must authorize an account"),
    ("4", "another runner owns the state"),
)
FILES = (
    ("config/local.yaml", "the configuration, written by `ingest init`"),
    ("config/ingest.yaml", "a demonstration, with every key and its default"),
    ("state/", "the archive and the tokens"),
)


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion of a shell: for bash, eval "$(ingest completion bash)" in ~/.bashrc."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - only this needs it

    from ingest.cli import COMPLETE  # noqa: PLC0415 - it imports this module by name

    maker = get_completion_class(shell)
    if maker is not None:
        click.echo(maker(ctx.find_root().command, {}, "ingest", COMPLETE).source())


@click.command()
@click.pass_context
def man(ctx: click.Context) -> None:
    """Print the manual page: ingest man | man -l -."""
    click.echo("\n".join(page(ctx.find_root())))


def page(root: click.Context) -> Iterator[str]:
    """The manual page in the language of man(7), a line each."""
    top = root.command
    yield f'.TH INGEST 1 "" "enphase-ingest {ingest.__version__}" "User Commands"'
    yield from (".SH NAME", f"ingest \\- {_text(_first(top.help))}")
    yield from (".SH SYNOPSIS", ".B ingest", "[OPTIONS] COMMAND [ARGS]...")
    yield from (".SH OPTIONS", *_options(top, root))
    yield ".SH COMMANDS"
    yield from _commands(top, root, "ingest")
    for title, rows in (("FILES", FILES), ("EXIT STATUS", EXITS)):
        yield f".SH {title}"
        for name, about in rows:
            yield from (".TP", f".B {_text(name)}", _text(about))


def _commands(group: click.Command, context: click.Context, before: str) -> Iterator[str]:
    """Every command of a group, those of its groups with their whole name."""
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _commands(command, inner, f"{before} {name}")
            continue
        usage = " ".join(command.collect_usage_pieces(inner))
        yield from (f".SS {_text(f'{before} {name} {usage}'.strip())}", _text(command.help or ""))
        yield from _options(command, inner)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record:
            yield from (".TP", f".B {_text(record[0])}", _text(record[1]))


def _first(text: str | None) -> str:
    return (text or "").partition(". ")[0].rstrip(".")


def _text(text: str) -> str:
    """Words as man(7) takes them: no line of it begins with a command, and a minus is one."""
    plain = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain
