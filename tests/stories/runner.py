"""The real service under a fast clock, made to be killed: `python -m tests.stories.runner CONFIG TIME`.

Prints `ready` once it begins to work; ends on SIGTERM like `ingest run`.
"""

import sys
from pathlib import Path

from ingest import logs
from ingest.config import load
from ingest.service import build, identity
from ingest.service.clock import Clock
from ingest.service.scheduler import Service
from tests.stories.fasttime import FastTime


def main(config: Path, time: FastTime) -> None:
    logs.setup(verbose=False)
    settings = load(config, {})
    clock = Clock(time.now, time.now, time.sleep)
    cloud = identity.cloud_of(settings)
    store = identity.open_store(settings, cloud, own=True)
    pool = build.fetch_pool(settings)
    pipeline = build.pipeline(settings, cloud, store, clock, build.network(clock), pool)
    senders = build.senders(settings, store)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    try:
        Service(pipeline, senders, report=lambda: None).run()
    finally:
        for sender in senders:
            sender.close()
        store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), FastTime(Path(sys.argv[2])))
