"""An installation at a real mosquitto."""

import json
import time
from collections.abc import Callable
from typing import Any

from tests.mosquitto import PASSWORD, PATIENCE, USER, Eye, Mosquitto
from tests.notify.told import Told

STATE = "enphase-ingest/4242/state"


def entry(broker: Mosquitto, **changes: Any) -> dict[str, Any]:
    """The section `mqtt` of the configuration."""
    return {"host": "127.0.0.1", "port": broker.port, "username": USER, "password": PASSWORD, **changes}


def configurations(eye: Eye) -> dict[str, dict[str, Any]]:
    """The discovery payloads that are retained, by topic."""
    return {topic: json.loads(text) for topic, text in eye.seen.items() if topic.startswith("homeassistant/") and text}


def until(holds: Callable[[], object], what: str = "") -> None:
    """Wait for what a thread of the broker brings."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


class Homely(Told):
    """An installation that looks only while its line stands, and whose look has arrived when it ends."""

    def arrived(self, eye: Eye) -> dict[str, Any]:
        line = self.notifier._broker
        assert line is not None
        until(lambda: line.error == "", "no line")
        self.watch()
        until(lambda: line._wanted.items() <= eye.seen.items(), "not all has arrived")
        state: dict[str, Any] = json.loads(eye.seen[STATE])
        return state
