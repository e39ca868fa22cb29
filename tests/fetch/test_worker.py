"""What is taken of a reply, and what it takes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ingest.core.http import Reply, Request
from ingest.core.span import Span
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams.base import Odd
from ingest.enphase.streams.site import SYSTEMS
from ingest.fetch import worker


def test_of_a_reply_without_end_no_more_is_read_than_is_taken() -> None:
    """A page of ninety thousand systems is not read to its end for the thousand that are taken."""
    rows = iter([Odd("no system", "{}"), *range(90_000)])
    good, odd = worker._sorted_out(rows, most=1000)
    assert (good, len(odd)) == ([*range(1000)], 1)
    assert len(list(rows)) == 90_000 - 1001


def test_of_many_replies_that_come_at_once_one_is_in_memory_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes come together; what they are parsed to, many times as much, does not."""
    arrived, met = threading.Barrier(3), threading.Barrier(2)

    class Cloud:
        def send(self, _: Request) -> Reply:
            arrived.wait(30)
            return Reply(200, b"{}")

    def reading(*_: Any, **__: Any) -> Verdict:
        try:
            met.wait(0.3)
        except threading.BrokenBarrierError:
            return Verdict(Kind.OK, data={"systems": []})
        raise AssertionError("two are read at once")

    monkeypatch.setattr(worker, "verdict", reading)
    task = Task("home", "", SYSTEMS, Span(0, 0), Purpose.SNAPSHOT)
    with ThreadPoolExecutor(3) as pool:
        request = Request("GET", "https://cloud.example/systems")
        done = [pool.submit(worker.fetch, task, at, request, "v4", "", None, Cloud()) for at in range(3)]
        assert [each.result().verdict.kind for each in done] == [Kind.OK] * 3
