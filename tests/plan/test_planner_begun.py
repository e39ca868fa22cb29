"""A window of which a part was read: when the next call for it is made."""

from dataclasses import replace
from typing import Any

import pytest

from ingest.core.span import Span
from ingest.core.units import DAY, HOUR
from ingest.enphase.call import Purpose, Task
from ingest.enphase.streams import BY_NAME
from ingest.plan.coverage import Advance
from ingest.plan.planner import due_at, history_tasks, live_tasks
from tests.plan.test_planner import CLASSES, NOW, work


def test_a_begun_window_goes_on_in_the_silence_of_a_gateway() -> None:
    window = f"{NOW - 3 * DAY}-{NOW - 2 * DAY}-{NOW - HOUR}"
    changes: dict[str, Any] = {"probe_at": NOW + HOUR, "asked_at": NOW, "log": (Advance(NOW - DAY, NOW - DAY),)}
    past = work("micros", cursor=f"2 {window}-history 2", **changes)
    assert live_tasks([past], NOW, CLASSES) == []
    (task,) = history_tasks([past], NOW, CLASSES)
    assert (task.purpose, task.page, task.window.start) == (Purpose.HISTORY, 2, NOW - 3 * DAY)
    assert (
        history_tasks([work("micros", cursor=f"2 {window}-history 2", rest_until=NOW + 1, **changes)], NOW, CLASSES)
        == []
    )
    news = work("micros", cursor=f"2 {window}-live 2", **changes)
    (task,) = live_tasks([news], NOW, CLASSES)
    assert (task.purpose, task.page) == (Purpose.LIVE, 2)
    assert history_tasks([news], NOW, CLASSES) == []


def test_a_begun_window_of_history_goes_behind_what_is_overdue_and_is_finished_when_news_are_due() -> None:
    begun = f"2 {NOW - 3 * DAY}-{NOW - 2 * DAY}-{NOW - HOUR}-history 2"
    assert due_at(work("micros", cursor=begun, asked_at=NOW)) > NOW
    late = work("micros", cursor=begun, asked_at=NOW - 2 * DAY)
    (task,) = live_tasks([late], NOW, CLASSES)
    assert (task.purpose, task.page) == (Purpose.HISTORY, 2)


@pytest.mark.parametrize("now", [("A", "B", "C", "D"), ("A", "BB", "C"), ("B", "C", "D")])
def test_where_the_list_of_devices_has_changed_a_window_is_read_from_its_beginning(now: tuple[str, ...]) -> None:
    window = Span(NOW - 2 * DAY, NOW - DAY)
    first = Task("home", "1", BY_NAME["encharges"], window, Purpose.LIVE, devices=("B", "C", "D"))
    begun = replace(first, cursor=first.going_on("C", window.end, NOW))
    cursor = begun.going_on("D", window.end, NOW)
    (task,) = live_tasks([work("encharges", devices=now, cursor=cursor)], NOW, CLASSES)
    goes_on = now == begun.devices
    assert (task.device, task.window, bool(task.begun_at)) == ("D" if goes_on else now[0], window, goes_on)


def test_where_no_device_is_left_a_begun_window_is_not_gone_on_with() -> None:
    cursor = f"2 {NOW - 3 * DAY}-{NOW - 2 * DAY}-{NOW - HOUR}-history B"
    assert history_tasks([work("encharges", cursor=cursor)], NOW, CLASSES) == []
