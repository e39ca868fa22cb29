"""Replies of daily totals: read as documented, refused in any other shape."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from ingest.core.http import Reply, Request
from ingest.core.span import Span
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind
from ingest.enphase.requests import ApiTarget, request
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Lifetime, Stream
from ingest.enphase.streams.lifetime import CONSUMPTION, ENERGY
from ingest.fetch.worker import Outcome, fetch

META = {"last_report_at": 1445619615, "last_energy_at": 1445619033, "operational_at": 1357023600}
PRODUCED = [15422, 15421, 17118]


class OneReply:
    def __init__(self, body: str, status: int) -> None:
        self.reply = Reply(status, body.encode(), 1_750_000_000)

    def send(self, _: Request) -> Reply:
        return self.reply


def outcome(stream: Stream, body: Any, version: str = "v4", status: int = 200) -> Outcome:
    task = Task("home", "66", stream, Span(0, 0), Purpose.SNAPSHOT)
    asked = request(ApiTarget(version, "https://cloud.example", "key"), task, "grant")
    return fetch(task, 1, asked, version, "grant", None, OneReply(json.dumps(body) if body is not None else "", status))


def test_production_comes_with_both_its_sources() -> None:
    body = {
        "system_id": 66,
        "start_date": "2013-01-01",
        "meter_start_date": "2013-01-04",
        "production": PRODUCED,
        "micro_production": [15422, 15421, None],
        "meter_production": [0, -1, 11388],
        "meta": META,
    }
    found = outcome(ENERGY, body)
    series: dict[str, Sequence[float | None]] = {
        "production": [15422.0, 15421.0, 17118.0],
        "micro_production": [15422.0, 15421.0, None],
        "meter_production": [0.0, -1.0, 11388.0],
    }
    assert Lifetime(date(2013, 1, 1), series, {"meter_production": date(2013, 1, 4)}) == found.lifetime
    assert (Kind.OK, [], 1445619615) == (found.verdict.kind, found.points, found.reported_at)


def test_v2_knows_the_merged_series_only() -> None:
    found = outcome(ENERGY, {"system_id": 66, "start_date": "2013-01-01", "production": PRODUCED, "meta": META}, "v2")
    assert Lifetime(date(2013, 1, 1), {"production": [15422.0, 15421.0, 17118.0]}) == found.lifetime


def test_consumption_has_one_series() -> None:
    found = outcome(CONSUMPTION, {"system_id": 66, "start_date": "2016-08-01", "consumption": PRODUCED, "meta": META})
    assert Lifetime(date(2016, 8, 1), {"consumption": [15422.0, 15421.0, 17118.0]}) == found.lifetime


@pytest.mark.parametrize("name", ["import_lifetime", "export_lifetime", "battery_lifetime"])
def test_the_examples_of_the_vendor_are_read(name: str) -> None:
    stream = BY_NAME[name]
    days = [15422.0, 15421.0, 17118.0, 18505.0, 18511.0, 18487.0]
    arrays = {series.key: days for series in stream.series}
    body = {"system_id": 66, "start_date": "2016-08-01", **arrays, "meta": META}
    assert Lifetime(date(2016, 8, 1), arrays) == outcome(stream, body).lifetime


def test_a_system_that_never_produced_has_no_days() -> None:
    found = outcome(ENERGY, {"system_id": 66, "start_date": None, "production": [], "meta": None})
    assert Lifetime(None, {}) == found.lifetime


def test_without_a_meter_v2_has_nothing_to_say() -> None:
    assert Kind.NOTHING == outcome(CONSUMPTION, None, "v2", 204).verdict.kind


@pytest.mark.parametrize(
    "changes",
    [
        {"production": None},
        {"production": {"2013-01-01": 1}},
        {"production": [0] * 40_000},
        {"start_date": "the first"},
        {"start_date": 1357023600},
        {"start_date": "0001-01-01"},
        {"start_date": "9999-12-31"},
        {"system_id": 67},
    ],
)
def test_another_shape_is_garbled(changes: dict[str, Any]) -> None:
    body = {"system_id": 66, "start_date": "2013-01-01", "production": PRODUCED} | changes
    assert Kind.GARBLED == outcome(ENERGY, body).verdict.kind


@pytest.mark.parametrize("odd", ["15422", [15422], True, "n/a"])
def test_a_total_that_cannot_be_read_costs_its_day(odd: object) -> None:
    found = outcome(ENERGY, {"system_id": 66, "start_date": "2013-01-01", "production": [1, odd, 3]})
    assert found.lifetime is not None
    assert found.lifetime.series == {"production": [1.0, None, 3.0]}
    (told,) = found.odd
    assert "2013-01-02" in told.sample


@pytest.mark.parametrize(
    ("changes", "read", "told"),
    [
        ({"micro_production": "n/a"}, ["production", "meter_production"], ["not str"]),
        ({"production": None}, ["micro_production", "meter_production"], []),
        ({"production": 5, "meter_production": {"0": 1}}, ["micro_production"], ["not int", "not dict"]),
    ],
)
def test_an_array_that_cannot_be_read_costs_no_other(changes: dict[str, Any], read: list[str], told: list[str]) -> None:
    arrays = {"production": [1, 2], "micro_production": [1, 2], "meter_production": [1, 2]}
    found = outcome(ENERGY, {"system_id": 66, "start_date": "2013-01-01", **arrays} | changes)
    assert found.lifetime is not None
    assert found.lifetime.series == {key: [1.0, 2.0] for key in read}
    assert len(told) == len(found.odd)
    assert all(words in odd.reason for words, odd in zip(told, found.odd, strict=True))


def test_a_battery_of_which_only_the_discharge_is_known_has_that() -> None:
    body = {"system_id": 66, "start_date": "2013-01-01", "charge": None, "discharge": [1, 2]}
    found = outcome(BY_NAME["battery_lifetime"], body)
    assert found.lifetime is not None
    assert found.lifetime.series == {"discharge": [1.0, 2.0]}


def test_a_series_whose_beginning_cannot_be_read_is_left_out() -> None:
    body = {"start_date": "2013-01-01", "production": [1], "meter_production": [1], "meter_start_date": "later"}
    found = outcome(ENERGY, {"system_id": 66, **body})
    assert found.lifetime is not None
    assert list(found.lifetime.series) == ["production"]
    (told,) = found.odd
    assert "later" in told.reason


@pytest.mark.parametrize("missing", ["production", "start_date"])
def test_a_reply_without_its_parts_is_garbled(missing: str) -> None:
    body = {"start_date": "2013-01-01", "production": PRODUCED}
    del body[missing]
    assert Kind.GARBLED == outcome(ENERGY, body).verdict.kind


@pytest.mark.parametrize(
    ("stream", "version", "asked"),
    [
        (ENERGY, "v4", {"production": "all"}),
        (ENERGY, "v2", {"user_id": "grant", "production": "all"}),
        (CONSUMPTION, "v4", {}),
    ],
)
def test_both_sources_are_asked_for_where_that_is_possible(stream: Stream, version: str, asked: dict[str, str]) -> None:
    task = Task("home", "66", stream, Span(0, 0), Purpose.SNAPSHOT)
    made = request(ApiTarget(version, "https://cloud.example", "key"), task, "grant")
    assert {"key": "key"} | asked == made.params
    assert made.url.endswith(f"/api/{version}/systems/66/{stream.name}")
