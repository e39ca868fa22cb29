"""Putting those who are told together from the settings; what is not configured costs nothing."""

from ingest.config import Settings, message_name
from ingest.core.http import Transport
from ingest.logs import TransitionLog
from ingest.notify import home_assistant
from ingest.notify.broker import Broker
from ingest.notify.heartbeat import heartbeat
from ingest.notify.messages import messenger
from ingest.notify.notifier import HEARTBEAT, Deliver, Notifier
from ingest.store.database import Store


def messengers(settings: Settings) -> dict[str, Deliver]:
    """What brings a letter to each address, by the name of the receiver."""
    addresses = [address.get_secret_value() for entry in settings.notify for address in entry.to]
    return {message_name(address): messenger(address) for address in addresses}


def broker(settings: Settings) -> Broker | None:
    """The line to the broker of the settings. Raises `ConfigError`."""
    if settings.mqtt is None:
        return None
    app = settings.ledger_name
    return Broker(settings.mqtt, f"{home_assistant.BASE}-{app}", home_assistant.availability(app))


def notifier(
    settings: Settings,
    store: Store,
    transitions: TransitionLog,
    transport: Transport,
    command: str = "ingest",
    line: Broker | None = None,
) -> Notifier:
    """Everybody of the settings; `command` is the program as it is called here, `line` that to the broker."""
    carriers = messengers(settings)
    if settings.heartbeat:
        carriers[HEARTBEAT] = heartbeat(settings.heartbeat.get_secret_value(), transport)
    return Notifier(settings, store, transitions, carriers, command, line)
