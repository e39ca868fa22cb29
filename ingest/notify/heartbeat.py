"""The heartbeat: an address that is asked while all is well, so that a machine that is dead is noticed from outside.

The convention is that of healthchecks.io and services like it: `URL` is success, `URL/fail` raises the alarm at once,
and silence raises it after a while.
"""

from collections.abc import Callable

from ingest.core.http import Request, Transport

FAIL = "/fail"


def heartbeat(url: str, transport: Transport) -> Callable[[bool], str]:
    """What beats once: told whether reading has stopped; returns the error in words. No data leave but the request."""

    def beat(stopped: bool) -> str:  # noqa: FBT001 - the load of a channel
        reply = transport.send(Request("GET", url + FAIL if stopped else url))
        if reply.status == 0:
            return reply.failure.partition(";")[0]
        if 300 <= reply.status < 400:
            return f"it answers {reply.status}, a redirect; write the address that it leads to"
        return "" if reply.status < 300 else f"it answers {reply.status}"

    return beat
