"""Lateness, outages and growing intervals: nothing is shown before its time, everything in the end."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.simulator import Caller, Cloud, Site

DAY = 86400
START = int(datetime(2026, 6, 1, 7, 0, tzinfo=UTC).timestamp())  # midnight in California
HOUSE = Site(
    system_id=66,
    name="House",
    timezone="America/Los_Angeles",
    latitude=37.8,
    longitude=-121.3,
    size_w=7600,
    modules=20,
    operational_at=START - 100 * DAY,
)
PATHS = {
    "stats": "telemetry/production_micro",
    "rgm_stats": "rgm_stats",
    "consumption": "telemetry/consumption_meter",
}


class World:
    def __init__(self, site: Site, now: float = START) -> None:
        self.now = now
        self.cloud = Cloud([site], clock=lambda: self.now, plan=(10**9, 10**9))
        self.caller = Caller(self.cloud)

    def shown(self, stream: str, now: int, start: int = START) -> dict[int, Any]:
        self.now = now
        return {row["end_at"]: row for row in self.cloud.visible(66, stream, start, start + DAY, now)}

    def final(self, stream: str, start: int = START) -> dict[int, Any]:
        return {row["end_at"]: row for row in self.cloud.truth(66, stream, start, start + DAY)}


def odd_sites() -> st.SearchStrategy[Site]:
    spans = st.tuples(st.integers(-DAY, DAY), st.integers(1, 2 * DAY))
    outage = spans.map(lambda s: (START + s[0], START + s[0] + s[1]))
    hidden = st.tuples(outage, st.integers(0, 3 * DAY)).map(lambda h: (*h[0], h[0][1] + h[1]))
    return st.builds(
        lambda every, late, partial, offline, hide: replace(
            HOUSE, upload_every=every, late=late, partial=partial, offline=tuple(offline), hidden=tuple(hide)
        ),
        st.sampled_from([900, 21600]),
        st.sampled_from([0.0, 0.5]),
        st.sampled_from([0.0, 0.5]),
        st.lists(outage, max_size=2),
        st.lists(hidden, max_size=1),
    )


@settings(max_examples=30, deadline=None)
@given(odd_sites(), st.sampled_from(sorted(PATHS)), st.integers(0, 2 * DAY))
def test_rows_appear_after_their_end_stay_and_only_grow(site: Site, stream: str, after: int) -> None:
    world = World(site)
    energy = "wh_del" if stream == "rgm_stats" else "enwh"
    earlier, later = world.shown(stream, START + after), world.shown(stream, START + after + 5000)
    final = world.final(stream)
    assert all(end <= START + after for end in earlier)
    assert set(earlier) <= set(later) <= set(final)
    for end, row in earlier.items():
        assert row[energy] <= later[end][energy] <= final[end][energy]
        assert row["devices_reporting"] <= later[end]["devices_reporting"]


@settings(max_examples=30, deadline=None)
@given(odd_sites(), st.sampled_from(sorted(PATHS)))
def test_in_the_end_everything_is_shown(site: Site, stream: str) -> None:
    world = World(site)
    assert world.shown(stream, START + 30 * DAY) == world.final(stream)


@settings(max_examples=20, deadline=None)
@given(odd_sites(), st.integers(0, 4 * DAY))
def test_daily_totals_are_the_sums_of_what_is_shown(site: Site, after: int) -> None:
    world = World(site, START + DAY + after)
    reply = world.caller.json("/66/energy_lifetime", start_date="2026-06-01", end_date="2026-06-01")
    rows = world.cloud.visible(66, "rgm_stats", START, START + DAY, int(world.now))
    assert reply["production"] == [sum(row["wh_del"] for row in rows)]


@pytest.mark.parametrize("stream", sorted(PATHS))
def test_a_route_shows_what_is_visible_and_no_more(stream: str) -> None:
    world = World(replace(HOUSE, late=0.5, partial=0.5), START + 60000)
    reply = world.caller.json(f"/66/{PATHS[stream]}", start_at=START)
    seen = world.cloud.visible(66, stream, START, START + DAY, START + 60000)
    expected = [{k: v for k, v in row.items() if k != "channels"} for row in seen]
    assert reply["intervals"] == expected
    assert 0 < len(expected) < 60000 / (300 if stream == "stats" else 900)


def test_uploads_come_every_quarter_hour_and_rows_with_them() -> None:
    world = World(HOUSE)
    reports = {world.cloud.last_report_at(66, now) for now in range(START, START + DAY, 60)}
    assert len(reports) in (96, 97)
    for now in range(START + 3600, START + 7200, 300):
        report = world.cloud.last_report_at(66, now)
        assert report is not None
        assert max(world.shown("stats", now)) == report // 300 * 300


def test_a_cellular_gateway_reports_four_times_a_day() -> None:
    world = World(replace(HOUSE, upload_every=21600))
    assert len({world.cloud.last_report_at(66, START + at) for at in range(0, DAY, 600)}) in (4, 5)
    assert world.caller.json("/66")["connection_type"] == "cellular"
    assert "cellular_modem" in world.caller.json("/66/devices")["devices"]["gateways"][0]


def test_while_offline_nothing_moves_and_the_backlog_trickles_in_after() -> None:
    out, back = START + 6 * 3600, START + 12 * 3600
    world = World(replace(HOUSE, offline=((out, back),)))
    before = world.shown("stats", out)
    frozen = world.cloud.last_report_at(66, out)
    world.now = back - 1
    assert world.shown("stats", back - 1) == before
    assert world.cloud.last_report_at(66, back - 1) == frozen
    assert world.caller.json("/66")["status"] == "comm"
    sizes = [len(world.shown("stats", back + minutes * 60)) for minutes in range(0, 120, 15)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[3] < sizes[-1]
    newest = world.cloud.last_report_at(66, back + 1800)
    assert newest is not None
    assert newest > back
    hole = set(world.final("stats")) - set(world.shown("stats", back + 1800))
    assert any(end < back for end in hole)


def test_the_odometer_of_an_outage_is_the_last_one_before_it() -> None:
    out, back = START + 8 * 3600, START + 14 * 3600
    world = World(replace(HOUSE, offline=((out, back),)), back + DAY)
    reading = world.cloud.odometer(66, back - 1)
    assert reading is not None
    assert out - 1800 <= reading[0] <= out
    assert world.cloud.odometer(66, out) == reading


def test_growing_rows_report_fewer_devices_and_null_channels() -> None:
    world = World(replace(HOUSE, partial=0.5))
    now = START + 14 * 3600
    growing = [row for row in world.shown("stats", now).values() if row["devices_reporting"] < 20]
    assert growing
    assert all(row["powr"] == 12 * row["enwh"] for row in growing)
    meter = [row for row in world.shown("rgm_stats", now).values() if not row["devices_reporting"]]
    assert meter
    assert all(channel["wh_del"] is None for row in meter for channel in row["channels"])


def test_hidden_intervals_and_their_total_appear_together() -> None:
    shown_at = START + 5 * DAY
    world = World(replace(HOUSE, hidden=((START + 36000, START + 50000, shown_at),)), shown_at - 1)
    day = {"start_date": "2026-06-01", "end_date": "2026-06-01"}
    less = world.caller.json("/66/energy_lifetime", **day)["production"][0]
    assert not [end for end in world.shown("rgm_stats", shown_at - 1) if START + 36000 < end <= START + 50000]
    world.now = shown_at
    more = world.caller.json("/66/energy_lifetime", **day)["production"][0]
    assert less < more == world.cloud.daily(66)[date(2026, 6, 1)]


def test_a_sold_house_keeps_its_history_and_reports_no_more() -> None:
    world = World(replace(HOUSE, ended_at=START + 50000), START + 20 * DAY)
    assert world.shown("stats", START + 20 * DAY) == world.final("stats")
    assert max(world.final("stats")) <= START + 50000
    assert world.shown("stats", START + 50000) == world.final("stats")
    world.now = START + 20 * DAY
    later = world.caller.json("/66/telemetry/production_micro", start_at=START + 5 * DAY)
    assert later["intervals"] == []
    assert later["meta"]["last_report_at"] == START + 50000


@settings(max_examples=50, deadline=None)
@given(odd_sites(), st.integers(0, DAY), st.integers(1, DAY), st.integers(1, 3))
def test_a_settled_window_is_final_interval_by_interval(site: Site, after: int, length: int, stream: int) -> None:
    gateway = World(site).cloud.history(66).gateway
    start, end = START + after, START + after + length
    settled = gateway.settled_at(start, end)
    assert all(gateway.share(at, stream, settled) == 1 for at in range(end // 300 * 300, start, -300))
