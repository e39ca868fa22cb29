"""`notify`: who is told, and whether a message arrives."""

import queue

import click

from ingest.cli.context import Context
from ingest.core.errors import ConfigError, IngestError
from ingest.core.words import many
from ingest.notify.channel import PATIENCE_S, Channel, Delivered

NOBODY = "nobody is told: neither notify, heartbeat nor mqtt is in the configuration; see docs/notify.md"


@click.command()
@click.option("--test", is_flag=True, help="Send one message to every address.")
@click.pass_obj
def notify(context: Context, *, test: bool) -> None:
    """Who is told of problems; --test sends one message to every address."""
    settings = context.settings
    labels = settings.receivers()
    if not labels:
        raise ConfigError(f"{settings.config_path}: {NOBODY}")
    if not test:
        for label in labels.values():
            click.echo(label)
        return
    if not settings.notify:
        raise ConfigError(f"{settings.config_path}: there is no address in notify.to; see docs/notify.md")
    failed = [done for done in _deliveries(context) if _told(labels[done.receiver], done)]
    if failed:
        raise IngestError(f"{many(len(failed), 'message')} did not arrive")


def _deliveries(context: Context) -> list[Delivered]:
    """One message to everybody at once; who does not answer in time has not got it."""
    from ingest.notify.letters import letter_of_test  # noqa: PLC0415 - only the test sends
    from ingest.notify.wiring import messengers  # noqa: PLC0415

    results: queue.SimpleQueue[Delivered] = queue.SimpleQueue()
    channels = [Channel(name, send, results.put) for name, send in messengers(context.settings).items()]
    for channel in channels:
        channel.offer(letter_of_test(), 0)
    for channel in channels:
        channel.join(PATIENCE_S)
    slow = [Delivered(channel.receiver, None, "no answer in time") for channel in channels if channel.is_busy]
    done = [results.get() for _ in range(len(channels) - len(slow))]
    return [*done, *slow]


def _told(label: str, done: Delivered) -> bool:
    """Print what came of a delivery; whether it failed."""
    click.echo(f"{label}: {done.error or 'sent'}")
    return bool(done.error)
