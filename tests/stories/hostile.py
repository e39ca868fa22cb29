"""An installation with a hostile cloud, in a process of its own:
`python -m tests.stories.hostile DIR SEED COUNT PORT VERSION`.

Time jumps to what is due; replies come over real connections. Prints the port of the page, and at the end one JSON
document of what it cost.
"""

import json
import random
import re
import select
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from ingest import logs
from ingest.auth.standing import standing
from ingest.core.http import Reply, Request
from ingest.deliver.sink import Target
from ingest.fetch import transport
from ingest.fetch.transport import HttpTransport
from ingest.report import build_report
from ingest.service import identity, onboarding
from ingest.service.garbage import be_frugal
from ingest.simulator import SimulatedServer, demo_sites, enlighten_id
from ingest.web import Source, authorize, create_app
from ingest.web.server import Server
from tests.world import START, Database, World

WHOLE_S = 0.4
"""The longest that a reply may take here, so that what drips costs little."""


class Line:
    """A transport that sends every second request to the hostile server, and the others to one that is well."""

    def __init__(self, good: SimulatedServer, port: int, count: int) -> None:
        self._real, self._good, self._port = HttpTransport(lambda _: None, "test"), good, port
        self.spoil, self.count, self.left = False, count, count
        self._lock = threading.Lock()  # the page exchanges codes in threads of its own

    def send(self, request: Request) -> Reply:
        """The number in the path says which reply is wanted."""
        with self._lock:
            self.spoil = not self.spoil and self.left > 0
            base = f"http://127.0.0.1:{self._port}/{self.count - self.left}" if self.spoil else self._good.url
            self.left -= self.spoil
        return self._real.send(replace(request, url=base + urlsplit(request.url).path))


class Forgetful(Database):
    """A database that takes everything and keeps nothing: it is no part of the program, whose memory is measured."""

    def write(self, lines: Sequence[str]) -> int:
        self.writes += len(lines)
        return 0


class Installation(World):
    """A world whose database keeps nothing from the first point on."""

    def _open(self, _: Target) -> Database:
        return Forgetful()


def most_memory() -> int:
    """The most memory (MB) that this process has held; `getrusage` tells that of its parent, where that is more."""
    return int(re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) >> 10


def main(folder: Path, seed: int, count: int, port: int, version: str) -> None:
    be_frugal()
    logs.setup(verbose=False)
    transport.WHOLE_S = WHOLE_S
    rng = random.Random(seed)
    accounts = {"home": {"enlighten_id": enlighten_id("owner")} if version == "v2" else {}}
    api = {"version": version}
    world = Installation(folder, demo_sites(START, 1, 10), web={"listen": "127.0.0.1:0"}, api=api, accounts=accounts)
    clock = world.pipeline.clock
    good = SimulatedServer(world.cloud)
    good.start()
    line = Line(good, port, count)
    world.pipeline.transport = line
    if world.pipeline.accounts._authorizer:
        world.pipeline.accounts._authorizer._transport = line
    before = most_memory()
    beat = [time.monotonic()]
    flow = onboarding.flow(world.settings, clock, line, identity.cloud_of(world.settings))
    source = Source(world.settings, world.store, lambda: int(time.monotonic()), lambda: int(beat[0]))
    page = Server(create_app(source, [authorize.blueprint(flow)]), "127.0.0.1", 0).start()
    sys.stdout.write(f"{page.port}\n")
    sys.stdout.flush()
    while line.left:
        world.step(world.time.true + 40 * 86400)
        beat[0] = time.monotonic()
        if version == "v4" and rng.random() < 0.02:  # the token endpoint is asked, too
            world.pipeline.accounts._states["home"].stale = world.pipeline.accounts.grant("home", clock.now())
        if any(one.state == "dead" for one in standing(world.settings, clock.now())):  # it was given a false pair
            world.consent()
    calls = [at for (at,) in world.store.db.execute("SELECT at FROM calls ORDER BY at")]
    busiest = max(sum(1 for other in calls[at : at + 40] if other < begin + 60) for at, begin in enumerate(calls))
    document = {
        "calls": len(calls),
        "busiest": busiest,
        "memory_before_mb": before,
        "memory_mb": most_memory(),
        "problems": [problem.text for problem in build_report(world.settings, world.store.db, clock.now()).problems],
    }
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()
    while not select.select([sys.stdin], [], [], 0.2)[0]:  # until the browser has had enough
        beat[0] = time.monotonic()
    page.stop()


if __name__ == "__main__":
    folder, seed, count, port, version = sys.argv[1:]
    main(Path(folder), int(seed), int(count), int(port), version)
