"""The real service under a fast clock, made to be killed: `python -m tests.stories.runner CONFIG TIME`.

Prints `ready` once it begins to work; ends on SIGTERM like `ingest run`.
"""

import sys
from pathlib import Path

from ingest import app, identity, logs
from ingest.clock import Clock
from ingest.config import load
from ingest.scheduler import Service
from tests.stories.fasttime import FastTime


def main(config: Path, time: FastTime) -> None:
    logs.setup(verbose=False)
    settings = load(config, {})
    clock = Clock(time.now, time.now, time.sleep)
    cloud = identity.cloud_of(settings)
    store = identity.open_store(settings, cloud, own=True)
    pool = app.fetch_pool(settings)
    pipeline = app.pipeline(settings, cloud, store, clock, app.network(clock), pool, lambda words: f"ingest {words}")
    senders = app.senders(settings, store)
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
