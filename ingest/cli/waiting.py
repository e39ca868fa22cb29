"""`run` without credentials: it stays up, makes no call, and starts when they are filled in."""

import contextlib
import logging
import math
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from ingest.cli.context import Context
from ingest.core.errors import ConfigError
from ingest.logs import event
from ingest.report.problems import credentials
from ingest.store.database import Store
from ingest.web import Source, serve

log = logging.getLogger(__name__)

LOOK_S = 2.0


def wait_for_credentials(context: Context) -> bool:
    """Wait until the configuration is complete: True then, False when told to stop. Raises `StateLocked`."""
    settings, clock = context.settings, context.clock
    stopping = threading.Event()

    def stop(number: int, _: FrameType | None) -> None:
        event(log, logging.INFO, "stopping", signal=signal.Signals(number).name)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with contextlib.closing(Store(settings.state_dir, own=True)) as store:
        page = serve(Source(settings, store, clock.now, clock.now, context.command))
        for problem in credentials(settings):
            event(log, logging.WARNING, "bad", what=problem.key, why=problem.text, page=context.address(page) or None)
        try:
            found = wait_for(lambda: _is_complete(context), stopping, LOOK_S)
        finally:
            if page:
                page.stop()
    if found:
        event(log, logging.INFO, "good", what="credentials", why="the configuration is complete")
    return found


def wait_for(check: Callable[[], bool], end: threading.Event, every: float, seconds: float = math.inf) -> bool:
    """Look again after every pause; True once `check` is, False at the `end` or when the time is over."""
    last = time.monotonic() + seconds
    while not end.wait(every) and time.monotonic() < last:
        if check():
            return True
    return False


def _is_complete(context: Context) -> bool:
    """Look at the configuration again, which may be another file by now; takes it over when nothing is missing."""
    fresh = Context(context.config, context.state_dir)
    try:
        settings = fresh.settings
    except ConfigError:
        return False
    if settings.missing_credentials():
        return False
    context.settings = settings
    return True
