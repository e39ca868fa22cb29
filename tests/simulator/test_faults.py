"""What goes wrong on purpose, and how often."""

import json

import pytest

from ingest.simulator import faults_from
from tests.simulator.test_errors import World


def test_overload_is_html_with_any_status() -> None:
    world = World(html=1.0)
    answers = [world.get("/66") for _ in range(20)]
    assert {answer.status for answer in answers} == {200, 503}
    assert all(b"<html>" in answer.body for answer in answers)
    assert all("html" in answer.headers["Content-Type"] for answer in answers)


def test_faults_on_the_way_back() -> None:
    assert World(timeout=1.0).get("/66").hang
    assert World(cut_off=1.0).get("/66").cut
    assert World(slow=1.0, slow_by=3.0).get("/66").delay == 3.0
    assert "intervals" not in json.loads(World(wrong_shape=1.0).get("/66/rgm_stats").body)
    with pytest.raises(json.JSONDecodeError):
        json.loads(World(not_json=1.0).get("/66").body)


def test_a_rate_is_a_share_of_calls_and_repeats_with_the_seed() -> None:
    def statuses() -> list[int]:
        world = World(plan=(10**6, 10**6), error_5xx=0.3)
        return [world.get("/66").status for _ in range(300)]

    assert statuses() == statuses()
    assert 50 < sum(status >= 500 for status in statuses()) < 130


def test_names_of_faults_are_checked() -> None:
    assert faults_from({"html": 0.1}).html == 0.1
    with pytest.raises(ValueError, match=r"no fault is called 'htlm'; there are: .*html"):
        faults_from({"htlm": 0.1})
    with pytest.raises(ValueError, match="rate of html must be from 0 to 1"):
        faults_from({"html": 10})
