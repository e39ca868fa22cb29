"""Putting those who are told together from the settings; what is not configured costs nothing."""

from ingest.config import Settings
from ingest.core.http import Transport
from ingest.logs import Change
from ingest.notify.heartbeat import heartbeat
from ingest.notify.notifier import HEARTBEAT, Deliver, Notifier
from ingest.store.database import Store


def notifier(settings: Settings, store: Store, changes: Change, transport: Transport) -> Notifier:
    """Everybody of the settings."""
    carriers: dict[str, Deliver] = {}
    if settings.heartbeat:
        carriers[HEARTBEAT] = heartbeat(settings.heartbeat.get_secret_value(), transport)
    return Notifier(store, changes, settings.receivers(), carriers)
