"""An installation that is looked at as by its service, every five minutes of a clock that jumps."""

from typing import Any

from ingest.fetch.transport import HttpTransport
from ingest.notify.notifier import Notifier
from ingest.notify.wiring import broker, notifier
from ingest.report import build_report
from ingest.service.monitor import ReportJob
from tests.world import World


class Told:
    """Deliveries are waited for `wait` seconds: those to a receiver that hangs are not."""

    def __init__(self, world: World, wait: float = 10) -> None:
        self.world, self.wait = world, wait
        self.begin()

    def begin(self) -> None:
        world = self.world
        transport = HttpTransport(lambda _: None, "test")
        line = broker(world.settings)
        self.notifier: Notifier = notifier(
            world.settings, world.store, world.pipeline.transitions, transport, "ingest", line
        )
        self.watch = ReportJob(world.pipeline, tell=self.notifier.consider)

    def stop(self) -> None:
        """The end of the service."""
        self.notifier.finish(self.wait, self.now)
        self.world.end()

    def restart(self) -> None:
        self.notifier.finish(self.wait, self.now)
        self.world.crash()
        self.begin()

    @property
    def now(self) -> int:
        return self.world.pipeline.clock.now()

    def look(self, seconds: int = 300) -> None:
        """Five minutes of the service."""
        self.world.run(seconds)
        self.watch()
        self.notifier.settle(self.wait, self.now)

    def looks(self, seconds: int, every: int = 300) -> None:
        for _ in range(seconds // every):
            self.look(every)

    def problems(self, kind: str) -> list[Any]:
        made = build_report(self.world.settings, self.world.store.db, self.now)
        return [at for at in made.problems if at.kind == kind]
