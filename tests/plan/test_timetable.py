"""The timetable: what it promises is what happens, and where a wish does not fit it says so."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ingest.core.span import floor_to
from ingest.core.units import DAY, HOUR, MINUTE, YEAR
from ingest.enphase.catalogue import DEFAULTS
from ingest.enphase.streams import BY_NAME
from ingest.plan import levers
from ingest.plan.budget import Rules
from ingest.plan.demand import Demand, demands
from ingest.plan.estimate import BackfillEstimate, backfill, count, estimate
from ingest.plan.quota import Plan, Usage, month_bounds
from ingest.plan.timetable import Timetable, timetable
from ingest.report.advice import advise, spell
from tests.fleet import CLASSES, START, Fleet
from tests.works import a_work

WATT, KILOWATT, PARTNER = Plan(10, 1000), Plan(50, 50_000), Plan(300, 1_500_000)
PLANS = {"watt": WATT, "kilowatt": KILOWATT}
QUARTER = 15 * MINUTE


def home(streams: int = 4) -> list[Demand]:
    return [Demand(f"stream {number}", 1, QUARTER) for number in range(streams)]


def fits(plan: Plan, wanted: Sequence[Demand], now: int = START, used: int = 0, **rules: float) -> Timetable:
    """The timetable of one account."""
    options: dict[str, Any] = {"renewals": 1.25, "free": plan.per_month, **rules}
    return timetable(Rules(plan, **options), wanted, Usage(used, 0, (), ()), now)


def test_where_a_wish_does_not_fit_it_says_what_would() -> None:
    found = fits(WATT, home(), renewals=0)
    rules = Rules(WATT)
    free, paid = (
        levers.free(rules, home(), START),
        levers.paid(rules, home(), START, PLANS, {"watt": 0, "kilowatt": 249}),
    )
    assert advise(found, "Watt", free, paid) == [
        "every 15 min for 4 streams of 1 system needs 11,900 calls a month in all; Watt has 900 after the reserve: "
        "polled every 3 h 18 min by day.",
        "Free: every 2 h 29 min without stream 0: leave it out of `streams:` of each system.",
        "Free: every 2 h 29 min without stream 1: leave it out of `streams:` of each system.",
        "Free: every 2 h 29 min without stream 2: leave it out of `streams:` of each system.",
        "Free: every 2 h 29 min without stream 3: leave it out of `streams:` of each system.",
        "Free: every 2 h 54 min with stream 0 half as often: `streams: {stream 0: {every: 30m}}`.",
        "Kilowatt would carry it, for USD 249 a month.",
    ]
    assert (found.left, found.reserve, found.share) == (900, 100, 180)
    assert sum(line.per_month for line in found.lines) == pytest.approx(900, abs=1)


def test_a_lever_gains_what_it_says() -> None:
    """What a lever promises is what the timetable shows once it is pulled."""
    house = [*(replace(wish, awake=14 * HOUR) for wish in home(3)), Demand("energy_lifetime", 1, DAY)]
    rules = Rules(WATT, renewals=1.25)
    found = {lever.change: lever.by_day for lever in levers.free(rules, house, START)}
    without = [wish for wish in house if wish.stream != "stream 1"]
    slower = [replace(wish, every=2 * QUARTER) if wish.stream == "stream 1" else wish for wish in house]
    assert found["without stream 1"] == fits(WATT, without).lines[0].by_day
    assert found["with stream 1 half as often"] == fits(WATT, slower).lines[0].by_day
    assert found["with nothing kept for other tools"] == fits(WATT, house, reserve=0).lines[0].by_day
    assert max(found.values()) < levers.cadence(rules, house, START)


def test_what_fits_needs_no_advice() -> None:
    found = fits(KILOWATT, home())
    assert advise(found, "Kilowatt", [], []) == []
    assert all(line.by_day == line.by_night == QUARTER for line in found.lines)
    assert found.wished == found.planned == pytest.approx(4 * 96 * 31 + 1.25 * 31)


def test_production_rests_at_night_and_is_asked_more_often_by_day() -> None:
    always = fits(WATT, home(2)).lines[0]
    by_day = fits(WATT, [replace(wish, awake=14 * HOUR) for wish in home(2)]).lines[0]
    assert by_day.by_night == 0
    assert by_day.by_day < always.by_day


def test_a_gateway_by_radio_is_not_promised_more_than_it_gives() -> None:
    (line,) = fits(KILOWATT, [Demand("stats", 1, QUARTER, period=6 * HOUR)]).lines
    assert line.by_day == 6 * HOUR
    assert line.per_day == 4


def test_what_was_spent_this_month_is_gone() -> None:
    late = fits(WATT, home(), START + 15 * DAY, used=800)
    assert late.left == 100
    assert late.lines[0].this_month > 1.5 * late.lines[0].by_day
    assert late.lines == tuple(replace(line, this_month=late.lines[0].this_month) for line in fits(WATT, home()).lines)


def test_a_program_that_is_new_late_in_the_month_does_not_take_its_haste_for_the_rule() -> None:
    found = fits(WATT, home(), START + 25 * DAY)
    assert found.lines[0].this_month < 0.5 * found.lines[0].by_day
    assert found.planned == pytest.approx(900, abs=2)
    assert found.ahead == pytest.approx(900, abs=2)


def test_a_plan_that_charges_has_a_price() -> None:
    found = fits(Plan(300, 10_000), home(), price=0.005, renewals=0)
    assert found.money == pytest.approx((4 * 96 * 31 - 10_000) * 0.005)
    assert fits(WATT, home()).money == 0


@pytest.mark.parametrize(
    ("calls", "months", "money"), [(0, 0, 0.0), (100, 0, 0.0), (180, 0, 0.0), (181, 1, 0.005), (700, 3, 2.6)]
)
def test_backfill_has_an_end(calls: int, months: int, money: float) -> None:
    found = backfill(calls, 180, 180, START + DAY, Rules(WATT, price=0.005))
    begin = START + DAY
    for _ in range(months):
        begin = month_bounds(begin)[1]
    assert found.done_at is not None
    assert begin <= found.done_at <= begin + 2 * HOUR
    assert found.money == pytest.approx(money)


def test_backfill_without_a_share_has_none() -> None:
    assert backfill(10, 0, 0, START, Rules(WATT)).done_at is None


def test_history_is_priced_by_windows_before_anything_was_asked() -> None:
    streams = [BY_NAME[name] for name in ("stats", "rgm_stats", "consumption", "production_meter_readings")]
    works = Fleet(1, streams=streams, since=YEAR).works(START)
    frame = fits(WATT, demands(works, START, CLASSES))
    calls = count(works, START, CLASSES)
    found = backfill(calls, frame.backfill.this_month, frame.backfill.per_month, START, Rules(WATT))
    assert 364 + 2 * 52 <= found.calls <= 366 + 2 * 53
    assert found.done_at is not None
    assert START + 60 * DAY <= found.done_at <= START + 120 * DAY


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "1 min"), (900, "15 min"), (11_100, "3 h 5 min"), (86_400, "1 d"), (90_061, "1 d 1 h"), (7200, "2 h")],
)
def test_lengths_of_time_in_words(seconds: int, words: str) -> None:
    assert spell(seconds) == words


@pytest.mark.parametrize("version", ["v4", "v2"])
@pytest.mark.parametrize("systems", [2, 5])
def test_what_is_said_to_fit_does_whatever_the_day(systems: int, version: str) -> None:
    """A later start moves the windows of a stream, wherever the week and the month stand."""
    streams = [BY_NAME[name] for name in DEFAULTS]
    for now in range(START, START + 31 * DAY, 55 * HOUR):
        room = BackfillEstimate(0, 174, 30, None, 0)
        works = [
            a_work(stream, system=str(number), floor=now - 2 * YEAR, version=version)
            for number in range(systems)
            for stream in streams
        ]
        found = estimate(works, now, CLASSES, room, Rules(WATT))
        assert found.too_late
        assert found.fits_since is not None
        midnight = floor_to(found.fits_since, DAY)
        for east in (-12, 0, 14):
            asked = [work._replace(floor=midnight - east * HOUR) for work in works]
            assert estimate(asked, now, CLASSES, room, Rules(WATT)).too_late == 0
        longer = [work._replace(floor=midnight - 2 * DAY) for work in works]
        assert estimate(longer, now, CLASSES, room, Rules(WATT)).too_late
