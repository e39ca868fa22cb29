"""A receiver on this machine: it takes what is sent, refuses it, or never answers."""

import json
import threading
from typing import Any

from tests.servers.web import Asked, Reply, Web


class Receiver(Web):
    """`status` is what it answers; while `hangs` is set it does not answer at all; `arrived`
    is set once it was asked.
    """

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self.hangs = False
        self._free = threading.Event()
        self.arrived = threading.Event()

    def answer(self, asked: Asked) -> Reply:
        self.arrived.set()
        if self.hangs:
            self._free.wait(60)
        return Reply(self.status)

    def stop(self) -> None:
        self._free.set()
        super().stop()

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [asked.path for asked in self.asked]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The documents that were posted."""
        return [json.loads(asked.body) for asked in self.asked if asked.body]
