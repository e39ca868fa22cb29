"""Pages of panels: read to the last one, also where a reply tells neither its number nor how many panels there are."""

import json
from typing import Any

import pytest

from ingest.core.http import Reply, Request
from ingest.core.span import Span
from ingest.core.units import DAY
from ingest.enphase.call import Purpose, Task
from ingest.enphase.streams import BY_NAME
from ingest.fetch.worker import fetch

START = 1_750_000_500


class Page:
    """A cloud that answers each call with the same."""

    def __init__(self, **reply: Any) -> None:
        self._body = json.dumps(reply).encode()

    def send(self, _: Request) -> Reply:
        return Reply(200, self._body, START + DAY)


@pytest.mark.parametrize(
    ("told", "asked", "following"),
    [
        ({}, "", "2"),
        ({}, "3 1-2-3-live 3", "4"),
        ({"page": 3}, "3 1-2-3-live 3", "4"),
        ({"total_devices": 60}, "3 1-2-3-live 3", ""),
        ({"total_devices": 61}, "3 1-2-3-live 3", "4"),
        ({"page": 1}, "2 1-2-3-live 2", ""),
        ({"total_devices": 0, "page": 1, "page_size": 20}, "", "2"),
        ({"total_devices": 10}, "3 1-2-3-live 3", "4"),
        ({"total_devices": "60"}, "3 1-2-3-live 3", "4"),
        ({"total_devices": 20}, "", ""),
    ],
)
def test_the_page_that_follows(told: dict[str, object], asked: str, following: str) -> None:
    devices = [{"serial_number": str(number), "intervals": []} for number in range(20)]
    task = Task("home", "1", BY_NAME["micros"], Span(START, START + DAY), Purpose.LIVE, asked)
    outcome = fetch(task, 1, Request("GET", ""), "v4", "", None, Page(devices=devices, **told))
    assert outcome.cursor == following, outcome.verdict
