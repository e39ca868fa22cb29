"""What is taken of a reply, and what it takes."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import cycle
from typing import Any

import pytest

from ingest.core.http import Reply, Request
from ingest.core.point import Point
from ingest.core.span import Span
from ingest.core.units import DAY, HOUR
from ingest.enphase.call import Purpose, Task, unfinished
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Odd
from ingest.enphase.streams.consumption import STREAM as CONSUMPTION
from ingest.enphase.streams.site import SYSTEMS
from ingest.fetch import worker
from ingest.fetch.credible import not_ahead

NOW = 1_782_864_000


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


@pytest.mark.parametrize("date_at", [None, NOW])
def test_what_lies_in_the_future_is_no_point_also_where_the_cloud_tells_no_time(date_at: int | None) -> None:
    class Cloud:
        def send(self, _: Request) -> Reply:
            rows = [{"end_at": end, "enwh": 1, "devices_reporting": 1} for end in (NOW - 900, NOW, NOW + 3 * DAY)]
            told = {"intervals": rows, "meta": {"last_report_at": NOW + 2 * HOUR}}
            return Reply(200, json.dumps(told).encode(), date_at)

    for version in ("v2", "v4"):
        task = Task("home", "1", CONSUMPTION, Span(NOW - DAY, NOW), Purpose.LIVE)
        outcome = worker.fetch(task, 1, Request("GET", ""), version, "", None, Cloud(), NOW + 1)
        assert [point.time for point in outcome.points] == [NOW - 1800, NOW - 900]
        assert len(outcome.odd) == 1, "and it is counted"
        assert (outcome.reported_at, outcome.date_at) == (None, date_at)


@pytest.mark.parametrize(("stream", "ahead"), [("events", 0), ("events", 90), ("consumption", 0)])
def test_what_happened_this_minute_is_no_row_of_the_future(stream: str, ahead: int) -> None:
    """An event lasts no time; an interval that began now has not been measured."""
    at = 1_782_864_000
    found = BY_NAME[stream]
    good, odd = not_ahead([Point("event", (), at + ahead, {"text": "it"})], found.lasts, at)
    assert (len(good), len(odd)) == ((1, 0) if (stream, ahead) == ("events", 0) else (0, 1))


@pytest.mark.parametrize("circle", [["a"], ["a", "b"], ["a", "b", "c"], ["x", "y", "a", "b", "c", "d", "e"]])
def test_a_list_that_goes_round_in_a_circle_ends(circle: list[str]) -> None:
    names, task, calls = cycle(circle), Task("home", "@home", SYSTEMS, Span(0, 0), Purpose.SNAPSHOT), 1
    while cursor := worker._next_page(task, {"systems": [], "next": next(names)}, "v2"):
        task, calls = replace(task, cursor=task.following(cursor)), calls + 1
    assert len(circle) < calls <= 3 * len(circle) + 1


def test_a_list_of_other_names_goes_on_to_its_end() -> None:
    task, asked = Task("home", "@home", SYSTEMS, Span(0, 0), Purpose.SNAPSHOT), []
    for number in range(1, 60):
        cursor = worker._next_page(task, {"systems": [], "next": f"n{number}"}, "v2")
        task = replace(task, cursor=task.following(cursor))
        asked.append((task.page, task.page_name))
    assert asked == [(number + 1, f"n{number}") for number in range(1, 60)]
    assert unfinished(task.cursor) is None
