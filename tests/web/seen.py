"""A page over a world, without a browser."""

from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from ingest.web import Source, create_app
from tests.world import DAY, HOUR, World
from tests.worlds import SITE


class Seen:
    """A page over a world that has run for three days."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.world = World(folder, [SITE], **changes)
        self.world.run(3 * DAY + 12 * HOUR)
        self.beat = int(self.world.time.true)
        self.source = Source(
            self.world.settings, self.world.store, lambda: int(self.world.time.true), lambda: self.beat, "/opt/ingest"
        )
        self.app = create_app(self.source)

    def client(self) -> FlaskClient:
        return self.app.test_client()
