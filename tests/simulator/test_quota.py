"""The plan is never exceeded, refusals say when to come back, and cost nothing."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.simulator import Caller, Cloud, Faults, Site

NOW = datetime(2026, 4, 20, 21, 7, 30, tzinfo=UTC).timestamp()
MAY = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp())
HOUSE = Site(66, "House", "UTC", 37.8, -121.3, 7600, 20, int(NOW) - 100 * 86400)


class World:
    def __init__(self, **options: Any) -> None:
        self.now = NOW
        self.cloud = Cloud([HOUSE], clock=lambda: self.now, **options)
        self.caller = Caller(self.cloud).authorize()

    def statuses(self, calls: int) -> list[int]:
        return [self.caller.get("/66").status for _ in range(calls)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 30), min_size=1, max_size=120), st.integers(1, 12), st.integers(1, 60))
def test_no_minute_and_no_month_ever_has_more_calls_than_the_plan(
    pauses: list[float], per_minute: int, per_month: int
) -> None:
    world = World(plan=(per_minute, per_month))
    for pause in pauses:
        world.now += pause
        world.caller.get("/66")
    counted = [call.at for call in world.cloud.calls if call.counted]
    assert len(counted) <= per_month
    for at in counted:
        assert sum(at - 60 < other <= at for other in counted) <= per_minute


def test_a_plan_grants_all_it_promises() -> None:
    world = World(plan="watt")
    assert world.statuses(11) == [200] * 10 + [429]
    world.now += 60
    assert world.statuses(11) == [200] * 10 + [429]


def test_waiting_until_period_end_is_always_enough_and_no_longer_than_a_minute() -> None:
    world = World(plan=(3, 1000))
    for pause in (0.4, 1.3, 20.7):
        world.now += pause
        world.caller.get()
    refused = json.loads(world.caller.get().body)
    assert refused["period"] == "minute"
    assert refused["limit"] == 3
    assert world.now < refused["period_end"] <= world.now + 60
    world.now = refused["period_end"]
    assert world.statuses(2) == [200, 429]


def test_the_month_ends_with_the_calendar_in_utc() -> None:
    world = World(plan=(100, 5))
    assert world.statuses(6) == [200] * 5 + [429]
    refused = json.loads(world.caller.get().body)
    assert (refused["period"], refused["period_end"], refused["limit"]) == ("month", MAY, 5)
    world.now = MAY - 1
    world.caller.authorize()
    assert world.statuses(1) == [429]
    world.now = MAY
    assert world.statuses(1) == [200]


def test_calls_of_other_tools_use_the_same_month() -> None:
    world = World(plan=(100, 10), other_tools=lambda _: 8)
    assert world.statuses(3) == [200, 200, 429]


def test_refusals_overload_and_bad_credentials_are_not_counted() -> None:
    world = World(plan=(100, 5), faults=Faults(html=1.0))
    world.statuses(5)
    world.cloud.faults = Faults(throttle=1.0)
    assert world.statuses(5) == [429] * 5
    world.cloud.faults = Faults(wrong_key=True)
    assert world.statuses(5) == [401] * 5
    world.cloud.faults = Faults()
    assert world.statuses(6) == [200] * 5 + [429]
    assert sum(call.counted for call in world.cloud.calls) == 5


def test_everything_else_is_counted_whether_or_not_it_is_of_use() -> None:
    world = World(plan=(100, 100), faults=Faults(timeout=1.0))
    world.statuses(2)
    world.cloud.faults = Faults(error_5xx=1.0)
    world.statuses(2)
    world.cloud.faults = Faults()
    world.caller.get("/1")
    assert [call.counted for call in world.cloud.calls] == [True] * 5


def test_token_calls_count_only_if_told_so() -> None:
    free, charged = World(plan=(100, 2)), World(plan=(100, 2), token_calls_count=True)
    assert free.statuses(3) == [200, 200, 429]
    assert charged.statuses(2) == [200, 429]
    assert charged.caller.token(grant_type="refresh_token", refresh_token="x").status == 429
    assert [call.counted for call in charged.cloud.token_calls] == [True, False]
    charged.cloud.faults = Faults(token_down="html")
    charged.caller.token(grant_type="refresh_token")
    assert not charged.cloud.token_calls[-1].counted


@pytest.mark.parametrize("form", ["with_period", "without_period"])
def test_both_published_forms_of_a_refusal(form: str) -> None:
    world = World(plan=(1, 100), quota_form=form)
    world.statuses(1)
    body = json.loads(world.caller.get("/66").body)
    assert body["details"].startswith("Usage limit exceeded for plan")
    assert ("period_end" in body) == (form == "with_period")


def test_v2_refuses_with_409() -> None:
    world = World(plan="watt")
    world.statuses(10)
    answer = world.caller.get_v2("/66/stats")
    assert answer.status == 409
    assert json.loads(answer.body)["reason"] == "409"


def test_calls_are_recorded_without_the_key() -> None:
    world = World(plan="watt")
    world.caller.get("/66/telemetry/production_micro", start_at=int(NOW) - 86400)
    call = world.cloud.calls[0]
    assert (call.at, call.status) == (NOW, 200)
    assert call.path == "/api/v4/systems/66/telemetry/production_micro"
    assert call.params == {"start_at": str(int(NOW) - 86400)}
